// The sliding-window network's hyper-parameters.

import LimnTorch
import LimnTraining

/// The hyper-parameters of the sliding-window network.
public struct SlidingWindowRecipe: MethodRecipe, Equatable {
  /// Side of the window (N4).
  public var window = 95
  /// Sides of the convolutions, each with a pooling behind it (N4).
  public var kernels = [4, 5, 4, 4]
  /// Maps of every convolution.
  public var width = 48
  /// Neurons of the hidden fully connected layer.
  public var hidden = 200
  /// Images in a step.
  public var batchSize = 1
  /// Windows in a step, of all its images together.
  public var patches = 64
  /// Whether each class gets the same share of the windows.
  public var balanced = true
  public var optimizer = UNetOptimizer.sgd
  public var learningRate = 0.01
  /// Plain gradient descent (the paper's abstract) has none.
  public var momentum = 0.0
  /// A value of the label maps whose pixels are not learned from; nil: 255, unless that is a class.
  public var ignoreLabel: Int?

  /// The paper's values, and Limn's where it is silent.
  public init() {}

  public static let keys = [
    RecipeKey("window", "side of the window around a pixel, odd", source: "paper, network N4"),
    RecipeKey(
      "kernels", "sides of the convolutions; each is followed by a max-pooling of 2",
      source: "paper, network N4"),
    RecipeKey("width", "maps of every convolution", source: "paper, network N4"),
    RecipeKey("hidden", "neurons of the hidden fully connected layer", source: "paper, network N4"),
    RecipeKey("batch_size", "images in a step", source: "Limn"),
    RecipeKey("patches", "windows in a step, drawn from its images", source: "Limn"),
    RecipeKey(
      "balanced", "as many windows of each class that occurs, rather than as they occur",
      source: "paper: balanced"),
    RecipeKey("optimizer", "sgd or adam", source: "paper: plain gradient descent"),
    RecipeKey("learning_rate", "of either; about 0.001 for adam", source: "Limn"),
    RecipeKey("momentum", "of sgd", source: "paper: plain gradient descent"),
    .ignoreLabel,
  ]

  /// The network for a dataset's images.
  func configuration(_ setting: MethodSetting, classCount: Int) -> SlidingWindowConfiguration {
    var configuration = SlidingWindowConfiguration(
      inputChannels: setting.shape.channels, classCount: classCount)
    (configuration.window, configuration.kernels) = (window, kernels)
    (configuration.width, configuration.hidden) = (width, hidden)
    return configuration
  }

  /// The recipe with everything decided.
  /// - Throws: `RecipeError` for a value out of its range.
  func resolved(for setting: MethodSetting) throws -> SlidingWindowRecipe {
    try RecipeRule.check([
      RecipeRule(
        "kernels", kernels, expected: "one number or more, each 1 or more",
        isMet: !kernels.isEmpty && kernels.allSatisfy { $0 >= 1 }),
      .count("width", width), .count("hidden", hidden), .count("batch_size", batchSize),
      .count("patches", patches), .positive("learning_rate", learningRate), .decay("momentum", momentum),
    ])
    try configuration(setting, classCount: 2).check()
    var recipe = self
    recipe.ignoreLabel = setting.ignoredLabel(ignoreLabel)
    return recipe
  }
}
