// "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"
// Zhu, Park, Isola & Efros, ICCV 2017, arXiv:1703.10593.
//
//   limn train cyclegan --data data/t1 --target data/flair --images 100000

import LimnTorch
import LimnTraining

/// CycleGAN.
public typealias CycleGAN = Translation<CycleGANRecipe>

/// The hyper-parameters of CycleGAN.
public struct CycleGANRecipe: TranslationRecipe {
  public var mode = TranslationMode.c
  /// Channels of the generators at full size (appendix 7.2).
  public var width = 64
  /// Residual blocks; nil: 9 from 256 pixels on, else 6 (appendix 7.2).
  public var blocks: Int?
  /// Channels of the discriminators' first level (appendix 7.2).
  public var discriminatorWidth = 64
  /// λ of cycle consistency (section 4).
  public var cycleWeight = 10.0
  /// Of G(b) = b, in units of `cycleWeight` (section 5.2).
  public var identityWeight = 0.5
  /// Whether the discriminators' loss is halved, so that they learn at half the speed (section 4).
  public var halvesDiscriminator = true
  public var batchSize = 1
  public var learningRate = 0.0002
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0
  public var schedule = TranslationSchedule.linear
  public var pool = 50
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The paper's values.
  public init() {}

  public static let about = MethodDescription(
    name: "cyclegan", title: "CycleGAN", paper: "Zhu et al., ICCV 2017, arXiv:1703.10593",
    summary:
      "Translates images of one domain into another without pairs: both directions are learned, and what goes there and "
      + "back has to be what it was.")

  public static let keys =
    sharedKeys(
      mode: "paper: c", optimizer: "paper, section 4 and its code", schedule: "paper, section 4",
      pool: "paper, section 4")
    + [
      RecipeKey("width", "channels of the generators at full size", source: "paper, appendix 7.2"),
      RecipeKey(
        "blocks", "residual blocks of the generators; null: 9 from 256 pixels on, else 6",
        source: "paper, appendix 7.2"),
      RecipeKey(
        "discriminator_width", "channels of the discriminators' first level", source: "paper, appendix 7.2"),
      RecipeKey("cycle_weight", "λ of cycle consistency", source: "paper, section 4"),
      RecipeKey(
        "identity_weight", "of G(b) = b, in units of cycle_weight; 0: none",
        source: "paper, section 5.2; its code: 0.5"),
      RecipeKey("halves_discriminator", "halve the discriminators' loss", source: "paper, section 4"),
    ]

  /// As the code: 286 pixels wide, cut to 256, mirrored.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { Jitter.spec(for: shape) }

  public func resolved(for shape: PairShape) throws -> CycleGANRecipe {
    var recipe = self
    recipe.blocks = blocks ?? (min(shape.source.height, shape.source.width) >= 256 ? 9 : 6)
    let isSame = shape.source.channels == shape.targetChannels
    try check([
      .count("width", width), .count("blocks", blocks), .count("discriminator_width", discriminatorWidth),
      .weight("cycle_weight", cycleWeight), .weight("identity_weight", identityWeight),
      RecipeRule(
        "identity_weight", identityWeight, expected: "0, since source and target differ in their channels",
        isMet: isSame || identityWeight == 0 || !mode.isCyclic),
    ])
    try shape.requireQuarters()
    return recipe
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost {
    CycleHost(
      CycleSetting(
        width: width, blocks: blocks ?? 9, discriminatorWidth: discriminatorWidth, mode: mode,
        adversarialWeight: 1,
        cycleWeight: cycleWeight, identityWeight: identityWeight * cycleWeight,
        discriminatorFactor: halvesDiscriminator ? 0.5 : 1, averagesPatches: false, initialDeviation: 0.02),
      shape)
  }
}

/// What pix2pix's and CycleGAN's codes do to training images.
enum Jitter {
  /// Enlarged by 286/256, cut somewhere, mirrored or not.
  static func spec(for shape: ImageShape) -> String {
    let factor = 286.0 / 256
    let shift = (Double(min(shape.height, shape.width)) * (factor - 1) / 2).rounded()
    return "scale:\(factor)..\(factor), shift:-\(shift)..\(shift), flip@0.5"
  }
}

extension PairShape {
  /// Two halvings and doublings have to give the size back.
  /// - Throws: `RecipeError` where they do not.
  func requireQuarters() throws {
    let (height, width) = (source.height, source.width)
    guard height % 4 == 0, width % 4 == 0, min(height, width) >= 32 else {
      throw RecipeError(
        "the dataset's images are \(width)×\(height); expected sides that are multiples of 4, 32 or more. Import with "
          + "another --size")
    }
  }
}
