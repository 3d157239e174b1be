// "Image-to-Image Translation with Conditional Adversarial Networks"
// Isola, Zhu, Zhou & Efros, CVPR 2017, arXiv:1611.07004.
//
//   limn train pix2pix --data data/t1-flair --images 100000

import LimnTorch
import LimnTraining

/// pix2pix.
public typealias Pix2Pix = Translation<Pix2PixRecipe>

/// Which network paints.
public enum Pix2PixGenerator: String, Codable, Sendable, CaseIterable {
  /// The paper's U-Net, with dropout as its noise; square images, a power of two wide.
  case unet
  /// CycleGAN's residual network; sides that are multiples of 4.
  case resnet
}

/// Which adversarial loss is played.
public enum Pix2PixAdversary: String, Codable, Sendable, CaseIterable {
  /// Binary cross-entropy.
  case gan
  /// Least squares.
  case lsgan
}

/// How weights begin.
public enum TranslationInitialization: String, Codable, Sendable, CaseIterable {
  /// N(0, 0.02²), biases 0.
  case normal
  /// PyTorch's uniform distribution.
  case torch
}

/// The hyper-parameters of pix2pix.
public struct Pix2PixRecipe: TranslationRecipe {
  public var mode = TranslationMode.nc
  public var generator = Pix2PixGenerator.unet
  /// Channels of the generator at full size (appendix 6.1).
  public var width = 64
  /// Residual blocks of the residual generator; nil: 9 from 256 pixels on, else 6.
  public var blocks: Int?
  /// Channels of the discriminator's first level (appendix 6.1.2).
  public var discriminatorWidth = 64
  public var normalization = Pix2PixNormalization.batch
  public var initialization = TranslationInitialization.normal
  public var loss = Pix2PixAdversary.gan
  /// Whether the discriminator gives a pair the mean of its patches' scores, before the loss.
  public var averagesPatches = false
  /// Whether the discriminator's loss is halved (section 3.3).
  public var halvesDiscriminator = true
  public var adversarialWeight = 1.0
  /// λ of L1; nil: 100 (section 3.1), and 0 with registration, whose correction takes its place.
  public var l1Weight: Double?
  public var batchSize = 1
  public var learningRate = 0.0002
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0
  public var schedule = TranslationSchedule.linear
  public var pool = 0
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The paper's values.
  public init() {}

  public static let about = MethodDescription(
    name: "pix2pix", title: "pix2pix", paper: "Isola et al., CVPR 2017, arXiv:1611.07004",
    summary:
      "Translates images of one domain into another from pairs that align to the pixel: a discriminator of pairs, and the "
      + "distance to the target.")

  public static let keys =
    sharedKeys(
      mode: "paper: nc", optimizer: "paper, section 3.3", schedule: "the authors' PyTorch code",
      pool: "the authors' PyTorch code")
    + [
      RecipeKey(
        "generator", "unet (squares of a power of two) or resnet (sides of multiples of 4)",
        source: "paper, section 3.2.1; the authors' PyTorch code"),
      RecipeKey("width", "channels of the generator at full size", source: "paper, appendix 6.1"),
      RecipeKey(
        "blocks", "residual blocks of resnet; null: 9 from 256 pixels on, else 6",
        source: "CycleGAN, appendix 7.2"),
      RecipeKey(
        "discriminator_width", "channels of the discriminator's first level", source: "paper, appendix 6.1.2"),
      RecipeKey(
        "normalization", "batch or instance statistics; resnet always has the latter",
        source: "paper, appendix 6.1: batch"),
      RecipeKey(
        "initialization",
        "normal (deviation 0.02) or torch; unet and its discriminator always begin with the former",
        source: "paper, appendix 6.2"),
      RecipeKey("loss", "gan (cross-entropy) or lsgan (least squares)", source: "paper, equation 1"),
      RecipeKey(
        "averages_patches", "judge the mean of the patches' scores instead of each",
        source: "RegGAN's code: true"),
      RecipeKey("halves_discriminator", "halve the discriminator's loss", source: "paper, section 3.3"),
      RecipeKey("adversarial_weight", "weight of the adversarial loss", source: "paper, equation 4"),
      RecipeKey(
        "l1_weight", "λ of the L1 distance to the target; null: 100, and 0 in mode nc+r",
        source: "paper, equation 4; with registration: Limn"),
    ]

  /// As the code: 286 pixels wide, cut to 256, mirrored.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { Jitter.spec(for: shape) }

  /// λ where nothing else was chosen.
  var decidedL1Weight: Double { l1Weight ?? (mode.registers ? 0 : 100) }

  public func resolved(for shape: PairShape) throws -> Pix2PixRecipe {
    var recipe = self
    let (height, width) = (shape.source.height, shape.source.width)
    recipe.blocks = blocks ?? (min(height, width) >= 256 ? 9 : 6)
    recipe.l1Weight = decidedL1Weight
    try check(
      [
        .count("width", self.width), .count("blocks", blocks),
        .count("discriminator_width", discriminatorWidth),
        .weight("adversarial_weight", adversarialWeight), .weight("l1_weight", l1Weight ?? 0),
      ], modes: [.nc, .ncR])
    let isPower = height == width && height.nonzeroBitCount == 1 && height >= 32
    guard generator != .unet || isPower else {
      throw RecipeError(
        "the dataset's images are \(width)×\(height); pix2pix's U-Net needs squares of a power of two from 32. Import "
          + "with another --size, or --set generator=resnet")
    }
    try shape.requireQuarters()
    return recipe
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost { Pix2PixHost(self, shape) }
}
