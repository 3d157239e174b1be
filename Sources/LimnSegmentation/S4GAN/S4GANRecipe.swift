// The hyper-parameters of s4GAN.

import LimnTorch
import LimnTraining

/// The hyper-parameters of s4GAN.
public struct S4GANRecipe: MethodRecipe, Equatable {
  /// The segmentation network. Its optimiser's keys keep U-Net's values, since the paper's (SGD, 0.00025, momentum
  /// 0.9) are those of a network that was trained on other images before.
  public var network: UNetRecipe
  /// Labelled images that are used as such; nil: all.
  public var labelled: Int?
  /// λ_fm.
  public var featureMatching = 0.1
  /// λ_st.
  public var selfTraining = 1.0
  /// γ.
  public var threshold = 0.6
  /// Channels of the discriminator's first convolution.
  public var discriminatorWidth = 64
  public var discriminatorLearningRate = 0.0001
  public var adamBeta1 = 0.9
  public var adamBeta2 = 0.99

  /// The paper's values.
  public init() {
    network = UNetRecipe()
    network.batchSize = 8
    network.schedule = .polynomial
  }

  public static let keys =
    [
      RecipeKey(
        "labelled",
        "labelled training images that are used as such, the first in an order of chance by patient that all runs "
          + "share; the rest count as unlabelled; null: all", source: "paper: a share of the images"),
      RecipeKey("feature_matching", "weight λ_fm of the distance of features", source: "official code"),
      RecipeKey("self_training", "weight λ_st of the images' own predictions", source: "official code"),
      RecipeKey(
        "threshold", "γ: the discriminator's score from which an image's prediction is learned from",
        source: "official code: 0.6; 0.7 for Cityscapes"),
      RecipeKey(
        "discriminator_width",
        "channels of the discriminator's first convolution; twice as many in each further one",
        source: "official code"),
      RecipeKey("discriminator_learning_rate", "Adam's rate", source: "official code"),
      RecipeKey("adam_beta1", "β1 of the discriminator's Adam", source: "official code"),
      RecipeKey("adam_beta2", "β2 of the discriminator's Adam", source: "official code"),
    ] + UNetRecipe.keys.map { $0.nested(in: "network") }

  /// The recipe with the network's tile decided.
  /// - Throws: `RecipeError` for a value out of its range.
  func resolved(for setting: MethodSetting) throws -> S4GANRecipe {
    try RecipeRule.check([
      .count("labelled", labelled), .weight("feature_matching", featureMatching),
      .weight("self_training", selfTraining),
      RecipeRule("threshold", threshold, expected: "0 to 1", isMet: (0...1).contains(threshold)),
      .count("discriminator_width", discriminatorWidth),
      .positive("discriminator_learning_rate", discriminatorLearningRate), .decay("adam_beta1", adamBeta1),
      .decay("adam_beta2", adamBeta2),
    ])
    var recipe = self
    recipe.network = try network.resolved(for: setting)
    let margin = network.configuration(setting, classCount: 2).margin
    let output = (recipe.network.tile ?? 0) - 2 * margin
    try RecipeRule.check([
      RecipeRule(
        "network.tile", recipe.network.tile ?? 0,
        expected: "\(16 + 2 * margin) or more, so that the discriminator sees 16 pixels a side",
        isMet: output >= 16)
    ])
    return recipe
  }
}
