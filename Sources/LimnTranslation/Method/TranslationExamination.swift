// A translation method's present state on held-out images: figures against the targets, and pictures.

import LimnMetrics
import LimnTorch
import LimnTraining

/// Measures and draws translations.
struct TranslationExamination {
  let method: any TranslationMethod
  private static let shown = 6

  /// - Parameter batches: images, with `targets` where these are their pairs.
  /// - Returns: `val_nmae` and `val_psnr` over the foreground (targets above black) and `val_ssim`, means over images,
  ///   in RegGAN's definitions; and pictures: source, translation, and of pairs the target and what registration makes of
  ///   the translation.
  func examine(_ batches: [TrainingBatch]) -> Examination {
    var values: [PairMeasure: [Double]] = [:]
    var pictures: [Tensor] = []
    for batch in batches {
      let made = method.translate(batch.images, .random(seed: 0))
      if let targets = batch.layers["targets"] {
        for (measure, own) in measured(real: targets, fake: made) { values[measure, default: []] += own }
      }
      if pictures.reduce(0, { $0 + $1.size(0) }) < Self.shown { pictures.append(picture(batch, made)) }
    }
    guard !pictures.isEmpty else { return Examination() }
    let shown = Tensor.cat(pictures)
    return Examination(
      measures: means(values), pictures: [("translations", shown[0..<min(Self.shown, shown.size(0))])])
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

  /// Side by side, gray where one of them has colours.
  private func picture(_ batch: TrainingBatch, _ made: Tensor) -> Tensor {
    var parts = [batch.images, made]
    if let targets = batch.layers["targets"] {
      parts.append(targets)
      if let registration = method.registration {
        let flow = withoutGradients { registration(.cat([made, targets], dim: 1)) }
        parts.append(SpatialTransformer.warp(made, by: flow))
      }
    }
    let channels = parts.map { $0.size(1) }.max() ?? 1
    return .cat(
      parts.map {
        $0.size(1) == channels ? $0 : $0.mean(dims: [1], keepDim: true).repeated([1, channels, 1, 1])
      }, dim: 3)
  }
}
