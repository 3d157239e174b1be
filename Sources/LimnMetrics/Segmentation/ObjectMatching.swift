// Objects of two label maps matched by how far they overlap: SEG of the cell tracking challenge (Maška et al.,
// Bioinformatics 2014) and average precision over thresholds of IoU (Data Science Bowl 2018).

import LimnTorch

/// How many pixels the objects of a truth and of a prediction share.
public struct ObjectMatching: Sendable, Equatable {
  /// Pixels of each true object, in the order of labels.
  public let truthAreas: [Int]
  /// Pixels of each predicted object, in the order of labels.
  public let predictionAreas: [Int]
  /// Whether each true object lies beside another: a pixel of it and one of the other are neighbours, diagonals
  /// included. These are the objects that a segmenter is tempted to run together.
  public let touches: [Bool]
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
    let touching = Self.touching(truth.to(.int32))
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
    touches = truthPlaces.sorted { $0.value < $1.value }.map { touching.contains($0.key) }
  }

  /// Objects of which a pixel has a neighbour in another object.
  private static func touching(_ map: Tensor) -> Set<Int32> {
    var found: Set<Int32> = []
    for step in neighbourSteps(rank: map.rank) {
      var (here, there) = (map, map)
      for (dim, offset) in step.enumerated() {
        let length = map.size(dim) - abs(offset)
        here = here.narrowed(dim: dim, start: max(-offset, 0), length: max(length, 0))
        there = there.narrowed(dim: dim, start: max(offset, 0), length: max(length, 0))
      }
      found.formUnion(objects(of: here, beside: there))
      found.formUnion(objects(of: there, beside: here))
    }
    return found
  }

  /// Objects that have another one at the same place of a second map.
  private static func objects(of map: Tensor, beside other: Tensor) -> Set<Int32> {
    let meeting = map.filled(where: map.isEqual(to: other), with: 0)
      .filled(where: other.isEqual(to: 0), with: 0)
    return Set(meeting.labelValues.lazy.filter { $0 != 0 })
  }

  /// One of each pair of opposite steps to the neighbours of a pixel: 4 of the 8 in a plane, 13 of 26 in a volume.
  private static func neighbourSteps(rank: Int) -> [[Int]] {
    let all = (0..<rank).reduce([[]]) { steps, _ in steps.flatMap { step in [-1, 0, 1].map { step + [$0] } } }
    return Array(all.prefix(all.count / 2))
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
  public var seg: Double { Self.mean(segScores) }

  /// The mean of ``segScores`` over the true objects that touch others; NaN where none does.
  public var segOfTouching: Double { Self.mean(touchingScores) }

  /// The ``segScores`` of the true objects that touch others.
  var touchingScores: [Double] { zip(segScores, touches).filter(\.1).map(\.0) }

  static func mean(_ scores: [Double]) -> Double {
    scores.isEmpty ? .nan : scores.reduce(0, +) / Double(scores.count)
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
