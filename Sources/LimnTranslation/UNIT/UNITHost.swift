// UNIT's objective over its two auto-encoders (Liu, Breuel & Kautz, NeurIPS 2017, arXiv:1703.00848, section 3), with the
// terms of its authors' later code; in one direction those that RegGAN's code keeps.

import LimnTorch
import LimnTraining

/// An auto-encoder for each domain, discriminators at several scales, reconstruction, divergence of the codes, cycles.
final class UNITHost: TranslationHost {
  private let recipe: UNITRecipe
  private let autoEncoderA: VariationalAutoEncoder
  private let autoEncoderB: VariationalAutoEncoder
  private let judges: MultiscaleJudges

  init(_ recipe: UNITRecipe, _ shape: PairShape) {
    self.recipe = recipe
    let widths = ContentWidths(width: recipe.width, blocks: recipe.blocks)
    autoEncoderA = VariationalAutoEncoder(channels: shape.source.channels, widths: widths)
    autoEncoderB = VariationalAutoEncoder(channels: shape.targetChannels, widths: widths)
    judges = MultiscaleJudges(
      recipe.discriminator, shape, mode: recipe.mode, weight: recipe.adversarialWeight)
  }

  var generators: [(name: String, module: Module)] {
    [("autoencoder_a", autoEncoderA), ("autoencoder_b", autoEncoderB)]
  }
  var discriminators: [(name: String, module: Module)] { judges.named }
  var judgesFirst: Bool { recipe.judgesFirst }

  /// N(0, 1) of a shape, for one of the codes.
  typealias Noise = (_ code: UInt64, _ shape: [Int]) -> Tensor

  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss) {
    play(pair, context) { .randn($1, generator: context.generator(11 + $0)) }
  }

  /// - Parameters:
  ///   - pair: the real images.
  ///   - context: of the step.
  ///   - noise: of the code of a (0), of b (1), of a (2) and of b (3) on their way back.
  /// - Returns: the fakes, and what the auto-encoders lower.
  func play(
    _ pair: DomainPair, _ context: StepContext, noise: Noise
  ) -> (fakes: Fakes, loss: TranslationLoss) {
    func noisy(_ code: Tensor, _ number: UInt64) -> Tensor { code + noise(number, code.shape) }
    let (fakes, parts) = context.autocast {
      let (codeA, codeB) = (autoEncoderA.encode(pair.a), autoEncoderB.encode(pair.b))
      let (drawnA, drawnB) = (noisy(codeA, 0), noisy(codeB, 1))
      var terms = [
        "loss_reconstruction_a": l1Loss(autoEncoderA.decode(drawnA), pair.a),
        "loss_reconstruction_b": l1Loss(autoEncoderB.decode(drawnB), pair.b),
        "loss_divergence_a": codeA.square().mean(), "loss_divergence_b": codeB.square().mean(),
      ]
      let fakeB = autoEncoderB.decode(drawnA)
      let backA = autoEncoderB.encode(fakeB)
      terms["loss_cycle_a"] = l1Loss(autoEncoderA.decode(noisy(backA, 2)), pair.a)
      terms["loss_cycle_divergence_a"] = backA.square().mean()
      guard recipe.mode.isCyclic else { return (Fakes(b: fakeB), terms) }
      let fakeA = autoEncoderA.decode(drawnB)
      let backB = autoEncoderA.encode(fakeA)
      terms["loss_cycle_b"] = l1Loss(autoEncoderB.decode(noisy(backB, 3)), pair.b)
      terms["loss_cycle_divergence_b"] = backB.square().mean()
      return (Fakes(b: fakeB, a: fakeA), terms)
    }
    let terms = parts.merging(judges.adversarial(fakes, context)) { $1 }
    return (fakes, .weighted(terms, weight))
  }

  private func weight(_ term: String) -> Double {
    switch term.dropLast(2) {
    case "loss_g": recipe.adversarialWeight
    case "loss_reconstruction": recipe.reconstructionWeight
    case "loss_divergence": recipe.divergenceWeight
    case "loss_cycle": recipe.cycleWeight
    default: recipe.cycleDivergenceWeight
    }
  }

  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes {
    func noisy(_ code: Tensor, _ purpose: UInt64) -> Tensor {
      code + .randn(code.shape, generator: context.generator(purpose))
    }
    return context.autocast {
      let fakeB = autoEncoderB.decode(noisy(autoEncoderA.encode(pair.a), 21))
      guard recipe.mode.isCyclic else { return Fakes(b: fakeB) }
      return Fakes(b: fakeB, a: autoEncoderA.decode(noisy(autoEncoderB.encode(pair.b), 22)))
    }
  }

  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    judges.loss(pair, fakes, context)
  }

  /// Without noise, as the official code draws.
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    autoEncoderB.decode(autoEncoderA.encode(images))
  }
}
