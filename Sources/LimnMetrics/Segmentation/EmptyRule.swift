// What a measure of overlap is where neither side has anything to overlap.

/// The value of a measure of overlap (Dice, IoU, surface Dice, average precision) of two empty sets, 0 / 0.
public enum EmptyRule: String, Codable, Sendable, CaseIterable {
  /// NaN: the image says nothing about the class and is left out of means. The default everywhere in Limn, as
  /// in DeepMind's surface-distance and in MONAI.
  case undefined
  /// 1: nothing was there and nothing was found.
  case perfect

  var value: Double { self == .undefined ? .nan : 1 }

  /// `part / whole`, or the rule's value of 0 / 0.
  func ratio(_ part: Int, _ whole: Int) -> Double {
    whole == 0 ? value : Double(part) / Double(whole)
  }
}
