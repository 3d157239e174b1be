// A growing generator and its critic, and one step of their game (Karras et al. 2018). PGGAN plays it with
// images, SkrGAN with sketches.

import LimnTorch
import LimnTraining

/// A generator that grows.
public protocol GrowingGenerator: Module {
  var latentSize: Int { get }
  /// [N, latent] → [N, nf(1), 4, 4].
  func features(of z: Tensor) -> Tensor
  /// [N, nf(1), 4, 4] → [N, channels, R, R] with R = `growth.resolution`.
  func image(of features: Tensor, growth: PGGANGrowth) -> Tensor
}

extension GrowingGenerator {
  /// z: [N, latent] → [N, channels, R, R].
  func callAsFunction(_ z: Tensor, growth: PGGANGrowth) -> Tensor {
    image(of: features(of: z), growth: growth)
  }
}

extension PGGANGenerator: GrowingGenerator {}

/// Generator, critic, the generator's moving average, and both optimisers.
final class GrowingAdversary<Generator: GrowingGenerator> {
  let generator: Generator
  let discriminator: PGGANDiscriminator
  let average: ExponentialMovingAverage<Generator>
  let generatorOptimizer: Adam
  let discriminatorOptimizer: Adam
  let recipe: PGGANRecipe
  let schedule: PGGANSchedule
  /// The phase the optimisers are in: twice the stage, plus one while it fades in. −1 before the first step.
  var phase = -1

  init(recipe: PGGANRecipe, shape: ImageShape, makeGenerator: () -> Generator) throws {
    (generator, self.recipe) = (makeGenerator(), recipe)
    schedule = recipe.schedule(resolution: shape.height)
    discriminator = PGGANDiscriminator(
      resolution: shape.height, channels: shape.channels, width: recipe.width)
    average = try ExponentialMovingAverage(of: generator, in: makeGenerator())
    let betas = (recipe.adamBeta1, recipe.adamBeta2)
    generatorOptimizer = Adam(generator.namedParameters, betas: betas, epsilon: 1e-8)
    discriminatorOptimizer = Adam(discriminator.namedParameters, betas: betas, epsilon: 1e-8)
  }

  /// One update of the critic and of the average, then one of the generator.
  /// - Parameters:
  ///   - images: reals at full size, [N, C, R, R] in [−1, 1].
  ///   - context: the training step's number, generators and precision.
  ///   - addition: a further term of the generator's objective, of the images it has drawn, [N, C, r, r].
  /// - Returns: the losses by name, not yet read from the device.
  func step(
    _ images: Tensor, context: StepContext, adding addition: ((Tensor) -> Tensor)? = nil
  ) -> [String: Tensor] {
    let growth = schedule.growth(images: context.imagesSeen)
    enter(growth)
    let reals = presented(images, at: growth)
    var losses = updateDiscriminator(reals, growth, context)
    average.update(decay: recipe.averageDecay)
    losses["loss_g"] = updateGenerator(count: images.size(0), growth, context, addition)
    losses["growth_resolution"] = Tensor(Float(growth.resolution))
    losses["growth_alpha"] = Tensor(Float(growth.alpha))
    return losses
  }

  /// Products of a step for each of its images: about eighteen passes through a network of either kind, four
  /// of them for the generator, six for the critic's verdicts, six for the penalty's two derivatives and two
  /// for what the generator learns from.
  func products(stage: Int) -> Double { 18 * recipe.width.products(stage: stage) }

  /// Adam's moments are forgotten whenever a fade begins or ends, and the rate follows the resolution.
  private func enter(_ growth: PGGANGrowth) {
    let next = growth.stage * 2 + (growth.alpha < 1 ? 1 : 0)
    if next != phase {
      generatorOptimizer.reset()
      discriminatorOptimizer.reset()
      phase = next
    }
    generatorOptimizer.learningRate = recipe.learningRate(stage: growth.stage)
    discriminatorOptimizer.learningRate = recipe.learningRate(stage: growth.stage)
  }

  /// Reals at the present resolution, faded as the fakes are.
  private func presented(_ images: Tensor, at growth: PGGANGrowth) -> Tensor {
    let factor = images.size(3) / growth.resolution
    let reals = factor > 1 ? avgPool2d(images, factor) : images
    guard growth.alpha < 1 else { return reals }
    return Tensor.lerp(interpolate(avgPool2d(reals, 2), scale: 2), reals, weight: growth.alpha)
  }

