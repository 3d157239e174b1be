// Networks against PyTorch's of the same weights: torchvision, pytorch-fid, efficientnet-lite-pytorch.

import Foundation
import LimnBackbones
import LimnTestSupport
import LimnTorch
import Testing

@Suite(.serialized) struct BackboneTests {
  private static let reference = Result {
    try Safetensors.read(fixture("backbones/networks.safetensors")).tensors
  }

  /// The parameters that the references print, those of Inception's auxiliary classifier (3,326,696) left out.
  private static let parameterCounts = [
    "inception-v3-fid": 23_850_960, "inception-v3": 27_161_264 - 3_326_696, "vgg16": 138_357_544,
    "resnet-50": 25_557_032, "resnet-101": 44_549_160, "mobilenet-v2": 3_504_872,
    "efficientnet-lite0": 4_652_008,
  ]

  private static let sizes = ["inception-v3-fid": 107, "inception-v3": 107, "efficientnet-lite0": 224]

  @Test func weightsFollowThePythonRule() throws {
    let base = try #require(try Self.reference.get()["base"])
    #expect(BackboneWeights.base[0..<16].isIdentical(to: base))
  }

  @Test(arguments: PublishedNetwork.all.map(\.name))
  func featuresAndScoresAreTheReference(name: String) throws {
    let network = try PublishedNetwork.named(name).make()
    #expect(network.parameterCount == Self.parameterCounts[name])
    BackboneWeights.fill(network)
    let size = Self.sizes[name] ?? 64
    let x = BackboneWeights.values(name, [2, 3, size, size])
    let reference = try Self.reference.get()
    let (features, scores) = withoutGradients { (network.features(x), network(x)) }
    #expect(features.shape == [2, type(of: network).featureCount])
    #expect(relativeError(features, try #require(reference["\(name).features"])) <= 1e-4)
    #expect(relativeError(scores, try #require(reference["\(name).scores"])) <= 1e-4)
    // Images differ by less than their features do, so that each is held to the bar by itself.
    let expected = try #require(reference["\(name).features"])
    #expect(relativeError(features[0] - features[1], expected[0] - expected[1]) <= 1e-3)
  }

  @Test func publishedWeightsGiveThePythonPackagesFeatures() throws {
    let store = WeightsStore.standard
    guard store.place(of: .standard) != nil else { return }
    let network = try store.load(.standard).backbone
    let x = (BackboneWeights.image("published", [2, 3, 224, 224]).to(.float32) - 127) / 128
    let reference = try Self.reference.get()
    let (features, scores) = withoutGradients { (network.features(x), network(x)) }
    #expect(relativeError(features, try #require(reference["published.features"])) <= 1e-4)
    #expect(relativeError(scores, try #require(reference["published.scores"])) <= 1e-4)
  }

  @Test func featuresOfOneImageDoNotDependOnTheOthers() throws {
    let network = MobileNetV2()
    BackboneWeights.fill(network)
    let x = BackboneWeights.values("batch", [3, 3, 64, 64])
    let (together, alone) = withoutGradients { (network.features(x), network.features(x[1..<2])) }
    #expect(relativeError(together[1..<2], alone) <= 1e-4)
  }
}
