// Counts of right and wrong pixels of one class, and the ratios made of them.

/// How often one class was found, missed, and claimed where it is not.
///
/// Counts of several images add up: `dice` of the sum is the pooled Dice, the mean of each image's `dice` is
/// another number.
public struct BinaryCounts: Codable, Sendable, Equatable {
  public var truePositives: Int
  public var falsePositives: Int
  public var falseNegatives: Int
  public var trueNegatives: Int

  public init(truePositives: Int, falsePositives: Int, falseNegatives: Int, trueNegatives: Int) {
    (self.truePositives, self.falsePositives) = (truePositives, falsePositives)
    (self.falseNegatives, self.trueNegatives) = (falseNegatives, trueNegatives)
  }

  /// 2 TP / (2 TP + FP + FN), in 0...1 (Dice 1945).
  public func dice(_ rule: EmptyRule = .undefined) -> Double {
    rule.ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives)
  }

  /// TP / (TP + FP + FN), in 0...1 (Jaccard 1912).
  public func iou(_ rule: EmptyRule = .undefined) -> Double {
    rule.ratio(truePositives, truePositives + falsePositives + falseNegatives)
  }

  /// TP / (TP + FN), the recall; NaN where the truth has no such pixel.
  public var sensitivity: Double { EmptyRule.undefined.ratio(truePositives, truePositives + falseNegatives) }

  /// TN / (TN + FP); NaN where every pixel is of the class.
  public var specificity: Double { EmptyRule.undefined.ratio(trueNegatives, trueNegatives + falsePositives) }

  /// TP / (TP + FP); NaN where nothing was found.
  public var precision: Double { EmptyRule.undefined.ratio(truePositives, truePositives + falsePositives) }

  /// (TP + TN) / all; NaN of no pixel.
  public var accuracy: Double { EmptyRule.undefined.ratio(truePositives + trueNegatives, total) }

  /// 1 − accuracy: the pixel error of the ISBI 2012 challenge.
  public var pixelError: Double { 1 - accuracy }

  private var total: Int { truePositives + falsePositives + falseNegatives + trueNegatives }

  public static func + (a: BinaryCounts, b: BinaryCounts) -> BinaryCounts {
    BinaryCounts(
      truePositives: a.truePositives + b.truePositives, falsePositives: a.falsePositives + b.falsePositives,
      falseNegatives: a.falseNegatives + b.falseNegatives, trueNegatives: a.trueNegatives + b.trueNegatives)
  }
}
