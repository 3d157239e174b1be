// Image-to-image translation as one mechanism: a host's networks and losses, one direction or both, with or without
// registration (RegGAN: Kong et al., NeurIPS 2021, arXiv:2110.06465).

import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// A method that translates images of one domain into another.
public protocol TranslationMethod: Method {
  /// What it translates between.
  var pairShape: PairShape { get }
  /// Whether translations have styles to choose from.
  var hasStyles: Bool { get }
  /// The network that registers images of the target's domain; nil of modes without one.
  var registration: RegistrationNetwork? { get }
  /// The displacement [1, 2, H, W] in pixels that takes back how far a generator with registration has drifted, for images
  /// of a size; nil of modes without registration.
  func recentring(size: [Int]) -> Tensor?

  /// A as B, without gradients: [N, C, H, W] → [N, C′, H, W], both in [−1, 1].
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor
}

/// The translation method that a recipe describes.
public final class Translation<Recipe: TranslationRecipe>: TranslationMethod {
  /// Its name, paper and purpose.
  public static var about: MethodDescription { Recipe.about }

  public static func defaultAugmentation(for shape: ImageShape) -> String? {
    Recipe.defaultAugmentation(for: shape)
  }

  /// With everything decided that depends on the images.
  public let recipe: Recipe
  public let pairShape: PairShape
  let host: any TranslationHost
  let registrar: Registrar?
  private let pools: [(name: String, module: ImagePool)]
  private let generatorOptimizer: Adam
  private let discriminatorOptimizer: Adam
  private let setting: MethodSetting

  /// Builds fresh networks for the images of `setting`.
  /// - Throws: `RecipeError` if there are no target images, or a value does not fit.
  public init(recipe: Recipe, setting: MethodSetting) throws {
    let shape = try setting.pairShape
    let recipe = try recipe.resolved(for: shape)
    (self.recipe, self.setting, pairShape) = (recipe, setting, shape)
    let host = recipe.makeHost(for: shape)
    self.host = host
    let registrar = recipe.mode.registers ? Registrar(recipe: recipe.registration, shape: shape) : nil
    self.registrar = registrar
    pools = Self.pools(recipe, shape)
    func optimizer(_ modules: [(name: String, module: Module)]) -> Adam {
      let parameters = modules.flatMap { entry in
        entry.module.namedParameters.map { ("\(entry.name).\($0.key)", $0.parameter) }
      }
      return Adam(
        parameters, learningRate: recipe.learningRate, betas: (recipe.adamBeta1, recipe.adamBeta2),
        weightDecay: recipe.weightDecay)
    }
    generatorOptimizer = optimizer(
      host.generators + (registrar.map { [("registration", $0.network)] } ?? []))
    discriminatorOptimizer = optimizer(host.discriminators)
  }

  private static func pools(_ recipe: Recipe, _ shape: PairShape) -> [(name: String, module: ImagePool)] {
    let (height, width) = (shape.source.height, shape.source.width)
    guard recipe.pool > 0, !(recipe.mode == .ncR && recipe.registration.freshFakes) else { return [] }
    let domains =
      [("pool_b", shape.targetChannels)] + (recipe.mode.isCyclic ? [("pool_a", shape.source.channels)] : [])
    return domains.map { ($0.0, ImagePool(capacity: recipe.pool, shape: [$0.1, height, width])) }
  }

  public var networks: [(name: String, module: Module)] {
    host.generators + host.discriminators
      + (registrar.map { [("registration", $0.network), ("drift", $0.drift)] } ?? [])
      + pools.map { ($0.name, $0.module) }
  }

  public var optimizers: [(name: String, optimizer: any Optimizer)] {
    [("generators", generatorOptimizer), ("discriminators", discriminatorOptimizer)]
  }

  /// How full the pools are, which fill alike.
  public var counters: [String: Double] {
    get { pools.isEmpty ? [:] : ["pooled": Double(pools[0].module.filled)] }
    set { pools.forEach { $0.module.filled = Int(newValue["pooled"] ?? 0) } }
  }

