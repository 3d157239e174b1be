// The page of `limn evaluate labels --report`: figures, curves, confusion, and cases from best to worst.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// What a person should see of predicted labels.
struct LabelsPage {
  let measured: MeasuredCases
  let pairs: PairedLabels
  let background: LabelBackground?
  let warnings: [String]

  func write(to url: URL) throws {
    var page = HTMLReport(
      title: "Predictions and truth", subtitle: "\(pairs.names.count) cases, measured by Limn")
    page.section("", [.highlights(measured.highlights)])
    page.section("Beware", warnings.isEmpty ? [] : [.warnings(warnings)])
    for section in measured.sections { page.section(section.heading, section.blocks) }
    page.section("From best to worst", try pictures())
    page.section("Every case", [measured.cases(pairs.names)])
    try page.write(to: url)
  }

  private func pictures() throws -> [HTMLBlock] {
    let ranking = measured.ranking
    let figures = try PageParts.ranked(ranking.values, lowerIsBetter: ranking.lowerIsBetter).map {
      name, cases in
      let shown = try cases.map { try picture($0) }
      let texts = cases.map { "\(pairs.names[$0]) (\(HumanReadable.number(ranking.values[$0])))" }
      return try PageParts.sheet(
        (0..<3).map { row in shown.map { $0[row] } }, caption: "\(name): \(texts.joined(separator: ", "))",
        alt: "\(name) cases: truth, prediction, errors")
    }
    return [
      .prose(
        "Cases in the order of \(ranking.name): the truth, below it the prediction, below that the errors: "
          + "orange was found and is not there, blue is there and was missed, green has another label. Of volumes, "
          + "the slice with the most of the truth."),
      .figures(figures),
    ]
  }

  /// Truth, prediction and errors, uint8 [3, H, W].
  private func picture(_ place: Int) throws -> [Tensor] {
    let opened = try pairs.open(place)
    let slice = opened.truth.isNotEqual(to: 0).to(.float32).sum(dims: [1, 2]).argmax(dim: 0).item()
    let truth = opened.truth[Int(slice)]
    let stored = opened.prediction[Int(slice)]
    let prediction = measured.labels(stored)
    let base =
      try background?.picture(place, slice: Int(slice), size: truth.shape)
      ?? Tensor.zeros([1] + truth.shape, dtype: .uint8)
    func drawn(_ labels: Tensor, on image: Tensor) -> Tensor {
      LabelOverlay()(image.unsqueezed(0), labels: labels.to(.int64).unsqueezed(0))[0]
    }
    let shown =
      measured.threshold == nil
      ? drawn(prediction, on: base)
      : (stored * 255).round().to(.uint8).unsqueezed(0).expanded([3] + truth.shape)
    return [
      drawn(truth, on: base), shown, drawn(errors(truth, prediction, opened.mask?[Int(slice)]), on: base),
    ]
  }

  /// 1 where something was found that is not there, 2 where something was missed, 3 where its label is wrong.
  private func errors(_ truth: Tensor, _ prediction: Tensor, _ mask: Tensor?) -> Tensor {
    let (there, found) = (truth.isNotEqual(to: 0), prediction.isNotEqual(to: 0))
    let isWrong =
      measured.areObjects ? truth.zerosLike().isNotEqual(to: 0) : truth.isEqual(to: prediction).logicalNot()
    let errors =
      found.logicalAnd(there.logicalNot()).to(.int32) + there.logicalAnd(found.logicalNot()).to(.int32) * 2
      + there.logicalAnd(found).logicalAnd(isWrong).to(.int32) * 3
    return mask.map { errors.filled(where: $0.isEqual(to: 0), with: 0) } ?? errors
  }
}

/// The images that label maps belong to, for the page.
struct LabelBackground: Sendable {
  private let images: [VolumeSource?]

  /// - Parameters:
  ///   - folder: images under the names of the truths.
  ///   - truth: the truths.
  ///   - names: what the pairs are called.
  /// - Throws: where the folder cannot be read.
  init(_ folder: URL, truth: URL, names: [String]) throws {
    let byName = try PairedSources(truth, folder).secondByName
    images = names.map { byName[$0] }
  }

  /// A slice as uint8 [C, H, W]; nil where there is no image of that size.
  func picture(_ place: Int, slice: Int, size: [Int]) throws -> Tensor? {
    guard let volume = try images[place]?.read(), slice < volume.size[0],
      Array(volume.size.suffix(2)) == size
    else { return nil }
    let window = volume.storedBits == 8 ? IntensityWindow.full : .percentiles(0.5, 99.5)
    let shown = window.applied(to: volume.voxels[.all, slice], storedBits: volume.storedBits)
    let channels = volume.channels == 3 ? shown : shown[0..<1]
    return (channels * 255).round().to(.uint8)
  }
}
