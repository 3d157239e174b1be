// SkrGAN's hyper-parameters. What the paper leaves open is a key, with Limn's default and its reason.

import LimnImaging
import LimnTorch
import LimnTraining
import LimnTranslation

/// Where the latent code l comes from that multiplies the noise (the paper: "z ⊙ l", and no more).
public enum LatentCode: String, Codable, Sendable, CaseIterable {
  /// One vector, ones at first, trained with the generator.
  case learned
  /// Drawn for each image from N(1, 0.1²).
  case sampled
  /// All ones: plain PGGAN.
  case ones
}

/// How the render network trains while the sketch network grows (the paper does not say).
public enum RenderSchedule: String, Codable, Sendable, CaseIterable {
  /// On extracted sketches of full size from the beginning; on generated ones too once the sketch network is
  /// grown.
  case staged
  /// On sketches and images averaged to the present size and enlarged again.
  case cogrowing
  /// Not before the sketch network is grown.
  case frozen
}

/// The hyper-parameters of the colour-render network.
public struct RenderRecipe: Codable, Sendable, Equatable {
  /// Channels of the U-Net's outermost level (pix2pix, appendix 6.1).
  public var width = 64
  /// Channels of the PatchGAN's first layer (pix2pix, appendix 6.1.2).
  public var discriminatorWidth = 64
  /// What normalises both networks; instance statistics keep the images of a batch apart.
  public var normalization = Pix2PixNormalization.instance
  /// Images in a step, at most the sketch network's (section 3.1).
  public var batchSize = 16
  /// Adam's rate (pix2pix, section 3.3).
  public var learningRate = 0.0002
  /// Adam's β1 (pix2pix, section 3.3).
  public var adamBeta1 = 0.5
  /// Adam's β2 (pix2pix, section 3.3).
  public var adamBeta2 = 0.999
  /// λ of the L1 distance (eq. 2).
  public var l1Weight = 100.0
  /// How the render network trains while the sketch network grows.
  public var schedule = RenderSchedule.staged
  /// The weight of the adversarial term on renders of generated sketches, once these are grown; the critic
  /// then judges them too, and its verdict reaches the sketch generator.
  public var jointWeight = 0.0

  static let keys = [
    RecipeKey("width", "channels of the U-Net's outermost level", source: "pix2pix, appendix 6.1"),
    RecipeKey(
      "discriminator_width", "channels of the PatchGAN's first layer", source: "pix2pix, appendix 6.1.2"),
    RecipeKey(
      "normalization",
      "instance or batch statistics; with instance statistics an image does not depend on its "
        + "batch", source: "pix2pix trains with one image in the batch, where both are the same"),
    RecipeKey("batch_size", "images in a step, at most the sketch network's", source: "paper, section 3.1"),
    RecipeKey("learning_rate", "Adam's rate", source: "pix2pix, section 3.3"),
    RecipeKey("adam_beta1", "Adam's β1", source: "pix2pix, section 3.3"),
    RecipeKey("adam_beta2", "Adam's β2", source: "pix2pix, section 3.3"),
    RecipeKey("l1_weight", "λ of the L1 distance", source: "paper, equation 2: 100"),
    RecipeKey("schedule", "staged, cogrowing or frozen", source: "open in the paper; default: Limn"),
    RecipeKey(
      "joint_weight",
      "weight of the adversarial term on renders of generated sketches once they are grown; the critic "
        + "then judges them too, and its verdict reaches the sketch generator; 0 switches it off",
      source: "open in the paper; default: Limn"),
  ]
}

/// The hyper-parameters of SkrGAN.
public struct SkrGANRecipe: MethodRecipe, Equatable {
  /// Of the sketch network, a PGGAN (section 2.1).
  public var sketch = PGGANRecipe()
  /// Of the render network, a pix2pix (section 2.2).
  public var render = RenderRecipe()
  /// How the sketches that both networks learn from are computed (section 2.1).
  public var extractor = SketchExtractor()
  /// The code l that multiplies the noise (section 2.1).
  public var latentCode = LatentCode.learned

  /// The papers' values, and Limn's where they are silent.
  public init() {}

  public static let keys =
    [RecipeKey("latent_code", "learned, sampled or ones", source: "open in the paper; default: Limn")]
    + PGGANRecipe.keys.map { $0.nested(in: "sketch") } + RenderRecipe.keys.map { $0.nested(in: "render") }
    + extractorKeys.map { $0.nested(in: "extractor") }

  private static let extractorKeys = [
    RecipeKey("channel", "luminance, or green for fundus photographs", source: "Limn"),
    RecipeKey("kernel_size", "samples of the Gaussian, odd", source: "Limn"),
    RecipeKey("sigma", "the Gaussian's σ in pixels; null: 1 up to 256 pixels, else 2", source: "Limn"),
    RecipeKey("morphology", "none, cross, ellipse, square or area", source: "paper: opening, then closing"),
    RecipeKey("element_size", "width of the structuring element, odd", source: "Limn"),
    RecipeKey(
      "area_threshold", "pixels below which parts go, for area", source: "a public re-implementation"),
    RecipeKey(
      "connectivity", "1 for four neighbours, 2 for eight, for area", source: "a public re-implementation"),
    RecipeKey(
      "field_of_view_threshold", "leaves out the rim of a round field of view; null: none; fundus about 0.08",
      source: "Limn"),
    RecipeKey("rim_width", "pixels that the rim reaches inwards", source: "Limn"),
  ]

  /// The recipe with everything decided that depends on the images or the length of the run.
  /// - Throws: `RecipeError` if the images cannot be grown to, or a value is out of its range.
  func resolved(for setting: MethodSetting) throws -> SkrGANRecipe {
    var recipe = self
    recipe.sketch = try sketch.resolved(for: setting, group: "sketch")
    try RecipeRule.check(render.rules, group: "render")
    try RecipeRule.check(Self.rules(of: extractor), group: "extractor")
    return recipe
  }

  private static func rules(of extractor: SketchExtractor) -> [RecipeRule] {
    let threshold = extractor.fieldOfViewThreshold ?? 0
    return [
      .odd("kernel_size", extractor.kernelSize), .positive("sigma", extractor.sigma ?? 1),
      .odd("element_size", extractor.elementSize), .count("area_threshold", extractor.areaThreshold, from: 0),
      RecipeRule(
        "connectivity", extractor.connectivity, expected: "1 or 2",
        isMet: [1, 2].contains(extractor.connectivity)),
      RecipeRule(
        "field_of_view_threshold", threshold, expected: "a number from 0 to 1",
        isMet: (0...1).contains(threshold)),
      .count("rim_width", extractor.rimWidth, from: 0),
    ]
  }
}

extension RenderRecipe {
  fileprivate var rules: [RecipeRule] {
    [
      .count("width", width), .count("discriminator_width", discriminatorWidth),
      .count("batch_size", batchSize), .positive("learning_rate", learningRate),
      .decay("adam_beta1", adamBeta1), .decay("adam_beta2", adamBeta2), .weight("l1_weight", l1Weight),
      .weight("joint_weight", jointWeight),
    ]
  }
}

extension RecipeRule {
  /// The width of a filter that has a middle.
  fileprivate static func odd(_ key: String, _ value: Int) -> RecipeRule {
    RecipeRule(key, value, expected: "an odd number, 1 or more", isMet: value > 0 && value % 2 == 1)
  }
}
