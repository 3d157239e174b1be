// What a recipe's values may be: the first one that does not fit becomes one clear line.

/// A value of a recipe and what is expected of it.
public struct RecipeRule {
  private let key: String
  private let value: String
  private let expected: String
  private let isMet: Bool

  /// - Parameters:
  ///   - key: the recipe's key.
  ///   - value: what it is.
  ///   - expected: the values that are allowed, in words.
  ///   - isMet: whether it is one of them.
  public init(_ key: String, _ value: Any, expected: String, isMet: Bool) {
    (self.key, self.value, self.expected, self.isMet) = (key, "\(value)", expected, isMet)
  }

  /// A whole number from `minimum` on; nil is left to the method.
  public static func count(_ key: String, _ value: Int?, from minimum: Int = 1) -> RecipeRule {
    RecipeRule(key, value ?? minimum, expected: "\(minimum) or more", isMet: value ?? minimum >= minimum)
  }

  /// A finite number above zero, such as a learning rate.
  public static func positive(_ key: String, _ value: Double) -> RecipeRule {
    RecipeRule(key, value, expected: "a number above 0", isMet: value > 0 && value.isFinite)
  }

  /// A finite number that is not negative, such as a loss's weight.
  public static func weight(_ key: String, _ value: Double) -> RecipeRule {
    RecipeRule(key, value, expected: "0 or more", isMet: value >= 0 && value.isFinite)
  }

  /// A rate of forgetting: Adam's β, the decay of an average.
  public static func decay(_ key: String, _ value: Double) -> RecipeRule {
    RecipeRule(key, value, expected: "a number from 0 to below 1", isMet: value >= 0 && value < 1)
  }

  /// - Parameters:
  ///   - rules: in the order of the keys.
  ///   - group: the group that the keys are in; nil at the top.
  /// - Throws: ``RecipeError`` for the first value that is not as expected.
  public static func check(_ rules: [RecipeRule], group: String? = nil) throws {
    guard let broken = rules.first(where: { !$0.isMet }) else { return }
    let key = (group.map { "\($0)." } ?? "") + broken.key
    throw RecipeError("recipe key '\(key)' is \(broken.value); expected \(broken.expected)")
  }
}
