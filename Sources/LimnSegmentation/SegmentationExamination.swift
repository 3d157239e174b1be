// A segmenter's present state on held-out images: Dice, and pictures of truths and predictions.

import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// Measures and draws predictions.
struct SegmentationExamination {
  let labels: LabelSetting
  /// The value of pixels that do not count.
  let ignored: Int?
  let predictor: any TilePredictor
  /// The side of the images' middle that is looked at, in pixels; nil: the images whole.
  var side: Int?
  private static let shown = 8

  /// - Parameter batches: images with `labels` as they are stored.
  /// - Returns: `val_dice`, the mean of `val_dice_CLASS` where there are several, of all pixels together, unless
  ///   none of them counts; and pictures with the truth on the left and the prediction on the right.
  func examine(_ batches: [TrainingBatch]) -> Examination {
    var counts = ConfusionMatrix(classCount: labels.values.count)
    var pictures: [Tensor] = []
    for batch in batches {
      guard let stored = batch.layers["labels"] else { continue }
      let part = stored.middle(side)
      let (truth, found) = (labels.classNumbers(of: part), predicted(batch.images))
      let mask = ignored.map { part.isNotEqual(to: Double($0)) }
      // Both hold class numbers below the count, so nothing is thrown.
      if let own = try? ConfusionMatrix(
        truth: truth, prediction: found, classCount: labels.values.count, mask: mask)
      {
        counts += own
      }
      if pictures.reduce(0, { $0 + $1.size(0) }) < Self.shown {
        pictures.append(picture(batch.images.middle(side), truth, found))
      }
    }
    guard !pictures.isEmpty else { return Examination() }
    let shown = Tensor.cat(pictures)
    return Examination(
      measures: measures(counts),
      pictures: [("predictions", shown[0..<min(Self.shown, shown.size(0))])])
  }

  private func predicted(_ images: Tensor) -> Tensor {
    let (context, alignment) = (predictor.context, predictor.alignment)
    let (rows, columns) = (images.middleRange(of: -2, side), images.middleRange(of: -1, side))
    func shown(_ range: Range<Int>) -> Range<Int> {
      let kept = (range.count + alignment - 1) / alignment * alignment
      return range.lowerBound - context..<range.lowerBound + kept + context
    }
    let tiles = images.mirrored(rows: shown(rows), columns: shown(columns))
    return predictor.probabilities(tiles).argmax(dim: 1)
      .narrowed(dim: 1, start: 0, length: rows.count).narrowed(dim: 2, start: 0, length: columns.count)
  }

  private func picture(_ images: Tensor, _ truth: Tensor, _ found: Tensor) -> Tensor {
    let overlay = LabelOverlay()
    return .cat([overlay(images, labels: truth), overlay(images, labels: found)], dim: 3)
  }

  private func measures(_ counts: ConfusionMatrix) -> [String: Double] {
    guard counts.counts.contains(where: { $0 > 0 }) else { return [:] }
    let each = (1..<labels.values.count).map {
      ("val_dice_\(labels.names[$0])", counts.counts(of: $0).dice())
    }
    let known = each.map(\.1).filter(\.isFinite)
    let mean = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    let named = each.count > 1 ? each.filter { $0.1.isFinite } : []
    return Dictionary([("val_dice", mean)] + named) { first, _ in first }
  }
}

extension Tensor {
  /// The middle of an axis, at most `side` long.
  fileprivate func middleRange(of dim: Int, _ side: Int?) -> Range<Int> {
    let length = Swift.min(size(dim), side ?? size(dim))
    let start = (size(dim) - length) / 2
    return start..<start + length
  }

  /// The middle of the last two axes, at most `side` long.
  fileprivate func middle(_ side: Int?) -> Tensor {
    centre(height: middleRange(of: -2, side).count, width: middleRange(of: -1, side).count)
  }
}
