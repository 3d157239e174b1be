// The U-Net's hyper-parameters: the paper's, and the settings of today behind one key each.

import LimnImaging
import LimnTorch
import LimnTraining

/// How the weights are moved.
public enum UNetOptimizer: String, Codable, Sendable, CaseIterable {
  /// Stochastic gradient descent with momentum (the paper).
  case sgd
  case adam
}

/// How the learning rate falls.
public enum UNetSchedule: String, Codable, Sendable, CaseIterable {
  case constant
  /// (1 − t)^0.9 (nnU-Net).
  case polynomial
}

/// What is minimised.
public enum SegmentationLoss: String, Codable, Sendable, CaseIterable {
  /// Weighted by pixels (the paper, equation 1).
  case crossEntropy = "cross_entropy"
  /// 1 − soft Dice, mean over classes but the background.
  case dice
  /// The sum of both.
  case diceCrossEntropy = "dice_cross_entropy"
}

/// Which layers learn.
public enum TrainedLayers: String, Codable, Sendable, CaseIterable {
  case all
  /// The 1×1 convolution that gives the classes' scores, all else being as it was begun with.
  case last
}

/// The hyper-parameters of the U-Net.
public struct UNetRecipe: MethodRecipe, Equatable {
  /// Channels of the finest level (figure 1).
  public var width = 64
  /// Resolutions (figure 1).
  public var levels = 5
  public var padding = UNetPadding.valid
  public var normalization = UNetNormalization.none
  public var variant = UNetVariant.figure
  /// Coarsest levels with dropout, which the paper has "at the end of the contracting path"; two in the
  /// released network.
  public var dropoutLevels = 2
  public var deepSupervision = false
  /// Side of the tiles; nil: what covers the image, at most 572 without padding (figure 1) and 512 with it.
  public var tile: Int?
  /// Tiles in a step (section 3: one large tile rather than many).
  public var batchSize = 1
  public var optimizer = UNetOptimizer.sgd
  /// Not published.
  public var learningRate = 0.001
  /// Section 3.
  public var momentum = 0.99
  public var weightDecay = 0.0
  public var schedule = UNetSchedule.constant
  public var loss = SegmentationLoss.crossEntropy
  /// w_c of equation 2.
  public var classWeights = ClassBalance.image
  /// w0 of equation 2; 0 for none; nil: 10 where the dataset tells objects apart.
  public var borderWeight: Double?
  /// σ of equation 2, in pixels.
  public var borderSigma = 5.0
  /// Whether that weight is kept out of the objects themselves.
  public var borderBackgroundOnly = false
  /// Pixels between objects that touch.
  public var borderGap = 1
  /// Which layers learn; the last alone is transfer learning from `limn train --from`.
  public var trainedLayers = TrainedLayers.all
  /// A value of the label maps whose pixels are not learned from; nil: 255, unless that is a class.
  public var ignoreLabel: Int?

  /// The paper's values, and Limn's where it is silent.
  public init() {}

  public static let keys = [
    RecipeKey("width", "channels of the finest level", source: "paper, figure 1"),
    RecipeKey("levels", "resolutions", source: "paper, figure 1"),
    RecipeKey(
      "padding", "valid (convolutions see nothing beyond the tile) or same (zeros around it)",
      source: "paper, section 2: valid"),
    RecipeKey("normalization", "none, instance or batch", source: "paper: none; instance in nnU-Net"),
    RecipeKey(
      "variant",
      "figure (figure 1) or released (the authors' network: ReLU after up-convolutions, a wider last "
        + "one, Glorot's initial weights)", source: "paper; the released network"),
    RecipeKey(
      "dropout_levels", "coarsest levels with dropout 0.5 after their convolutions",
      source: "paper: at the end of the contracting path; released network: 2"),
    RecipeKey(
      "deep_supervision", "coarser levels of the decoder are trained, too; with padding same",
      source: "nnU-Net"),
    RecipeKey(
      "tile", "side of the tiles in pixels; null: what covers the image, at most 572 (valid) or 512 (same)",
      source: "paper, figure 1: 572"),
    RecipeKey("batch_size", "tiles in a step", source: "paper, section 3"),
    RecipeKey("optimizer", "sgd or adam", source: "paper: sgd"),
    RecipeKey(
      "learning_rate", "of either; about 0.0003 for adam", source: "open in the paper; default: Limn"),
    RecipeKey("momentum", "of sgd", source: "paper, section 3"),
    RecipeKey("weight_decay", "of either", source: "paper: none"),
    RecipeKey(
      "schedule", "constant or polynomial: (1 - t)^0.9", source: "paper: constant; nnU-Net: polynomial"),
    RecipeKey(
      "loss", "cross_entropy, dice or dice_cross_entropy", source: "paper, equation 1: cross_entropy"),
    RecipeKey(
      "class_weights", "none, or image: classes by the inverse of their share of the image, mean 1",
      source: "paper, equation 2, without a formula; this one: Limn"),
    RecipeKey(
      "border_weight",
      "w0 of pixels between objects; 0: none; null: 10 where the dataset has instances; a number without "
        + "instances: between connected parts of the labels", source: "paper, section 3: 10"),
    RecipeKey("border_sigma", "σ of that weight in pixels", source: "paper, section 3"),
    RecipeKey(
      "border_background_only",
      "false: objects' own pixels beside a gap gain, too, as the formula has it; true: the gap alone",
      source: "paper, equation 2; true: most re-implementations"),
    RecipeKey(
      "border_gap",
      "background pixels that are put between touching objects, where the dataset has instances",
      source: "paper, section 3, without a width; this one: Limn"),
    RecipeKey(
      "trained_layers", "all, or last: the scores' alone, upon what --from brings",
      source: "paper: all; last: the transfer-learning baseline of DatasetGAN"),
    .ignoreLabel,
  ]

  /// The network for a dataset's images.
  func configuration(_ setting: MethodSetting, classCount: Int) -> UNetConfiguration {
    var configuration = UNetConfiguration(inputChannels: setting.shape.channels, classCount: classCount)
    (configuration.width, configuration.levels) = (width, levels)
    (configuration.padding, configuration.normalization) = (padding, normalization)
    (configuration.variant, configuration.dropoutLevels) = (variant, dropoutLevels)
    configuration.hasDeepSupervision = deepSupervision
    return configuration
  }

  /// The recipe with its tile decided.
  /// - Throws: `RecipeError` for a value out of its range, and for a tile that the network cannot take.
  func resolved(for setting: MethodSetting) throws -> UNetRecipe {
    try RecipeRule.check([
      .count("width", width),
      RecipeRule("levels", levels, expected: "2 to 8", isMet: (2...8).contains(levels)),
      .count("dropout_levels", dropoutLevels, from: 0), .count("tile", tile), .count("batch_size", batchSize),
      .positive("learning_rate", learningRate), .decay("momentum", momentum),
      .weight("weight_decay", weightDecay), .weight("border_weight", borderWeight ?? 0),
      .positive("border_sigma", borderSigma), .count("border_gap", borderGap, from: 0),
      RecipeRule(
        "deep_supervision", deepSupervision, expected: "false with padding valid",
        isMet: !deepSupervision || padding == .same),
    ])
    var recipe = self
    let shape = configuration(setting, classCount: 2)
    if let tile { try shape.check(tile: tile) }
    let side = max(setting.shape.height, setting.shape.width)
    recipe.ignoreLabel = setting.ignoredLabel(ignoreLabel)
    recipe.tile = tile ?? shape.tile(covering: min(side, padding == .valid ? 388 : 512))
    return recipe
  }
}
