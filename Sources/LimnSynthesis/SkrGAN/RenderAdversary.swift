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
  private let size: Int

  init(recipe: RenderRecipe, shape: ImageShape) {
    (self.recipe, size) = (recipe, shape.height)
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

  /// Products of a step for each of its images: a pass forward and two back for the U-Net, eight for the
  /// PatchGAN.
  var products: Double { 3 * generator.products + 8 * discriminator.products(size: size) }

  /// One update of the critic, then what the generators are to lower: adversarial + λ L1, and the joint term.
  /// The caller runs backward and lets the optimisers step.
  /// - Parameters:
  ///   - sketches: extracted, [N, 1, S, S].
  ///   - images: theirs, [N, C, S, S].
  ///   - drawn: generated sketches [M, 1, S, S] with a graph to the sketch generator. The critic learns to
  ///     tell their renders too, and the render network to convince it; nil: no joint term.
  ///   - context: the training step's number, generators and precision.
  /// - Returns: the objective, and its terms by name, not yet read from the device.
  func objective(
    sketches: Tensor, images: Tensor, drawn: Tensor?, context: StepContext
  ) -> (loss: Tensor, terms: [String: Tensor]) {
    let rendered = RenderedPair(sketches: sketches, images: render(sketches, purpose: 5, context))
    let joint = drawn.map { RenderedPair(sketches: $0, images: render($0, purpose: 6, context)) }
    let real = RenderedPair(sketches: sketches, images: images)
    let lossD = updateDiscriminator(
      real: real, rendered: rendered.detached, joint: joint?.detached, context)
    discriminator.requireGradients(false)
    defer { discriminator.requireGradients(true) }
    generatorOptimizer.zeroGradients()
    let adversarial = Pix2PixLoss.adversarial(judge(rendered, context), isReal: true)
    let l1 = l1Loss(rendered.images, images)
    var loss = adversarial + l1 * recipe.l1Weight
    var terms = ["loss_render_d": lossD, "loss_render_g": adversarial, "loss_render_l1": l1]
    if let joint {
      let verdict = Pix2PixLoss.adversarial(judge(joint, context), isReal: true)
      loss = loss + verdict * recipe.jointWeight
      terms["loss_render_joint"] = verdict
    }
    return (loss, terms.mapValues { $0.detached() })
  }

  /// The renders of generated sketches count as fakes beside those of extracted ones, in the proportion
  /// w : 1 of their weights in the generator's objective.
  private func updateDiscriminator(
    real: RenderedPair, rendered: RenderedPair, joint: RenderedPair?, _ context: StepContext
  ) -> Tensor {
    discriminatorOptimizer.zeroGradients()
    let onReal = judge(real, context)
    var loss = Pix2PixLoss.discriminator(real: onReal, fake: judge(rendered, context))
    if let joint {
      let onJoint = Pix2PixLoss.discriminator(real: onReal, fake: judge(joint, context))
      loss = (loss + onJoint * recipe.jointWeight) / (1 + recipe.jointWeight)
    }
    loss.backward()
    discriminatorOptimizer.step()
    return loss.detached()
  }

  private func render(_ sketches: Tensor, purpose: UInt64, _ context: StepContext) -> Tensor {
    context.autocast { generator(sketches, noise: context.generator(purpose)) }
  }

  private func judge(_ pair: RenderedPair, _ context: StepContext) -> Tensor {
    context.autocast { discriminator(condition: pair.sketches, image: pair.images) }
  }
}

/// What the critic judges: sketches [N, 1, S, S] and images [N, C, S, S].
private struct RenderedPair {
  let sketches: Tensor
  let images: Tensor

  /// Without a graph.
  var detached: RenderedPair { RenderedPair(sketches: sketches.detached(), images: images.detached()) }
}
