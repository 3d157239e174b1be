// PGGAN's hyper-parameters, with the values of the paper and of its official code.

import LimnTorch
import LimnTraining

/// Which adversarial loss the critic and the generator play.
public enum AdversarialLoss: String, Codable, Sendable, CaseIterable {
  /// Wasserstein with gradient penalty and drift (Gulrajani et al. 2017; Karras et al. 2018, appendix A.1).
  case wganGP = "wgan-gp"
  /// Binary cross-entropy, non-saturating for the generator (Goodfellow et al. 2014, §3).
  case gan
}

/// The hyper-parameters of PGGAN.
public struct PGGANRecipe: MethodRecipe, Equatable {
  /// Channels at scale s are min(`widthBase` / 2^s, `widthMax`) (table 2).
  public var widthBase = 8192
  /// The widest layer (table 2).
  public var widthMax = 512
  /// The length of z (appendix A.1).
  public var latentSize = 512
  /// The first resolution.
  public var firstResolution = 4
  /// Nil: 600,000, or less where the run is too short for that.
  public var stabiliseImages: Int?
  /// Images over which the next resolution fades in; nil as for `stabiliseImages`.
  public var fadeImages: Int?
  /// For 4, 8, 16, … pixels; the last one counts for all above.
  public var batchSizes = [128, 128, 128, 64, 32, 16, 8, 4, 4]
  /// Adam's rate for 4, 8, 16, … pixels; the last one counts for all above.
  public var learningRates = [0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.0015]
  /// Adam's β1 (appendix A.1).
  public var adamBeta1 = 0.0
  /// Adam's β2 (appendix A.1).
  public var adamBeta2 = 0.99
  /// The adversarial loss (appendix A.1).
  public var loss = AdversarialLoss.wganGP
  /// λ of (‖∇D‖ − 1)² (WGAN-GP, section 4).
  public var gradientPenalty = 10.0
  /// ε of ε·D(real)² (appendix A.1).
  public var drift = 0.001
  /// Whether the gradient's norm is taken on images enlarged to the final size, as the official graph does;
  /// nil: in runs of the paper's length. There the critic's slope must reach final / present size before the
  /// penalty rests, for which a short run has no time.
  public var penaltyAtFinalSize: Bool?
  /// The decay of the generator's moving average, for each step (appendix A.1).
  public var averageDecay = 0.999

  /// The paper's values.
  public init() {}

  public static let keys = [
    RecipeKey(
      "width_base", "channels at scale s are min(width_base / 2^s, width_max)", source: "paper, table 2"),
    RecipeKey("width_max", "the widest layer", source: "paper, table 2"),
    RecipeKey("latent_size", "length of the latent vector", source: "paper, appendix A.1"),
    RecipeKey("first_resolution", "pixels along a side where growing begins", source: "paper, section 2"),
    RecipeKey(
      "stabilise_images",
      "images for which a resolution trains alone; null: 600000, scaled down so that a shorter "
        + "run is fully grown after 70 % of its images", source: "paper, appendix A.1; scaling: Limn"),
    RecipeKey(
      "fade_images", "images over which the next resolution fades in; null: as above", source: "as above"),
    RecipeKey("batch_sizes", "images in a step at 4, 8, 16, … pixels", source: "official code, one GPU"),
    RecipeKey("learning_rates", "Adam's rate at 4, 8, 16, … pixels", source: "official code, one GPU"),
    RecipeKey("adam_beta1", "Adam's β1", source: "paper, appendix A.1"),
    RecipeKey("adam_beta2", "Adam's β2", source: "paper, appendix A.1"),
    RecipeKey("loss", "wgan-gp or gan", source: "paper, appendix A.1"),
    RecipeKey("gradient_penalty", "weight λ of (‖∇D‖ − 1)²", source: "WGAN-GP, section 4"),
    RecipeKey("drift", "weight of D(real)²", source: "paper, appendix A.1"),
    RecipeKey(
      "penalty_at_final_size",
      "take the gradient's norm on images enlarged to the final size; null: true where the "
        + "phases have the paper's length, else false, since the critic then has no time to become so steep",
      source: "official code; short runs: Limn"),
    RecipeKey(
      "average_decay", "decay of the generator's moving average, for each step", source: "paper, appendix A.1"
    ),
  ]

