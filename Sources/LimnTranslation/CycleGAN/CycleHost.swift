// CycleGAN's networks and losses (Zhu, Park, Isola & Efros, ICCV 2017, arXiv:1703.10593), in one direction or both, as
// RegGAN takes them over too.

import LimnTorch
import LimnTraining

/// What sets CycleGAN and RegGAN's host apart.
struct CycleSetting {
  /// Channels of the generators at full size.
  var width: Int
  /// Their residual blocks.
  var blocks: Int
  /// Channels of the discriminators' first level.
  var discriminatorWidth: Int
  var mode: TranslationMode
  var adversarialWeight: Double
  var cycleWeight: Double
  /// Of L1(G(b), b) and its counterpart; 0: none.
  var identityWeight: Double
  /// What the discriminators' loss is multiplied by.
  var discriminatorFactor: Double
  /// Whether a discriminator gives an image the mean of its patches' scores, before the loss.
  var averagesPatches: Bool
  /// Deviation of the weights at first; nil: PyTorch's.
  var initialDeviation: Double?
}

/// Residual generators and PatchGAN discriminators, least-squares losses, cycle consistency.
final class CycleHost: TranslationHost {
  private let setting: CycleSetting
  private let toB: ResidualGenerator
  private let toA: ResidualGenerator?
  private let judgeB: PatchDiscriminator
  private let judgeA: PatchDiscriminator?

  init(_ setting: CycleSetting, _ shape: PairShape) {
    self.setting = setting
    let (a, b) = (shape.source.channels, shape.targetChannels)
    func generator(_ input: Int, _ output: Int) -> ResidualGenerator {
      ResidualGenerator(
        inputChannels: input, outputChannels: output, width: setting.width, blocks: setting.blocks)
    }
    func discriminator(_ channels: Int) -> PatchDiscriminator {
      PatchDiscriminator(inputChannels: channels, width: setting.discriminatorWidth)
    }
    toB = generator(a, b)
    toA = setting.mode.isCyclic ? generator(b, a) : nil
    judgeB = discriminator(b)
    judgeA = setting.mode.isCyclic ? discriminator(a) : nil
    if let deviation = setting.initialDeviation {
      (generators + discriminators).forEach { $0.module.drawWeights(.normal(std: deviation)) }
    }
  }

  var generators: [(name: String, module: Module)] {
    [("generator_b", toB)] + (toA.map { [("generator_a", $0)] } ?? [])
  }

  var discriminators: [(name: String, module: Module)] {
    [("discriminator_b", judgeB)] + (judgeA.map { [("discriminator_a", $0)] } ?? [])
  }

  // MARK: - The generators

  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss) {
    let fakes = draw(pair, context)
    let adversarialB = LeastSquares.real(scores(judgeB, fakes.b, context))
    var value = adversarialB * setting.adversarialWeight
    var terms = ["loss_g_b": adversarialB]
    if let toA, let judgeA, let fakeA = fakes.a {
      let adversarialA = LeastSquares.real(scores(judgeA, fakeA, context))
      let (backA, backB) = context.autocast { (toA(fakes.b), toB(fakeA)) }
      let (cycleA, cycleB) = (l1Loss(backA, pair.a), l1Loss(backB, pair.b))
      value = value + adversarialA * setting.adversarialWeight + (cycleA + cycleB) * setting.cycleWeight
      terms.merge(["loss_g_a": adversarialA, "loss_cycle_a": cycleA, "loss_cycle_b": cycleB]) { $1 }
      if setting.identityWeight > 0 {
        let identity = identity(toA, pair, context)
        value = value + identity * setting.identityWeight
        terms["loss_identity"] = identity
      }
    }
    return (fakes, TranslationLoss(value: value, terms: terms))
  }

  /// What is B already should stay as it is, and so should A (section 5.2).
  private func identity(_ toA: ResidualGenerator, _ pair: DomainPair, _ context: StepContext) -> Tensor {
    let (sameA, sameB) = context.autocast { (toA(pair.a), toB(pair.b)) }
    return l1Loss(sameA, pair.a) + l1Loss(sameB, pair.b)
  }

  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes {
    context.autocast { Fakes(b: toB(pair.a), a: toA.map { $0(pair.b) }) }
  }

  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor { toB(images) }

  // MARK: - The discriminators

  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    let lossB = told(judgeB, real: pair.b, fake: fakes.b, context)
    guard let judgeA, let fakeA = fakes.a else {
      return TranslationLoss(value: lossB, terms: ["loss_d_b": lossB])
    }
    let lossA = told(judgeA, real: pair.a, fake: fakeA, context)
    return TranslationLoss(value: lossA + lossB, terms: ["loss_d_a": lossA, "loss_d_b": lossB])
  }

  private func told(_ judge: PatchDiscriminator, real: Tensor, fake: Tensor, _ context: StepContext) -> Tensor
  {
    let (onReal, onFake) = (scores(judge, real, context), scores(judge, fake, context))
    return (LeastSquares.real(onReal) + LeastSquares.fake(onFake)) * setting.discriminatorFactor
  }

  /// Of patches, or of images, [N, 1, H, W] or [N].
  private func scores(_ judge: PatchDiscriminator, _ images: Tensor, _ context: StepContext) -> Tensor {
    let patches = context.autocast { judge(images) }
    return setting.averagesPatches ? patches.mean(dims: [1, 2, 3]) : patches
  }
}
