// "Breaking the Dilemma of Medical Image-to-image Translation"
// Kong, Lian, Huang, Li, Hu & Zhou, NeurIPS 2021, arXiv:2110.06465.
//
//   limn train reggan --data data/t1-flair --images 100000
//   limn train reggan --data data/t1-flair --images 100000 --set mode=c

import LimnTorch
import LimnTraining

/// RegGAN: CycleGAN's networks in one direction, with registration.
public typealias RegGAN = Translation<RegGANRecipe>

/// The hyper-parameters of RegGAN and its study's modes over CycleGAN's networks.
public struct RegGANRecipe: TranslationRecipe {
  public var mode = TranslationMode.ncR
  /// Channels of the generators at full size.
  public var width = 64
  /// Residual blocks of the generators.
  public var blocks = 9
  /// Channels of the discriminators' first level.
  public var discriminatorWidth = 64
  /// Of the adversarial loss.
  public var adversarialWeight = 1.0
  /// Of cycle consistency, in modes c and c+r.
  public var cycleWeight = 10.0
  public var batchSize = 1
  public var learningRate = 0.0001
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0
  public var schedule = TranslationSchedule.constant
  public var pool = 50
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The paper's values.
  public init() {}

  public static let about = MethodDescription(
    name: "reggan", title: "RegGAN", paper: "Kong et al., NeurIPS 2021, arXiv:2110.06465",
    summary:
      "Translates from pairs that do not align: a registration network, trained together with the generator, takes up "
      + "the misalignment as if it were noise in the labels.")

  public static let keys =
    sharedKeys(
      mode: "paper: nc+r", optimizer: "its code", schedule: "its code", pool: "its code")
    + [
      RecipeKey("width", "channels of the generators at full size", source: "its code"),
      RecipeKey("blocks", "residual blocks of the generators", source: "its code"),
      RecipeKey("discriminator_width", "channels of the discriminators' first level", source: "its code"),
      RecipeKey("adversarial_weight", "weight of the adversarial loss", source: "its code"),
      RecipeKey("cycle_weight", "weight of cycle consistency, in modes c and c+r", source: "its code"),
    ]

  public func resolved(for shape: PairShape) throws -> RegGANRecipe {
    try check([
      .count("width", width), .count("blocks", blocks), .count("discriminator_width", discriminatorWidth),
      .weight("adversarial_weight", adversarialWeight), .weight("cycle_weight", cycleWeight),
    ])
    try shape.requireQuarters()
    return self
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost {
    CycleHost(
      CycleSetting(
        width: width, blocks: blocks, discriminatorWidth: discriminatorWidth, mode: mode,
        adversarialWeight: adversarialWeight, cycleWeight: cycleWeight, identityWeight: 0,
        discriminatorFactor: 1,
        averagesPatches: true, initialDeviation: nil), shape)
  }
}