  /// The recipe with the lengths of the phases decided for a run.
  /// - Parameters:
  ///   - setting: the images, and how many the run will see.
  ///   - group: the group of keys that this recipe is in another one; nil: it stands alone.
  /// - Returns: the recipe without null.
  /// - Throws: `RecipeError` if the images cannot be grown to, or a value is out of its range.
  func resolved(for setting: MethodSetting, group: String? = nil) throws -> PGGANRecipe {
    let resolution = setting.shape.height
    guard setting.shape.width == resolution, resolution.nonzeroBitCount == 1, (4...1024).contains(resolution)
    else {
      throw RecipeError(
        "the dataset's images are \(setting.shape.width)×\(resolution); a growing GAN needs squares of a power of "
          + "two from 4 to 1024. Import with --size \(nearestPowerOfTwo(resolution))")
    }
    try RecipeRule.check(rules(resolution: resolution), group: group)
    let growths = growthStages(resolution: resolution) - growthStages(resolution: firstResolution)
    let affordable = growths == 0 ? 0 : setting.totalImages * 7 / 10 / (2 * growths)
    var recipe = self
    recipe.stabiliseImages = stabiliseImages ?? min(600_000, affordable)
    recipe.fadeImages = fadeImages ?? min(600_000, affordable)
    recipe.penaltyAtFinalSize = penaltyAtFinalSize ?? (recipe.stabiliseImages == 600_000)
    return recipe
  }

  private func rules(resolution: Int) -> [RecipeRule] {
    let fits = firstResolution.nonzeroBitCount == 1 && (4...resolution).contains(firstResolution)
    let groups = batchSizes.allSatisfy { $0 > 0 && ($0 < 4 || $0 % 4 == 0) }
    return [
      .count("width_base", widthBase, from: resolution / 2), .count("width_max", widthMax),
      .count("latent_size", latentSize),
      RecipeRule(
        "first_resolution", firstResolution, expected: "a power of two from 4 to \(resolution)", isMet: fits),
      .count("stabilise_images", stabiliseImages, from: 0), .count("fade_images", fadeImages, from: 0),
      RecipeRule(
        "batch_sizes", batchSizes, expected: "1, 2, 3 or multiples of 4 (the minibatch statistic's groups)",
        isMet: groups && !batchSizes.isEmpty),
      RecipeRule(
        "learning_rates", learningRates, expected: "numbers above 0",
        isMet: learningRates.allSatisfy { $0 > 0 && $0.isFinite } && !learningRates.isEmpty),
      .decay("adam_beta1", adamBeta1), .decay("adam_beta2", adamBeta2),
      .weight("gradient_penalty", gradientPenalty), .weight("drift", drift),
      .decay("average_decay", averageDecay),
    ]
  }

  var width: PGGANWidth { PGGANWidth(base: widthBase, max: widthMax) }

  func schedule(resolution: Int) -> PGGANSchedule {
    PGGANSchedule(
      firstStage: growthStages(resolution: firstResolution), lastStage: growthStages(resolution: resolution),
      stabiliseImages: stabiliseImages ?? 600_000, fadeImages: fadeImages ?? 600_000)
  }

  func batchSize(stage: Int) -> Int { batchSizes[min(stage, batchSizes.count - 1)] }
  func learningRate(stage: Int) -> Double { learningRates[min(stage, learningRates.count - 1)] }
}

func nearestPowerOfTwo(_ value: Int) -> Int {
  [4, 8, 16, 32, 64, 128, 256, 512, 1024].min { abs($0 - value) < abs($1 - value) } ?? 256
}
