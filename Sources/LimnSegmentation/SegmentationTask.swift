// What every segmenter takes from its dataset: the classes to learn, the value to ignore; and its optimiser.

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
