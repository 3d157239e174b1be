// Objects of two label maps matched by how far they overlap: SEG of the cell tracking challenge (Maška et al.,
// Bioinformatics 2014) and average precision over thresholds of IoU (Data Science Bowl 2018).

import LimnTorch

/// How many pixels the objects of a truth and of a prediction share.
public struct ObjectMatching: Sendable, Equatable {
  /// Pixels of each true object, in the order of labels.
  public let truthAreas: [Int]
  /// Pixels of each predicted object, in the order of labels.
  public let predictionAreas: [Int]
  /// Pixels that a true and a predicted object share, by their places in the areas.
  private let shared: [Pair: Int]

  private struct Pair: Hashable {
    let truth: Int
    let prediction: Int
  }

  /// Counts the pixels of two maps of objects.
  /// - Parameters:
  ///   - truth: object of each pixel, integers of any shape, 0 for none; every other value is one object.
  ///   - prediction: the same shape; its numbers need not be the truth's.
  /// - Throws: ``MetricError`` where shapes differ.
  public init(truth: Tensor, prediction: Tensor) throws {
    try checkSameShape(truth, prediction)
    let (truth, prediction) = (truth.labelValues, prediction.labelValues)
    let (truthPlaces, predictionPlaces) = (Self.places(truth), Self.places(prediction))
    var truthAreas = [Int](repeating: 0, count: truthPlaces.count)
    var predictionAreas = [Int](repeating: 0, count: predictionPlaces.count)
    var shared: [Pair: Int] = [:]
    // Pixels come in runs of the same two labels, counted at once.
    var start = 0
    while start < truth.count {
      let (a, b) = (truth[start], prediction[start])
      var end = start + 1
      while end < truth.count, truth[end] == a, prediction[end] == b { end += 1 }
      let (truePlace, predictedPlace) = (truthPlaces[a], predictionPlaces[b])
      if let truePlace { truthAreas[truePlace] += end - start }
      if let predictedPlace { predictionAreas[predictedPlace] += end - start }
      if let truePlace, let predictedPlace {
        shared[Pair(truth: truePlace, prediction: predictedPlace), default: 0] += end - start
      }
      start = end
    }
    (self.truthAreas, self.predictionAreas, self.shared) = (truthAreas, predictionAreas, shared)
  }

  private static func places(_ labels: [Int32]) -> [Int32: Int] {
    let objects = Set(labels).subtracting([0]).sorted()
    return Dictionary(uniqueKeysWithValues: zip(objects, 0...))
  }

  /// For each true object R: |R ∩ S| / |R ∪ S| of the predicted object S with |R ∩ S| > |R| / 2, of which
  /// there is at most one, and 0 without. Their mean, over the objects of all images, is `seg`.
  public var segScores: [Double] {
    var scores = [Double](repeating: 0, count: truthAreas.count)
    for (pair, pixels) in shared where 2 * pixels > truthAreas[pair.truth] {
      scores[pair.truth] = Double(pixels) / Double(union(pair, pixels))
    }
    return scores
  }

  /// The mean of ``segScores``; NaN without true objects.
  public var seg: Double {
    truthAreas.isEmpty ? .nan : segScores.reduce(0, +) / Double(truthAreas.count)
  }

  private func union(_ pair: Pair, _ pixels: Int) -> Int {
    truthAreas[pair.truth] + predictionAreas[pair.prediction] - pixels
  }

  /// TP / (TP + FP + FN) over objects, a true positive being a pair of IoU above the threshold, at each of 0.5,
  /// 0.55, ... 0.95: `ap50` is the first. Two empty maps give the rule's value.
  public func precisions(_ rule: EmptyRule = .undefined) -> [Double] {
    (10..<20).map { twentieths in
      // In whole numbers, since 0.55 and its like have no exact float; above one half, pairs are unique.
      let hits = shared.count { 20 * $0.value > twentieths * union($0.key, $0.value) }
      return rule.ratio(hits, truthAreas.count + predictionAreas.count - hits)
    }
  }

  /// The mean of ``precisions(_:)``: `map_dsb2018`. It is not COCO's AP, which ranks by score.
  public func meanAveragePrecision(_ rule: EmptyRule = .undefined) -> Double {
    precisions(rule).reduce(0, +) / 10
  }
}
