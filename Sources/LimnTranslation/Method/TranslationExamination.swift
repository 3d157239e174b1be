// A translation method's present state on held-out images: figures against the targets, and pictures.

import LimnMetrics
import LimnTorch
import LimnTraining

/// Measures and draws translations.
struct TranslationExamination {
  let method: any TranslationMethod
  private static let shown = 8

  /// - Parameter batches: images, with `targets` where these are their pairs.
  /// - Returns: `val_nmae` and `val_psnr` over the foreground (targets above black) and `val_ssim`, means over images,
  ///   in RegGAN's definitions; `val_drift`, how far registration moves the translations onto the targets on average,
  ///   in pixels, which is what a generator has drifted away; and pictures: source, translation, and of pairs the target
  ///   and what registration makes of the translation.
  func examine(_ batches: [TrainingBatch]) -> Examination {
    var values: [PairMeasure: [Double]] = [:]
    var (pictures, flows) = ([Tensor](), [Tensor]())
    for batch in batches {
      let made = method.translate(batch.images, .random(seed: 0))
      var shown = [batch.images, made]
      if let targets = batch.layers["targets"] {
        for (measure, own) in measured(real: targets, fake: made) { values[measure, default: []] += own }
        shown.append(targets)
        if let registration = method.registration {
          let flow = withoutGradients { registration(.cat([made, targets], dim: 1)) }
          flows.append(flow.mean(dims: [2, 3]))
          shown.append(SpatialTransformer.warp(made, by: flow))
        }
      }
      if pictures.count < Self.shown { pictures.append(picture(shown)) }
    }
    guard !pictures.isEmpty else { return Examination() }
    var measures = means(values)
    if !flows.isEmpty { measures["val_drift"] = Tensor.cat(flows).mean(dims: [0]).norm().item() }
    return Examination(measures: measures, pictures: [("translations", .cat(pictures))])
  }

  private static let names: [(measure: PairMeasure, name: String)] = [
    (.nmaeForeground, "val_nmae"), (.psnrForeground, "val_psnr"), (.ssimRegGAN, "val_ssim"),
  ]

  /// Each channel counts as an image.
  private func measured(real: Tensor, fake: Tensor) -> [(PairMeasure, [Double])] {
    let (real, fake) = (real.flattened(from: 0, to: 1).to(.cpu), fake.flattened(from: 0, to: 1).to(.cpu))
    return Self.names.compactMap { entry in
      // Only images below the window of SSIM cannot be measured.
      (try? entry.measure.perSlice(real: real, fake: fake)).map { (entry.measure, $0) }
    }
  }

  private func means(_ values: [PairMeasure: [Double]]) -> [String: Double] {
    var means: [String: Double] = [:]
    for (measure, name) in Self.names {
      let known = (values[measure] ?? []).filter(\.isFinite)
      if !known.isEmpty { means[name] = known.reduce(0, +) / Double(known.count) }
    }
    return means
  }

  /// The middle one of each of the images, side by side; gray ones get the channels of coloured ones.
  private func picture(_ images: [Tensor]) -> Tensor {
    let channels = images.map { $0.size(1) }.max() ?? 1
    let parts = images.map { images in
      let middle = images.size(0) / 2
      return images[middle..<middle + 1].expanded([1, channels, images.size(2), images.size(3)])
    }
    return .cat(parts, dim: 3)
  }
}
