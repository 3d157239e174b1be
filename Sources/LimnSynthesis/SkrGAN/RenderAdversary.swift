// The colour-render network and its critic: pix2pix from sketch to image (SkrGAN, section 2.2).

import LimnTorch
import LimnTraining
import LimnTranslation

/// U-Net, PatchGAN on (sketch, image), and their optimisers.
final class RenderAdversary {
  let generator: UNetGenerator
  let discriminator: PatchGANDiscriminator
  let generatorOptimizer: Adam
  let discriminatorOptimizer: Adam
  let recipe: RenderRecipe

  init(recipe: RenderRecipe, shape: ImageShape) {
    self.recipe = recipe
    generator = UNetGenerator(
      inputChannels: 1, outputChannels: shape.channels, size: shape.height, width: recipe.width,
      normalization: recipe.normalization)
    discriminator = PatchGANDiscriminator(
      inputChannels: 1 + shape.channels, width: recipe.discriminatorWidth, normalization: recipe.normalization
    )
    let betas = (recipe.adamBeta1, recipe.adamBeta2)
    generatorOptimizer = Adam(generator.namedParameters, learningRate: recipe.learningRate, betas: betas)
    discriminatorOptimizer = Adam(
      discriminator.namedParameters, learningRate: recipe.learningRate, betas: betas)
  }

  /// One update of the critic, then one of the render network.
  /// - Parameters:
  ///   - sketches: extracted, [N, 1, S, S].
  ///   - images: theirs, [N, C, S, S].
  ///   - drawn: generated sketches [M, 1, S, S] with a graph to the sketch generator; their renders must
  ///     convince the critic too. Backward then reaches the sketch generator, whose optimiser is the
  ///     caller's.
  ///   - context: the training step's number, generators and precision.
  /// - Returns: the losses by name, not yet read from the device.
  func step(sketches: Tensor, images: Tensor, drawn: Tensor?, context: StepContext) -> [String: Tensor] {
    let fakes = context.autocast { generator(sketches, noise: context.generator(5)) }
    let lossD = updateDiscriminator(sketches: sketches, images: images, fakes: fakes.detached(), context)
    discriminator.requireGradients(false)
    defer { discriminator.requireGradients(true) }
    generatorOptimizer.zeroGradients()
    let onFake = context.autocast { discriminator(condition: sketches, image: fakes) }
    let adversarial = Pix2PixLoss.adversarial(onFake, isReal: true)
    let l1 = l1Loss(fakes, images)
    var loss = adversarial + l1 * recipe.l1Weight
    if let drawn { loss = loss + jointLoss(drawn, context) * recipe.jointWeight }
    loss.backward()
    generatorOptimizer.step()
    return [
      "loss_render_d": lossD, "loss_render_g": adversarial.detached(), "loss_render_l1": l1.detached(),
    ]
  }

  private func updateDiscriminator(
    sketches: Tensor, images: Tensor, fakes: Tensor, _ context: StepContext
  ) -> Tensor {
    discriminatorOptimizer.zeroGradients()
    let (real, fake) = context.autocast {
      (discriminator(condition: sketches, image: images), discriminator(condition: sketches, image: fakes))
    }
    let loss = Pix2PixLoss.discriminator(real: real, fake: fake)
    loss.backward()
    discriminatorOptimizer.step()
    return loss.detached()
  }

  private func jointLoss(_ drawn: Tensor, _ context: StepContext) -> Tensor {
    let verdict = context.autocast {
      discriminator(condition: drawn, image: generator(drawn, noise: context.generator(6)))
    }
    return Pix2PixLoss.adversarial(verdict, isReal: true)
  }
}
