// The keys that all translation methods share: mode, registration, misalignment on demand, optimiser.

import LimnImaging
import LimnTorch
import LimnTraining

/// The hyper-parameters of registration (RegGAN, equations 3 to 6).
public struct RegistrationRecipe: Codable, Sendable, Equatable {
  /// Of L1(warp(G(a), R(G(a), b)), b) (equation 5).
  public var correction = 20.0
  /// Of the displacements' roughness (equation 6).
  public var smoothness = 10.0
  /// Of L1(G(a), b), which keeps the generator from drifting where displacements are free to follow it.
  public var anchor = 0.0
  /// Of the square of the displacements' running mean in pixels², which does the same.
  public var meanFlow = 0.0
  /// Channels of the registration network's finest level.
  public var width = 32
  /// Whether the discriminator of NC+R is shown fakes drawn anew after the generator's update, as the code does.
  public var freshFakes = false

  /// The paper's values.
  public init() {}

  static let keys = [
    RecipeKey("correction", "weight of the L1 distance after registration", source: "RegGAN, its code: 20"),
    RecipeKey("smoothness", "weight of the displacements' roughness", source: "RegGAN, its code: 10"),
    RecipeKey(
      "anchor", "weight of the L1 distance before registration, against drift; 0: none", source: "Limn"),
    RecipeKey(
      "mean_flow", "weight of the displacements' running mean, squared, in pixels, against drift; 0: none",
      source: "Limn"),
    RecipeKey("width", "channels of the registration network's finest level", source: "RegGAN's code"),
    RecipeKey(
      "fresh_fakes",
      "true: in nc+r the discriminator sees fakes drawn again after the generator's update, and no pool, as "
        + "RegGAN's code has it", source: "RegGAN: false"),
  ].map { $0.nested(in: "registration") }

  func check() throws {
    try RecipeRule.check(
      [
        .weight("correction", correction), .weight("smoothness", smoothness), .weight("anchor", anchor),
        .weight("mean_flow", meanFlow), .count("width", width),
      ], group: "registration")
  }
}

/// Noise that is put on training pairs, to measure what it does (RegGAN, section 4).
public struct MisalignmentRecipe: Codable, Sendable, Equatable {
  public var kind = Misalignment.Kind.affine
  /// 0: none.
  public var level = 0

  /// None.
  public init() {}

  static let keys = [
    RecipeKey(
      "kind", "affine (turn, shift and scale) or elastic, for each image of a pair by itself",
      source: "RegGAN, section 4; strength of elastic: Limn"),
    RecipeKey(
      "level", "0 (none) to 5, put on training pairs to see what it does", source: "RegGAN, section 4"),
  ].map { $0.nested(in: "misalignment") }

  func check() throws {
    let levels = Misalignment.levels
    try RecipeRule.check(
      [
        RecipeRule(
          "level", level, expected: "\(levels.lowerBound) to \(levels.upperBound)",
          isMet: levels.contains(level))
      ], group: "misalignment")
  }

  /// A pair moved as the step's generators say.
  func callAsFunction(_ pair: DomainPair, _ context: StepContext) -> DomainPair {
    guard level > 0 else { return pair }
    let noise = Misalignment(kind: kind, level: level)
    return DomainPair(
      a: noise(pair.a, generator: context.generator(41, on: .cpu)),
      b: noise(pair.b, generator: context.generator(42, on: .cpu)))
  }
}

/// What a translation method's recipe has besides its own keys, and what it makes of them.
public protocol TranslationRecipe: MethodRecipe, Equatable {
  var mode: TranslationMode { get }
  var registration: RegistrationRecipe { get }
  var misalignment: MisalignmentRecipe { get }
  var batchSize: Int { get }
  var learningRate: Double { get }
  var adamBeta1: Double { get }
  var adamBeta2: Double { get }
  var weightDecay: Double { get }
  var schedule: TranslationSchedule { get }
  /// Earlier fakes of each domain that the discriminators are shown; 0: none.
  var pool: Int { get }

  /// The method's name on the command line and where it comes from.
  static var about: MethodDescription { get }

  /// How batches are augmented where a run does not say otherwise, as `--augment` takes it.
  static func defaultAugmentation(for shape: ImageShape) -> String?

  /// The recipe with everything decided that depends on the images.
  /// - Throws: `RecipeError` for a value that does not fit.
  func resolved(for shape: PairShape) throws -> Self

  /// Fresh networks for a recipe that is resolved.
  func makeHost(for shape: PairShape) -> any TranslationHost
}

extension TranslationRecipe {
  public static func defaultAugmentation(for shape: ImageShape) -> String? { nil }

  /// The keys that every such recipe has, with the sources of its defaults.
  static func sharedKeys(mode: String, optimizer: String, schedule: String, pool: String) -> [RecipeKey] {
    [
      RecipeKey(
        "mode",
        "nc: from A to B alone; c: both directions with cycle consistency; nc+r, c+r: the same with a registration "
          + "network, for pairs that do not align", source: mode),
      RecipeKey("batch_size", "images of each domain in a step", source: optimizer),
      RecipeKey("learning_rate", "Adam's rate", source: optimizer),
      RecipeKey("adam_beta1", "Adam's β1", source: optimizer),
      RecipeKey("adam_beta2", "Adam's β2", source: optimizer),
      RecipeKey("weight_decay", "added to the gradient", source: optimizer),
      RecipeKey(
        "schedule",
        "constant, linear (to 0 in the second half of the run) or halving (after each tenth of it)",
        source: schedule),
      RecipeKey(
        "pool", "earlier fakes of a domain from which the discriminator is shown half; 0: none", source: pool),
    ] + RegistrationRecipe.keys + MisalignmentRecipe.keys
  }

  /// - Parameters:
  ///   - own: rules of the method's own keys.
  ///   - modes: those that the host has.
  /// - Throws: `RecipeError` for the first value that is not as expected.
  func check(_ own: [RecipeRule], modes: [TranslationMode] = TranslationMode.allCases) throws {
    let names = modes.map(\.rawValue).joined(separator: ", ")
    try RecipeRule.check(
      [
        RecipeRule("mode", mode.rawValue, expected: names, isMet: modes.contains(mode)),
        .count("batch_size", batchSize), .positive("learning_rate", learningRate),
        .decay("adam_beta1", adamBeta1), .decay("adam_beta2", adamBeta2),
        .weight("weight_decay", weightDecay),
        .count("pool", pool, from: 0),
      ] + own)
    try registration.check()
    try misalignment.check()
  }
}
