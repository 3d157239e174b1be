// "Multimodal Unsupervised Image-to-Image Translation"
// Huang, Liu, Belongie & Kautz, ECCV 2018, arXiv:1804.04732.
//
//   limn train munit --data data/t1 --target data/flair --images 100000

import LimnTorch
import LimnTraining

/// MUNIT.
public typealias MUNIT = Translation<MUNITRecipe>

/// The hyper-parameters of MUNIT.
public struct MUNITRecipe: TranslationRecipe {
  public var mode = TranslationMode.c
  /// Channels of the auto-encoders at full size (appendix B).
  public var width = 64
  /// Residual blocks of each content encoder and decoder (appendix B).
  public var blocks = 4
  /// Numbers of a style (appendix B).
  public var styles = 8
  /// Neurons of each layer between a style and what it sets.
  public var hidden = 256
  public var discriminator = MultiscaleRecipe()
  /// Of the adversarial loss.
  public var adversarialWeight = 1.0
  /// Whether RegGAN's factor of ten stands before the adversarial loss of mode nc+r.
  public var tenfoldAdversarial = false
  /// λ_x of what an auto-encoder makes of its own domain's images (appendix B).
  public var reconstructionWeight = 10.0
  /// λ_s of styles that are found again (appendix B).
  public var styleWeight = 1.0
  /// λ_c of contents that are found again (appendix B).
  public var contentWeight = 1.0
  /// Of what comes back from the other domain in its own style; 0: none.
  public var cycleWeight = 0.0
  public var batchSize = 1
  public var learningRate = 0.0001
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0001
  public var schedule = TranslationSchedule.halving
  public var pool = 0
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The paper's values.
  public init() {}

  public static let about = MethodDescription(
    name: "munit", title: "MUNIT", paper: "Huang, Liu, Belongie & Kautz, ECCV 2018, arXiv:1804.04732",
    summary:
      "Translates without pairs into one of many styles: what is shown and how it looks are separate codes, and looks "
      + "are drawn by chance or taken from an image.")

  public static let keys =
    sharedKeys(
      mode: "paper: c", optimizer: "paper, appendix B, and its code", schedule: "paper, appendix B",
      pool: "official code")
    + [
      RecipeKey("width", "channels of the auto-encoders at full size", source: "paper, appendix B"),
      RecipeKey(
        "blocks", "residual blocks of each content encoder and each decoder", source: "paper, appendix B"),
      RecipeKey("styles", "numbers of a style", source: "paper, appendix B"),
      RecipeKey(
        "hidden", "neurons of each layer between a style and what it sets", source: "official code"),
      RecipeKey("adversarial_weight", "weight of the adversarial loss", source: "paper, appendix B"),
      RecipeKey(
        "tenfold_adversarial",
        "true: the generators' adversarial loss of mode nc+r counts ten times as much, as RegGAN's code has it",
        source: "RegGAN: false"),
      RecipeKey(
        "reconstruction_weight", "weight λ_x of what an auto-encoder makes of its own domain's images",
        source: "paper, appendix B"),
      RecipeKey(
        "style_weight", "weight λ_s of styles that are found again", source: "paper, appendix B"),
      RecipeKey(
        "content_weight", "weight λ_c of contents that are found again", source: "paper, appendix B"),
      RecipeKey(
        "cycle_weight", "weight of what comes back from the other domain in its own style; 0: none",
        source: "official code: 0, or 10"),
    ] + MultiscaleRecipe.keys

  /// As the code: mirrored or not.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { "flip@0.5" }

  public func resolved(for shape: PairShape) throws -> MUNITRecipe {
    try check([
      .count("width", width), .count("blocks", blocks), .count("styles", styles), .count("hidden", hidden),
      .weight("adversarial_weight", adversarialWeight),
      .weight("reconstruction_weight", reconstructionWeight), .weight("style_weight", styleWeight),
      .weight("content_weight", contentWeight), .weight("cycle_weight", cycleWeight), .noPool(pool),
    ])
    try shape.requireQuarters()
    try discriminator.check(for: shape)
    return self
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost { MUNITHost(self, shape) }
}