  private func latents(_ count: Int, _ context: StepContext, purpose: UInt64) -> Tensor {
    Tensor.randn([count, generator.latentSize], generator: context.generator(purpose))
  }

  // MARK: - The critic

  private func updateDiscriminator(
    _ reals: Tensor, _ growth: PGGANGrowth, _ context: StepContext
  ) -> [String: Tensor] {
    let z = latents(reals.size(0), context, purpose: 1)
    let fakes = withoutGradients { context.autocast { generator(z, growth: growth).to(.float32) } }
    let u = Tensor.rand([reals.size(0), 1, 1, 1], generator: context.generator(2))
    discriminatorOptimizer.zeroGradients()
    let (loss, terms) = discriminatorLoss(
      reals: reals, fakes: fakes, mixing: u, growth: growth, context: context)
    loss.backward()
    discriminatorOptimizer.step()
    return terms.merging(["loss_d": loss]) { $1 }.mapValues { $0.detached() }
  }

  /// L_D with its terms, each a mean over the batch.
  func discriminatorLoss(
    reals: Tensor, fakes: Tensor, mixing u: Tensor, growth: PGGANGrowth, context: StepContext
  ) -> (loss: Tensor, terms: [String: Tensor]) {
    let both = context.autocast { discriminator(Tensor.cat([reals, fakes]), growth: growth, sets: 2) }
    let (real, fake) = (both[0..<reals.size(0)], both[reals.size(0)...])
    switch recipe.loss {
    case .gan:
      let onReal = binaryCrossEntropyWithLogits(real, real.onesLike())
      let onFake = binaryCrossEntropyWithLogits(fake, fake.zerosLike())
      return (onReal + onFake, ["critic_real": real.mean(), "critic_fake": fake.mean()])
    case .wganGP:
      // L_D = D(fake) − D(real) + λ (‖∇D(x̂)‖ − 1)² + ε D(real)²
      let penalty = gradientPenalty(reals: reals, fakes: fakes, mixing: u, growth: growth, context: context)
      let drift = real.square().mean() * recipe.drift
      let loss = fake.mean() - real.mean() + penalty + drift
      return (
        loss,
        ["critic_real": real.mean(), "critic_fake": fake.mean(), "penalty": penalty, "penalty_drift": drift]
      )
    }
  }

  /// λ · mean((‖∇D(x̂)‖ − 1)²) with x̂ = real + u (fake − real) for each sample.
  private func gradientPenalty(
    reals: Tensor, fakes: Tensor, mixing u: Tensor, growth: PGGANGrowth, context: StepContext
  ) -> Tensor {
    let mixed = Tensor.lerp(reals, fakes, weight: u).detached()
    mixed.requiresGrad = true
    let critic = context.autocast { discriminator(mixed, growth: growth) }
    let gradient = grad(of: [critic.sum()], with: [mixed], createGraph: true)[0]
    var norm = gradient.to(.float32).square().sum(dims: [1, 2, 3]).sqrt()
    if recipe.penaltyAtFinalSize ?? true { norm = norm / Double(1 << (schedule.lastStage - growth.stage)) }
    return (norm - 1).square().mean() * recipe.gradientPenalty
  }

  // MARK: - The generator

  private func updateGenerator(
    count: Int, _ growth: PGGANGrowth, _ context: StepContext, _ addition: ((Tensor) -> Tensor)?
  ) -> Tensor {
    let z = latents(count, context, purpose: 3)
    discriminator.requireGradients(false)
    defer { discriminator.requireGradients(true) }
    generatorOptimizer.zeroGradients()
    let drawn = context.autocast { generator(z, growth: growth) }
    let loss = generatorLoss(drawn, growth: growth, context: context)
    (addition.map { loss + $0(drawn) } ?? loss).backward()
    generatorOptimizer.step()
    return loss.detached()
  }

  /// L_G = −D(G(z)), or the non-saturating cross-entropy, of drawn images [N, C, r, r].
  func generatorLoss(_ drawn: Tensor, growth: PGGANGrowth, context: StepContext) -> Tensor {
    let critic = context.autocast { discriminator(drawn, growth: growth) }
    switch recipe.loss {
    case .wganGP: return -critic.mean()
    case .gan: return binaryCrossEntropyWithLogits(critic, critic.onesLike())
    }
  }
}