  public func batchSize(imagesSeen: Int) -> Int { recipe.batchSize }

  public var trainingLayers: TrainingLayers { TrainingLayers(stored: ["targets"]) }

  // MARK: - The step

  public func step(_ context: StepContext) -> [String: Tensor] {
    let rate = recipe.learningRate * pace(context)
    (generatorOptimizer.learningRate, discriminatorOptimizer.learningRate) = (rate, rate)
    guard let targets = context.layers["targets"] else {
      preconditionFailure("a translation's step takes targets")
    }
    let pair = recipe.misalignment(DomainPair(a: context.images, b: targets), context)
    var terms: [String: Tensor] = [:]
    if host.judgesFirst {
      let fakes = withoutGradients { host.draw(pair, context) }
      terms = updateDiscriminators(pair, fakes, context)
    }
    let (fakes, own) = updateGenerators(pair, context)
    terms.merge(own) { _, new in new }
    if !host.judgesFirst {
      terms.merge(updateDiscriminators(pair, shown(fakes, pair, context), context)) { _, new in new }
    }
    return terms.mapValues { $0.detached() }
  }

  /// The learning rate as a factor of the recipe's.
  private func pace(_ context: StepContext) -> Double {
    recipe.schedule.factor(images: context.imagesSeen, of: setting.totalImages)
  }

  private func updateGenerators(_ pair: DomainPair, _ context: StepContext) -> (Fakes, [String: Tensor]) {
    host.discriminators.forEach { $0.module.requireGradients(false) }
    defer { host.discriminators.forEach { $0.module.requireGradients(true) } }
    var (fakes, loss) = host.play(pair, context)
    if let registrar {
      let own = registrar.loss(fake: fakes.b, real: pair.b, context, pace: pace(context))
      loss = TranslationLoss(value: loss.value + own.value, terms: loss.terms.merging(own.terms) { $1 })
    }
    fakes = fakes.detached
    generatorOptimizer.zeroGradients()
    loss.value.backward()
    generatorOptimizer.step()
    return (fakes, loss.terms)
  }

  /// What the discriminators see of a step's fakes.
  private func shown(_ fakes: Fakes, _ pair: DomainPair, _ context: StepContext) -> Fakes {
    guard !(recipe.mode == .ncR && recipe.registration.freshFakes) else {
      return withoutGradients { host.draw(pair, context) }
    }
    func pooled(_ name: String, _ images: Tensor, _ purpose: UInt64) -> Tensor {
      guard let pool = pools.first(where: { $0.name == name }) else { return images }
      return withoutGradients { pool.module(images, context.generator(purpose, on: .cpu)) }
    }
    return Fakes(b: pooled("pool_b", fakes.b, 31), a: fakes.a.map { pooled("pool_a", $0, 32) })
  }

  private func updateDiscriminators(
    _ pair: DomainPair, _ fakes: Fakes, _ context: StepContext
  ) -> [String: Tensor] {
    let loss = host.judge(pair, fakes, context)
    discriminatorOptimizer.zeroGradients()
    loss.value.backward()
    discriminatorOptimizer.step()
    return loss.terms
  }

  // MARK: - What it has learned

  public var hasStyles: Bool { host.hasStyles }
  public var registration: RegistrationNetwork? { registrar?.network }
  public func recentring(size: [Int]) -> Tensor? { registrar?.drift.displacement(size: size) }

  public func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    withoutGradients { host.translate(images, style) }
  }

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  public func examine(_ heldOut: [TrainingBatch]) -> Examination {
    TranslationExamination(method: self).examine(heldOut)
  }
}

extension MethodSetting {
  /// What a translation method translates between.
  /// - Throws: `RecipeError` of a dataset without target images.
  fileprivate var pairShape: PairShape {
    get throws {
      guard targets != nil || layers?.contains("targets") ?? true else {
        throw RecipeError(
          "the dataset has no target images; import both modalities with 'limn import A --pair B', or give a dataset "
            + "of the other domain with --target")
      }
      return PairShape(source: shape, targetChannels: targets?.channels ?? shape.channels)
    }
  }
}
