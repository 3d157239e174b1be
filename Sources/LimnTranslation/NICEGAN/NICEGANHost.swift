// NICE-GAN's objective (Chen, Huang, Huang, Sun & Tan, CVPR 2020, arXiv:2003.00273, section 3): the discriminators learn
// to encode, the generators to decode.

import LimnTorch
import LimnTraining

/// What the networks are in one direction or both.
private enum NICENetworks {
  case bothWays(NICEPair)
  case oneWay(generator: NICEStandaloneGenerator, judge: NICEDiscriminator)
}

/// Generators of both domains over the discriminators' codes.
struct NICEPair {
  let toB: NICEGenerator
  let toA: NICEGenerator
  let judgeB: NICEDiscriminator
  let judgeA: NICEDiscriminator
}

/// NICE-GAN in both directions; in one a generator with an encoder of its own.
final class NICEGANHost: TranslationHost {
  private let recipe: NICEGANRecipe
  private let networks: NICENetworks
  /// The discriminators' words on a step's real images, whose codes its fakes were drawn from.
  private var verdicts: (a: NICEVerdict, b: NICEVerdict)?

  init(_ recipe: NICEGANRecipe, _ shape: PairShape) {
    self.recipe = recipe
    let (a, b) = (shape.source.channels, shape.targetChannels)
    let size = [shape.source.height, shape.source.width]
    let variant = recipe.mode.isCyclic ? .published : recipe.oneWay
    let widths = NICEGeneratorWidths(
      width: recipe.width, blocks: recipe.blocks ?? 6, isLight: recipe.light, variant: variant)
    func judge(_ channels: Int) -> NICEDiscriminator {
      NICEDiscriminator(
        inputChannels: channels, width: recipe.discriminatorWidth ?? recipe.width,
        layers: recipe.discriminatorLayers ?? 7, variant: variant)
    }
    func generator(_ channels: Int) -> NICEGenerator {
      NICEGenerator(outputChannels: channels, size: size, widths: widths)
    }
    networks =
      recipe.mode.isCyclic
      ? .bothWays(NICEPair(toB: generator(b), toA: generator(a), judgeB: judge(b), judgeA: judge(a)))
      : .oneWay(
        generator: NICEStandaloneGenerator(
          inputChannels: a, outputChannels: b, size: size, widths: widths), judge: judge(b))
  }

  var generators: [(name: String, module: Module)] {
    switch networks {
    case .bothWays(let pair): [("generator_b", pair.toB), ("generator_a", pair.toA)]
    case .oneWay(let generator, _): [("generator_b", generator)]
    }
  }

  var discriminators: [(name: String, module: Module)] {
    switch networks {
    case .bothWays(let pair): [("discriminator_b", pair.judgeB), ("discriminator_a", pair.judgeA)]
    case .oneWay(_, let judge): [("discriminator_b", judge)]
    }
  }

  var judgesFirst: Bool { recipe.judgesFirst }

  // MARK: - The generators

  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss) {
    let (fakes, terms) = context.autocast {
      switch networks {
      case .bothWays(let networks): return play(networks, pair)
      case .oneWay(let generator, let judge):
        let fake = generator(pair.a)
        return (Fakes(b: fake), ["loss_g_b": judge(fake).loss(isReal: true)])
      }
    }
    return (fakes, .weighted(terms, weight))
  }

  private func play(_ networks: NICEPair, _ pair: DomainPair) -> (Fakes, [String: Tensor]) {
    let (codeA, codeB) = (networks.judgeA.encode(pair.a), networks.judgeB.encode(pair.b))
    let (fakeB, fakeA) = (networks.toB(codeA), networks.toA(codeB))
    let (onA, onB) = (networks.judgeA(fakeA), networks.judgeB(fakeB))
    let terms = [
      "loss_g_a": onA.loss(isReal: true), "loss_g_b": onB.loss(isReal: true),
      "loss_cycle_a": l1Loss(networks.toA(onB.code), pair.a),
      "loss_cycle_b": l1Loss(networks.toB(onA.code), pair.b),
      "loss_reconstruction_a": l1Loss(networks.toA(codeA), pair.a),
      "loss_reconstruction_b": l1Loss(networks.toB(codeB), pair.b),
    ]
    return (Fakes(b: fakeB, a: fakeA), terms)
  }

  private func weight(_ term: String) -> Double {
    switch term.dropLast(2) {
    case "loss_g": recipe.adversarialWeight
    case "loss_cycle": recipe.cycleWeight
    default: recipe.reconstructionWeight
    }
  }

  /// Of both directions the real images are judged too, with gradients, since that gives their codes.
  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes {
    context.autocast {
      switch networks {
      case .bothWays(let networks):
        let verdicts = withGradients { (a: networks.judgeA(pair.a), b: networks.judgeB(pair.b)) }
        self.verdicts = verdicts
        return Fakes(b: networks.toB(verdicts.a.code), a: networks.toA(verdicts.b.code))
      case .oneWay(let generator, _): return Fakes(b: generator(pair.a))
      }
    }
  }

  // MARK: - The discriminators

  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss {
    defer { verdicts = nil }
    return context.autocast {
      func loss(_ judge: NICEDiscriminator, _ known: NICEVerdict?, _ real: Tensor, _ fake: Tensor) -> Tensor {
        (known ?? judge(real)).loss(isReal: true) + judge(fake).loss(isReal: false)
      }
      switch networks {
      case .oneWay(_, let judge):
        let terms = ["loss_d_b": loss(judge, nil, pair.b, fakes.b)]
        return .weighted(terms) { _ in recipe.adversarialWeight }
      case .bothWays(let networks):
        var terms = ["loss_d_b": loss(networks.judgeB, verdicts?.b, pair.b, fakes.b)]
        if let fakeA = fakes.a { terms["loss_d_a"] = loss(networks.judgeA, verdicts?.a, pair.a, fakeA) }
        return .weighted(terms) { _ in recipe.adversarialWeight }
      }
    }
  }

  /// The power iterations rest meanwhile.
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    switch networks {
    case .bothWays(let networks):
      return networks.judgeA.evaluating { networks.toB(networks.judgeA.encode(images)) }
    case .oneWay(let generator, _): return generator.evaluating { generator(images) }
    }
  }
}

extension Module {
  /// Runs `body` with training mode switched off.
  fileprivate func evaluating<R>(_ body: () -> R) -> R {
    let wasTraining = isTraining
    defer { train(wasTraining) }
    evaluate()
    return body()
  }
}
