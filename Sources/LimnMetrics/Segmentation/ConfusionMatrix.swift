// The confusion matrix, from which Dice, IoU, sensitivity, specificity and accuracy follow.

import LimnTorch

/// How many pixels of each class were taken for each class.
public struct ConfusionMatrix: Codable, Sendable, Equatable {
  /// Classes, the background (0) included.
  public let classCount: Int
  /// Pixels, row by row: element `truth * classCount + prediction`.
  public private(set) var counts: [Int]

  /// A matrix of zeros, to add to.
  public init(classCount: Int) {
    self.classCount = classCount
    counts = [Int](repeating: 0, count: classCount * classCount)
  }

  /// Counts the pixels of one image, or of many at once.
  /// - Parameters:
  ///   - truth: class of each pixel, 0 ..< `classCount`, integers of any shape.
  ///   - prediction: the same shape.
  ///   - classCount: classes, the background included.
  ///   - mask: the same shape; only pixels where it is not zero count, such as a field of view. nil: all.
  /// - Throws: ``MetricError`` where shapes differ or a value is no class.
  public init(truth: Tensor, prediction: Tensor, classCount: Int, mask: Tensor? = nil) throws {
    self.init(classCount: classCount)
    try checkSameShape(truth, prediction, mask)
    let (truth, prediction) = (truth.labelValues, prediction.labelValues)
    let mask = mask?.maskValues
    for place in truth.indices where mask?[place] ?? true {
      let (row, column) = (Int(truth[place]), Int(prediction[place]))
      guard 0..<classCount ~= row, 0..<classCount ~= column else {
        let value = 0..<classCount ~= row ? column : row
        throw MetricError(
          "label \(value) where classes 0 to \(classCount - 1) were expected; give the number of classes")
      }
      counts[row * classCount + column] += 1
    }
  }

  /// Pixels of class `truth` that were taken for `prediction`.
  public subscript(truth: Int, prediction: Int) -> Int { counts[truth * classCount + prediction] }

  /// One class against all others.
  public func counts(of label: Int) -> BinaryCounts {
    let row = (0..<classCount).reduce(0) { $0 + self[label, $1] }
    let column = (0..<classCount).reduce(0) { $0 + self[$1, label] }
    let both = self[label, label]
    return BinaryCounts(
      truePositives: both, falsePositives: column - both, falseNegatives: row - both,
      trueNegatives: counts.reduce(0, +) - row - column + both)
  }

  /// Pixels of the right class over all; NaN of no pixel.
  public var accuracy: Double {
    EmptyRule.undefined.ratio((0..<classCount).reduce(0) { $0 + self[$1, $1] }, counts.reduce(0, +))
  }

  /// Pools the pixels of two matrices of the same classes.
  public static func += (a: inout ConfusionMatrix, b: ConfusionMatrix) {
    precondition(a.classCount == b.classCount, "matrices of different classes")
    for place in a.counts.indices { a.counts[place] += b.counts[place] }
  }
}
