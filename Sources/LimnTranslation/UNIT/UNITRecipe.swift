// "Unsupervised Image-to-Image Translation Networks"
// Liu, Breuel & Kautz, NeurIPS 2017, arXiv:1703.00848.
//
//   limn train unit --data data/t1 --target data/flair --images 100000
//
// With the networks and settings of its authors' later code, which RegGAN's study uses too.

import LimnTorch
import LimnTraining

/// UNIT.
public typealias UNIT = Translation<UNITRecipe>

/// The hyper-parameters of UNIT.
public struct UNITRecipe: TranslationRecipe {
  public var mode = TranslationMode.c
  /// Channels of the auto-encoders at full size.
  public var width = 64
  /// Residual blocks of each encoder and decoder.
  public var blocks = 4
  public var discriminator = MultiscaleRecipe()
  /// Of the adversarial loss.
  public var adversarialWeight = 1.0
  /// Of what an auto-encoder makes of its own domain's images.
  public var reconstructionWeight = 10.0
  /// Of the codes' divergence from N(0, 1).
  public var divergenceWeight = 0.01
  /// Of what comes back from the other domain.
  public var cycleWeight = 10.0
  /// Of the divergence of the codes on the way back.
  public var cycleDivergenceWeight = 0.01
  public var batchSize = 1
  public var learningRate = 0.0001
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0001
  public var schedule = TranslationSchedule.halving
  public var pool = 0
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The official code's values.
  public init() {}

  public static let about = MethodDescription(
    name: "unit", title: "UNIT", paper: "Liu, Breuel & Kautz, NeurIPS 2017, arXiv:1703.00848",
    summary:
      "Translates without pairs: an auto-encoder for each domain, whose codes mean the same in both, so that what one "
      + "encodes the other can decode.")

  public static let keys =
    sharedKeys(
      mode: "paper: c", optimizer: "official code", schedule: "official code", pool: "official code")
    + [
      RecipeKey("width", "channels of the auto-encoders at full size", source: "official code"),
      RecipeKey("blocks", "residual blocks of each encoder and each decoder", source: "official code"),
      RecipeKey("adversarial_weight", "weight of the adversarial loss", source: "official code"),
      RecipeKey(
        "reconstruction_weight", "weight of what an auto-encoder makes of its own domain's images",
        source: "official code"),
      RecipeKey(
        "divergence_weight", "weight of the codes' divergence from N(0, 1): their mean square",
        source: "official code"),
      RecipeKey("cycle_weight", "weight of what comes back from the other domain", source: "official code"),
      RecipeKey(
        "cycle_divergence_weight", "weight of the divergence of the codes on the way back",
        source: "official code"),
    ] + MultiscaleRecipe.keys

  /// As the code: mirrored or not.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { "flip@0.5" }

  public func resolved(for shape: PairShape) throws -> UNITRecipe {
    try check([
      .count("width", width), .count("blocks", blocks), .weight("adversarial_weight", adversarialWeight),
      .weight("reconstruction_weight", reconstructionWeight), .weight("divergence_weight", divergenceWeight),
      .weight("cycle_weight", cycleWeight), .weight("cycle_divergence_weight", cycleDivergenceWeight),
      .noPool(pool),
    ])
    try shape.requireQuarters()
    try discriminator.check(for: shape)
    return self
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost { UNITHost(self, shape) }
}
