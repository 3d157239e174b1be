// MUNIT's objective over its two auto-encoders (Huang, Liu, Belongie & Kautz, ECCV 2018, arXiv:1804.04732, section 3);
// in one direction the terms that RegGAN's code keeps.

import LimnTorch
import LimnTraining

/// An auto-encoder of content and style for each domain, discriminators at several scales; images, contents and styles
/// have to be found again.
final class MUNITHost: TranslationHost {
  private let recipe: MUNITRecipe
  private let autoEncoderA: StyleAutoEncoder
  private let autoEncoderB: StyleAutoEncoder
  private let judges: MultiscaleJudges

  init(_ recipe: MUNITRecipe, _ shape: PairShape) {
    self.recipe = recipe
    func autoEncoder(_ channels: Int) -> StyleAutoEncoder {
      StyleAutoEncoder(
        channels: channels, widths: ContentWidths(width: recipe.width, blocks: recipe.blocks),
        styles: recipe.styles, hidden: recipe.hidden)
    }
    (autoEncoderA, autoEncoderB) = (autoEncoder(shape.source.channels), autoEncoder(shape.targetChannels))
    judges = MultiscaleJudges(
      recipe.discriminator, shape, mode: recipe.mode, weight: recipe.adversarialWeight)
  }

  var generators: [(name: String, module: Module)] {
    [("autoencoder_a", autoEncoderA), ("autoencoder_b", autoEncoderB)]
  }
  var discriminators: [(name: String, module: Module)] { judges.named }
  var judgesFirst: Bool { recipe.judgesFirst }
  var hasStyles: Bool { true }

  /// Random styles of both domains, [N, styles, 1, 1].
  struct Styles {
    let a: Tensor
    let b: Tensor
  }

  private func styles(_ pair: DomainPair, _ context: StepContext, _ purpose: UInt64) -> Styles {
    Styles(
      a: autoEncoderA.randomStyles(pair.b.size(0), context.generator(purpose)),
      b: autoEncoderB.randomStyles(pair.a.size(0), context.generator(purpose + 1)))
  }

  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss) {
    play(pair, context, styles(pair, context, 11))
  }

  func play(
    _ pair: DomainPair, _ context: StepContext, _ styles: Styles
  ) -> (fakes: Fakes, loss: TranslationLoss) {
    let (fakes, parts) = context.autocast {
      let (contentA, contentB) = (autoEncoderA.content(pair.a), autoEncoderB.content(pair.b))
      let (ownA, ownB) = (autoEncoderA.style(pair.a), autoEncoderB.style(pair.b))
      let fakeB = autoEncoderB.decode(contentA, style: styles.b)
      let fakeA = autoEncoderA.decode(contentB, style: styles.a)
      let contentAgainA = autoEncoderB.content(fakeB)
      var terms = [
        "loss_reconstruction_a": l1Loss(autoEncoderA.decode(contentA, style: ownA), pair.a),
        "loss_reconstruction_b": l1Loss(autoEncoderB.decode(contentB, style: ownB), pair.b),
        "loss_style_a": l1Loss(autoEncoderA.style(fakeA), styles.a),
        "loss_content_a": l1Loss(contentAgainA, contentA),
      ]
      if recipe.cycleWeight > 0 {
        terms["loss_cycle_a"] = l1Loss(autoEncoderA.decode(contentAgainA, style: ownA), pair.a)
      }
      guard recipe.mode.isCyclic else { return (Fakes(b: fakeB), terms) }
      let contentAgainB = autoEncoderA.content(fakeA)
      terms["loss_style_b"] = l1Loss(autoEncoderB.style(fakeB), styles.b)
      terms["loss_content_b"] = l1Loss(contentAgainB, contentB)
      if recipe.cycleWeight > 0 {
        terms["loss_cycle_b"] = l1Loss(autoEncoderB.decode(contentAgainB, style: ownB), pair.b)
      }
      return (Fakes(b: fakeB, a: fakeA), terms)
    }
    let terms = parts.merging(judges.adversarial(fakes, context)) { $1 }
    return (fakes, .weighted(terms, weight))
  }

  private func weight(_ term: String) -> Double {
    switch term.dropLast(2) {
    case "loss_g":
      recipe.adversarialWeight * (recipe.tenfoldAdversarial && recipe.mode == .ncR ? 10 : 1)
    case "loss_reconstruction": recipe.reconstructionWeight
    case "loss_style": recipe.styleWeight
    case "loss_content": recipe.contentWeight
    default: recipe.cycleWeight
    }
  }

  /// In styles of their own; where the discriminators learn second, in those of the generators' update.
  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes {
    let styles = styles(pair, context, judgesFirst ? 21 : 11)
    return context.autocast {
      let fakeB = autoEncoderB.decode(autoEncoderA.content(pair.a), style: styles.b)
      guard recipe.mode.isCyclic else { return Fakes(b: fakeB) }
      return Fakes(b: fakeB, a: autoEncoderA.decode(autoEncoderB.content(pair.b), style: styles.a))
    }
  }

  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    judges.loss(pair, fakes, context)
  }

  /// All images in one random style, or each in the style of an image of the target's domain.
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    let code =
      switch style {
      case .random(let seed): autoEncoderB.randomStyles(1, Generator(seed: seed, device: images.device))
      case .like(let examples): autoEncoderB.style(examples)
      }
    let styles = code.expanded([images.size(0), -1, -1, -1])
    return autoEncoderB.decode(autoEncoderA.content(images), style: styles)
  }
}
