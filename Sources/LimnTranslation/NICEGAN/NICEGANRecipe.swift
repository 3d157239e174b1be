// "Reusing Discriminators for Encoding: Towards Unsupervised Image-to-Image Translation"
// Chen, Huang, Huang, Sun & Tan, CVPR 2020, arXiv:2003.00273.
//
//   limn train nicegan --data data/t1 --target data/flair --images 300000

import LimnTorch
import LimnTraining

/// NICE-GAN.
public typealias NICEGAN = Translation<NICEGANRecipe>

/// The hyper-parameters of NICE-GAN.
public struct NICEGANRecipe: TranslationRecipe {
  public var mode = TranslationMode.c
  /// Channels of the generators at full size.
  public var width = 64
  /// Residual blocks of the generators; nil: 6, or 7 of RegGAN's networks.
  public var blocks: Int?
  /// Whether the generators' gains and offsets come from channel means rather than from all values.
  public var light = false
  /// Which networks modes nc and nc+r have.
  public var oneWay = NICEVariant.published
  /// Channels of the discriminators' first convolution, in both directions `width`; nil: `width`, or half of it of
  /// RegGAN's networks.
  public var discriminatorWidth: Int?
  /// Convolutions up to the global scores; nil: 7 from 96 pixels on, else 6.
  public var discriminatorLayers: Int?
  /// λ1 of the adversarial loss.
  public var adversarialWeight = 1.0
  /// λ2 of cycle consistency.
  public var cycleWeight = 10.0
  /// λ3 of what a generator makes of its own domain's codes.
  public var reconstructionWeight = 10.0
  public var batchSize = 1
  public var learningRate = 0.0001
  public var adamBeta1 = 0.5
  public var adamBeta2 = 0.999
  public var weightDecay = 0.0001
  public var schedule = TranslationSchedule.linear
  public var pool = 0
  public var registration = RegistrationRecipe()
  public var misalignment = MisalignmentRecipe()

  /// The paper's values.
  public init() {}

  public static let about = MethodDescription(
    name: "nicegan", title: "NICE-GAN", paper: "Chen et al., CVPR 2020, arXiv:2003.00273",
    summary:
      "Translates without pairs and without encoders: the first layers of each discriminator encode what the generators "
      + "decode, and only the discriminator trains them.")

  public static let keys =
    sharedKeys(
      mode: "paper: c", optimizer: "official code", schedule: "official code", pool: "official code")
    + [
      RecipeKey("width", "channels of the generators at full size", source: "official code"),
      RecipeKey(
        "blocks", "residual blocks of the generators; null: 6, or 7 of RegGAN's networks",
        source: "official code: 6; RegGAN's: 7, in all modes"),
      RecipeKey(
        "one_way",
        "networks of modes nc and nc+r: published, or reggan: 7 blocks, a narrower discriminator, edges repeated "
          + "beyond the border, as RegGAN's code has them", source: "Limn, after RegGAN's code"),
      RecipeKey(
        "light",
        "true: the generators' gains and offsets come from channel means, which saves 268 million weights at 256 pixels",
        source: "official code: false"),
      RecipeKey(
        "discriminator_width",
        "channels of the discriminators' first convolution; null: width, which both directions need, or half of it "
          + "of RegGAN's networks",
        source: "official code; RegGAN's in modes nc and nc+r: 32"),
      RecipeKey(
        "discriminator_layers",
        "convolutions up to the global scores; null: 7 from 96 pixels on, else 6", source: "official code: 7"),
      RecipeKey("adversarial_weight", "weight λ1 of the adversarial loss", source: "official code"),
      RecipeKey("cycle_weight", "weight λ2 of cycle consistency", source: "official code"),
      RecipeKey(
        "reconstruction_weight", "weight λ3 of what a generator makes of its own domain's codes",
        source: "official code"),
    ]

  /// As the code: 286 pixels wide, cut to 256, mirrored or not.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { Jitter.spec(for: shape) }

  public func resolved(for shape: PairShape) throws -> NICEGANRecipe {
    let side = min(shape.source.height, shape.source.width)
    var recipe = self
    let isReg = !mode.isCyclic && oneWay == .reggan
    recipe.blocks = blocks ?? (isReg ? 7 : 6)
    recipe.discriminatorWidth = discriminatorWidth ?? (isReg ? max(width / 2, 1) : width)
    let layers = discriminatorLayers ?? (side >= NICEDiscriminator.minimumSize(layers: 7) ? 7 : 6)
    recipe.discriminatorLayers = layers
    try check([
      .count("width", width), .count("blocks", blocks), .count("discriminator_width", discriminatorWidth),
      RecipeRule(
        "discriminator_width", discriminatorWidth ?? width,
        expected: "width, \(width), since the discriminators are the encoders in mode \(mode.rawValue)",
        isMet: !mode.isCyclic || recipe.discriminatorWidth == width),
      .count("discriminator_layers", layers, from: 6),
      .weight("adversarial_weight", adversarialWeight), .weight("cycle_weight", cycleWeight),
      .weight("reconstruction_weight", reconstructionWeight), .noPool(pool),
    ])
    try shape.requireQuarters()
    let smallest = NICEDiscriminator.minimumSize(layers: layers)
    try RecipeRule.check([
      RecipeRule(
        "discriminator_layers", layers, expected: "images of \(smallest) pixels or more; these have \(side)",
        isMet: side >= smallest)
    ])
    return recipe
  }

  public func makeHost(for shape: PairShape) -> any TranslationHost { NICEGANHost(self, shape) }
}
