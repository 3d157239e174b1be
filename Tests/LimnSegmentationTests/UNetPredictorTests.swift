// U-Nets on tiles: what the whole image gives, padded or not.

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

@Suite struct UNetPredictorTests {
  private func network(
    _ levels: Int, _ padding: UNetPadding, _ normalization: UNetNormalization = .none,
    _ variant: UNetVariant = .figure
  ) -> UNet {
    var configuration = UNetConfiguration(inputChannels: 2, classCount: 3)
    (configuration.levels, configuration.width, configuration.padding) = (levels, 4, padding)
    (configuration.normalization, configuration.variant) = (normalization, variant)
    let network = Initialization.with(Generator(seed: 8)) { UNet(configuration) }
    for (key, buffer) in network.namedBuffers where key.hasSuffix("running_mean") { buffer.fill(0.1) }
    network.evaluate()
    return network
  }

  private func image(_ height: Int, _ width: Int) -> Tensor {
    Tensor.rand([2, height, width], generator: Generator(seed: 9)) * 2 - 1
  }

  /// The padded network itself, on the image mirrored so far that its zeros are out of sight.
  @Test(arguments: [1, 2, 3, 4], [UNetNormalization.none, .batch])
  func paddedNetworksNeedNoPadding(levels: Int, normalization: UNetNormalization) throws {
    let network = network(levels, .same, normalization)
    let image = image(37, 50)
    let reach = network.configuration.reach
    let shown = image.mirrored(rows: -reach..<40 + reach, columns: -reach..<56 + reach)
    let expected = withoutGradients {
      softmax(network(shown.unsqueezed(0)), dim: 1)[0][.all, reach..<reach + 37, reach..<reach + 50]
    }
    for side in [8, 24, 56] {
      let found = try OverlapTile(UNetPredictor(network), side: side, batch: 2).probabilities(of: image)
      #expect((found - expected).abs().max().item() <= 1e-6, "tiles of \(side)")
    }
  }

  @Test(arguments: [(1, UNetVariant.figure), (3, .figure), (5, .figure), (3, .released)])
  func publishedNetworksAreSeamless(levels: Int, variant: UNetVariant) throws {
    let predictor = UNetPredictor(network(levels, .valid, .none, variant))
    let image = image(50, 33)
    let whole = try OverlapTile(predictor, side: 64).probabilities(of: image)
    #expect(whole.shape == [3, 50, 33])
    #expect((whole.sum(dims: [0]) - 1).abs().max().item() < 1e-5)
    let tiled = try OverlapTile(predictor, side: 16).probabilities(of: image)
    #expect((tiled - whole).abs().max().item() <= 1e-6)
    if levels == 5 { #expect(predictor.context == 94 && predictor.alignment == 16) }
  }

  @Test func theNetworkIsLeftAsItIs() throws {
    let network = network(2, .same, .batch)
    let before = network.stateDict.mapValues { $0.cloned() }
    network.train()
    _ = UNetPredictor(network).probabilities(image(40, 40).unsqueezed(0))
    #expect(network.isTraining && network.parameters.allSatisfy(\.requiresGrad))
    for (key, value) in network.stateDict { #expect(before[key]?.isIdentical(to: value) == true) }
  }

  /// Not seamless, but defined.
  @Test func instanceNormalisationKeepsItsPadding() throws {
    let network = network(3, .same, .instance)
    let predictor = UNetPredictor(network)
    let tile = image(16 + 2 * predictor.context, 16 + 2 * predictor.context).unsqueezed(0)
    let expected = withoutGradients { softmax(network(tile), dim: 1).centre(height: 16, width: 16) }
    #expect((predictor.probabilities(tile) - expected).abs().max().item() <= 1e-6)
  }
}
