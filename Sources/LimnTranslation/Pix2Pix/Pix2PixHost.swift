// pix2pix's objective over its two generators (Isola, Zhu, Zhou & Efros, CVPR 2017, arXiv:1611.07004, section 3).

import LimnTorch
import LimnTraining

/// A generator from A to B, a discriminator of pairs, and the L1 distance to the pair's B.
final class Pix2PixHost: TranslationHost {
  private let recipe: Pix2PixRecipe
  private let generator: Pix2PixPainter
  private let discriminator: Pix2PixJudge
  private let l1Weight: Double

  init(_ recipe: Pix2PixRecipe, _ shape: PairShape) {
    self.recipe = recipe
    let (a, b) = (shape.source.channels, shape.targetChannels)
    l1Weight = recipe.decidedL1Weight
    switch recipe.generator {
    case .unet:
      generator = .unet(
        UNetGenerator(
          inputChannels: a, outputChannels: b, size: shape.source.height, width: recipe.width,
          normalization: recipe.normalization))
    case .resnet:
      generator = .residual(
        ResidualGenerator(
          inputChannels: a, outputChannels: b, width: recipe.width, blocks: recipe.blocks ?? 9))
    }
    switch recipe.normalization {
    case .batch:
      discriminator = .batch(PatchGANDiscriminator(inputChannels: a + b, width: recipe.discriminatorWidth))
    case .instance:
      discriminator = .instance(PatchDiscriminator(inputChannels: a + b, width: recipe.discriminatorWidth))
    }
    if recipe.initialization == .normal { drawPlainNetworks() }
  }

  /// The U-Net and its PatchGAN are made so.
  private func drawPlainNetworks() {
    if case .residual(let network) = generator { network.drawWeights(.smallNormal) }
    if case .instance(let network) = discriminator { network.drawWeights(.smallNormal) }
  }

  var generators: [(name: String, module: Module)] { [("generator_b", generator.module)] }
  var discriminators: [(name: String, module: Module)] { [("discriminator_b", discriminator.module)] }

  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss) {
    let fakes = draw(pair, context)
    let adversarial = loss(scores(pair.a, fakes.b, context), isReal: true)
    let l1 = l1Loss(fakes.b, pair.b)
    let value = adversarial * recipe.adversarialWeight + l1 * l1Weight
    return (fakes, TranslationLoss(value: value, terms: ["loss_g_b": adversarial, "loss_l1": l1]))
  }

  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes {
    Fakes(b: context.autocast { generator(pair.a, noise: context.generator(5)) })
  }

  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    let value =
      (loss(scores(pair.a, pair.b, context), isReal: true)
        + loss(scores(pair.a, fakes.b, context), isReal: false))
      * (recipe.halvesDiscriminator ? 0.5 : 1)
    return TranslationLoss(value: value, terms: ["loss_d_b": value])
  }

  private func scores(_ condition: Tensor, _ image: Tensor, _ context: StepContext) -> Tensor {
    let patches = context.autocast { discriminator(condition, image) }
    return recipe.averagesPatches ? patches.mean(dims: [1, 2, 3]) : patches
  }

  private func loss(_ scores: Tensor, isReal: Bool) -> Tensor {
    switch recipe.loss {
    case .gan: Pix2PixLoss.adversarial(scores, isReal: isReal)
    case .lsgan: isReal ? LeastSquares.real(scores) : LeastSquares.fake(scores)
    }
  }

  /// Dropout stays on, as in the paper, and draws what the seed says.
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    guard case .random(let seed) = style else { return generator(images, noise: nil) }
    // Batch statistics would make an image depend on its neighbours.
    return .cat(
      (0..<images.size(0)).map {
        generator(images[$0..<$0 + 1], noise: Generator(seed: seed, device: images.device))
      })
  }
}

/// Either generator.
private enum Pix2PixPainter {
  case unet(UNetGenerator)
  case residual(ResidualGenerator)

  var module: Module {
    switch self {
    case .unet(let network): network
    case .residual(let network): network
    }
  }

  func callAsFunction(_ x: Tensor, noise: Generator?) -> Tensor {
    switch self {
    case .unet(let network): network(x, noise: noise)
    case .residual(let network): network(x)
    }
  }
}

/// Either discriminator of (condition, image).
private enum Pix2PixJudge {
  case batch(PatchGANDiscriminator)
  case instance(PatchDiscriminator)

  var module: Module {
    switch self {
    case .batch(let network): network
    case .instance(let network): network
    }
  }

  func callAsFunction(_ condition: Tensor, _ image: Tensor) -> Tensor {
    switch self {
    case .batch(let network): network(condition: condition, image: image)
    case .instance(let network): network(.cat([condition, image], dim: 1))
    }
  }
}
