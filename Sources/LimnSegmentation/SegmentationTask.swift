// What every segmenter takes from its dataset: the classes to learn, by number and by name, and the value to
// ignore; and its optimiser.

import LimnTorch
import LimnTraining

extension MethodSetting {
  /// The value of label maps whose pixels do not count: `chosen`, or 255 unless that is a class.
  func ignoredLabel(_ chosen: Int?) -> Int? {
    chosen ?? (labels?.values.contains(255) == true ? nil : 255)
  }

  /// The classes that can be learned.
  /// - Throws: `RecipeError` where there are none.
  func classes(ignoring value: Int?) throws -> LabelSetting {
    guard let labels else {
      throw RecipeError("the dataset has no labels to learn from; import it with --labels")
    }
    let kept = labels.values.indices.filter { labels.values[$0] != value }
    guard kept.count > 1 else {
      throw RecipeError("the dataset's labels hold nothing but background; there is no class to learn")
    }
    return LabelSetting(values: kept.map { labels.values[$0] }, names: kept.map { labels.names[$0] })
  }
}

extension LabelSetting {
  /// Values of label maps, integers of any shape, as class numbers, int64; what is no class is background.
  func classNumbers(of stored: Tensor) -> Tensor {
    let greatest = max(values.max() ?? 0, Int(stored.max().item()))
    var table = [Int64](repeating: 0, count: greatest + 1)
    for (number, value) in values.enumerated() { table[value] = Int64(number) }
    return Tensor(table).to(stored.device).indexSelect(dim: 0, stored.flattened()).reshaped(stored.shape)
  }

  /// The classes' names made fit for files, by number: letters, digits and hyphens of ASCII, `limit` at most; the
  /// values instead where two would be alike.
  func plainNames(limit: Int = .max) -> [String] {
    let plain = names.map { name in
      String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(limit))
    }
    let isClear = Set(plain).count == plain.count && !plain.contains("")
    return isClear ? plain : values.map(String.init)
  }
}

extension RecipeKey {
  /// What every segmenter says of pixels that do not count.
  static let ignoreLabel = RecipeKey(
    "ignore_label",
    "value of the label maps whose pixels are not learned from; null: 255, unless that is a class",
    source: "Limn")
}

extension UNetOptimizer {
  /// The optimiser itself; momentum is for SGD alone.
  func callAsFunction(
    _ parameters: [(key: String, parameter: Parameter)], learningRate: Double, momentum: Double,
    weightDecay: Double = 0
  ) -> any Optimizer {
    switch self {
    case .sgd: SGD(parameters, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    case .adam: Adam(parameters, learningRate: learningRate, weightDecay: weightDecay)
    }
  }
}
