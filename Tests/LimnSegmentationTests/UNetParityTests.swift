// The U-Net in its kinds against plain PyTorch with the same random weights: scores, losses, gradients.
// Tolerance: 1e-5 of each tensor's largest value.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnSegmentation

@Suite struct UNetParityTests {
  private static let values = try? Safetensors.read(fixture("segmentation/unet.safetensors")).tensors

  private func value(_ key: String) throws -> Tensor { try #require(Self.values?[key], "\(key)") }

  private func configuration(_ kind: String) -> UNetConfiguration {
    var configuration = UNetConfiguration(inputChannels: 2, classCount: 3)
    (configuration.width, configuration.levels, configuration.dropoutLevels) = (2, 3, 2)
    configuration.padding = ["valid", "released"].contains(kind) ? .valid : .same
    configuration.variant = kind == "released" ? .released : .figure
    configuration.normalization = UNetNormalization(rawValue: kind) ?? .none
    configuration.hasDeepSupervision = kind == "deep"
    return configuration
  }

  private func network(_ kind: String) throws -> UNet {
    let network = UNet(configuration(kind))
    try network.load(#require(Self.values), prefix: "\(kind)/weights/")
    network.evaluate()
    return network
  }

  @Test(arguments: ["valid", "released", "same", "instance", "batch", "deep"])
  func scoresAreThoseOfPyTorch(kind: String) throws {
    let scores = try network(kind).scores(value("\(kind)/input"))
    #expect(scores.count == (kind == "deep" ? 2 : 1))
    for (level, scores) in scores.enumerated() {
      let expected = try value("\(kind)/scores.\(level)")
      #expect(scores.shape == expected.shape)
      #expect(relativeError(scores, expected) < 1e-5, "\(kind), level \(level)")
    }
  }

  @Test(arguments: ["valid", "released", "same", "instance", "batch", "deep"])
  func lossesAndGradientsAreThoseOfPyTorch(kind: String) throws {
    for (name, loss) in [("entropy", SegmentationLoss.crossEntropy), ("dice", .dice)] {
      let network = try network(kind)
      let scores = try network(value("\(kind)/input"))
      let result = try SegmentationLosses.value(
        loss, scores, value("\(kind)/labels"), weights: value("\(kind)/pixels"))
      #expect(relativeError(result, try value("\(kind)/\(name)")) < 1e-5, "\(kind) \(name)")
      result.backward()
      let parameters = Dictionary(
        uniqueKeysWithValues: network.namedParameters.map { ($0.key, $0.parameter) })
      for key in ["down.0.first.conv.weight", "up.1.up.weight", "head.bias"] {
        let gradient = try #require(parameters[key]?.gradient, "\(key)")
        #expect(relativeError(gradient, try value("\(kind)/\(name).\(key)")) < 1e-5, "\(kind) \(name) \(key)")
      }
    }
  }
}
