// The keys that UNIT's and MUNIT's discriminators share.

import LimnTorch
import LimnTraining

/// The sizes of a discriminator at several scales.
public struct MultiscaleRecipe: Codable, Sendable, Equatable {
  /// Channels of the first level at each scale.
  public var width = 64
  /// Halvings at each scale.
  public var levels = 4
  /// Full size, half, quarter …
  public var scales = 3

  /// The official code's values.
  public init() {}

  static let keys = [
    RecipeKey("width", "channels of the discriminators' first level at each scale", source: "official code"),
    RecipeKey("levels", "halvings at each scale", source: "official code"),
    RecipeKey("scales", "how many scales judge: full size, half, quarter …", source: "official code"),
  ].map { $0.nested(in: "discriminator") }

  /// - Throws: `RecipeError` for a value out of its range, or scales that images are too small for.
  func check(for shape: PairShape) throws {
    try RecipeRule.check(
      [.count("width", width), .count("levels", levels), .count("scales", scales)], group: "discriminator")
    let side = min(shape.source.height, shape.source.width)
    let fitting = (1...scales).last {
      MultiscaleDiscriminator.minimumSize(levels: levels, scales: $0) <= side
    }
    try RecipeRule.check(
      [
        RecipeRule(
          "scales", scales,
          expected: fitting.map { "\($0) or fewer, for images of \(side) pixels" }
            ?? "images of more than \(side) pixels, or fewer levels",
          isMet: fitting == scales)
      ], group: "discriminator")
  }

  /// A fresh network for images of so many channels, drawn as published.
  func discriminator(channels: Int) -> MultiscaleDiscriminator {
    let network = MultiscaleDiscriminator(
      inputChannels: channels, width: width, levels: levels, scales: scales)
    network.drawWeights(.smallNormal)
    return network
  }
}

/// The discriminators of a host, of one domain or both.
struct MultiscaleJudges {
  let b: MultiscaleDiscriminator
  let a: MultiscaleDiscriminator?
  private let weight: Double

  init(_ recipe: MultiscaleRecipe, _ shape: PairShape, mode: TranslationMode, weight: Double) {
    b = recipe.discriminator(channels: shape.targetChannels)
    a = mode.isCyclic ? recipe.discriminator(channels: shape.source.channels) : nil
    self.weight = weight
  }

  var named: [(name: String, module: Module)] {
    [("discriminator_b", b)] + (a.map { [("discriminator_a", $0)] } ?? [])
  }

  /// How far fakes are from being taken for real: `loss_g_b`, and `loss_g_a` of both directions.
  func adversarial(_ fakes: Fakes, _ context: StepContext) -> [String: Tensor] {
    context.autocast {
      var terms = ["loss_g_b": b.loss(fakes.b, isReal: true)]
      if let a, let fake = fakes.a { terms["loss_g_a"] = a.loss(fake, isReal: true) }
      return terms
    }
  }

  /// What the discriminators lower.
  func loss(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    context.autocast {
      var terms = ["loss_d_b": b.loss(pair.b, isReal: true) + b.loss(fakes.b, isReal: false)]
      if let a, let fake = fakes.a {
        terms["loss_d_a"] = a.loss(pair.a, isReal: true) + a.loss(fake, isReal: false)
      }
      return .weighted(terms) { _ in weight }
    }
  }
}
