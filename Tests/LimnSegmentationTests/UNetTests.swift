// The published U-Net: sizes, parameters, gradients.

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

@Suite struct UNetTests {
  private func configuration(_ change: (inout UNetConfiguration) -> Void = { _ in }) -> UNetConfiguration {
    var configuration = UNetConfiguration(inputChannels: 1, classCount: 2)
    change(&configuration)
    return configuration
  }

  private func parameters(_ configuration: UNetConfiguration) -> Int { UNet(configuration).parameterCount }

  @Test func theNetworkHasThePublishedNumbers() {
    #expect(parameters(configuration()) == 31_030_658)
    #expect(parameters(configuration { $0.variant = .released }) == 31_100_354)
    #expect(configuration().margin == 92)
    #expect(configuration().smallestTile == 188)
    #expect(configuration().widths == [64, 128, 256, 512, 1024])
  }

  @Test func tilesOfOtherSidesAreExplained() throws {
    let paper = configuration()
    #expect((180...600).filter(paper.isTile) == Array(stride(from: 188, through: 588, by: 16)))
    #expect(
      paper.tile(covering: 388) == 572 && paper.tile(covering: 1) == 188 && paper.tile(covering: 389) == 588)
    let error = #expect(throws: RecipeError.self) { try paper.check(tile: 570) }
    #expect(
      error?.description
        == "a tile of 570 pixels: without padding, 4 poolings must each find an even side, so a tile is 188 or "
        + "larger by a multiple of 16; nearest: 556 or 572")
    let padded = configuration {
      $0.padding = .same; $0.levels = 4
    }
    #expect((1...40).filter(padded.isTile) == [8, 16, 24, 32, 40])
    #expect(throws: Never.self) { try padded.check(tile: 64) }
  }

  @Test func outputsAreSmallerByTheMargin() {
    let small = configuration { $0.width = 2 }
    let network = UNet(small)
    network.evaluate()
    #expect(network(Tensor.zeros([1, 1, 204, 220])).shape == [1, 2, 20, 36])
    let padded = UNet(configuration { ($0.width, $0.padding, $0.levels) = (2, .same, 3) })
    #expect(padded(Tensor.zeros([2, 1, 24, 32])).shape == [2, 2, 24, 32])
    let deep = UNet(configuration { ($0.width, $0.padding, $0.hasDeepSupervision) = (2, .same, true) })
    #expect(deep.scores(Tensor.zeros([1, 1, 32, 32])).map { $0.size(2) } == [32, 16, 8, 4])
  }

  /// What an output pixel sees, by its gradient: never more than the reach, and all of it for some pixel.
  @Test func theReachIsThatOfTheGradient() {
    let padded = configuration { ($0.width, $0.padding, $0.levels, $0.dropoutLevels) = (4, .same, 3, 0) }
    let network = UNet(padded)
    for (_, parameter) in network.namedParameters {
      withoutGradients { parameter.copy(from: parameter.abs() + 0.01) }
    }
    var farthest = 0
    for place in 32..<36 {
      let x = Tensor.ones([1, 1, 72, 72])
      x.requiresGrad = true
      let seen = grad(of: [network(x)[0, 0, place, place].sum()], with: [x])[0]
      let touched = seen[0, 0].abs().sum(dims: [1]).isGreater(than: 0).array(of: Bool.self)
      let (first, last) = (touched.firstIndex(of: true) ?? 0, touched.lastIndex(of: true) ?? 0)
      farthest = max(farthest, place - first, last - place)
    }
    #expect(farthest <= padded.reach && farthest > padded.reach - padded.step, "\(farthest), \(padded.reach)")
  }

  /// Fine-tuning of the last layer moves its weights and nothing else, statistics of batches included.
  @Test(arguments: [TrainedLayers.all, .last]) func whatIsFrozenStays(_ layers: TrainedLayers) throws {
    var recipe = UNetRecipe()
    (recipe.width, recipe.levels, recipe.padding, recipe.normalization) = (4, 2, .same, .batch)
    (recipe.deepSupervision, recipe.trainedLayers, recipe.optimizer) = (true, layers, .adam)
    let setting = MethodSetting(
      shape: ImageShape(channels: 1, height: 16, width: 16), totalImages: 8,
      labels: LabelSetting(values: [0, 1], names: ["background", "cell"]))
    let method = try Initialization.with(Generator(seed: 1)) {
      try UNetSegmentation(recipe: recipe, setting: setting)
    }
    let before = method.network.stateDict.mapValues { $0.detached().cloned() }
    let labels = Tensor.randint(0, 2, [1, 16, 16], generator: Generator(seed: 2))
    _ = method.step(
      StepContext(
        step: 0, imagesSeen: 0, images: Tensor.randn([1, 1, 16, 16], generator: Generator(seed: 3)),
        precision: .float32, seed: 0, layers: ["labels": labels, "weights": Tensor.ones([1, 1, 16, 16])]))
    let moved = Set(
      method.network.stateDict.filter { before[$0.key]?.isIdentical(to: $0.value) != true }.map(\.key))
    let last: Set = ["head.weight", "head.bias"]
    #expect(layers == .last ? moved == last : moved.count > last.count && moved.isSuperset(of: last))
  }
}
