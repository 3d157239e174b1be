// Preprocessing against torch-fidelity and PyTorch, and the extractors' behaviour.

import Foundation
import LimnBackbones
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct NetworkFeaturesTests {
  @Test(arguments: ["inception-v3-fid", "efficientnet-lite0", "resnet-50"], ["small", "large"])
  func inputsAreTheReference(name: String, image: String) throws {
    let reference = try Safetensors.read(fixture("backbones/networks.safetensors")).tensors
    let expected = try #require(reference["input.\(image).\(name)"])
    let pixels =
      image == "small"
      ? BackboneWeights.image("input", [1, 3, 40, 52]) : BackboneWeights.image("large", [1, 1, 330, 400])
    let inputs: [String: NetworkInput] = [
      "inception-v3-fid": .fid, "efficientnet-lite0": .efficientNetLite, "resnet-50": .imageNet,
    ]
    let rule = try #require(inputs[name])
    let input = rule(pixels)
    #expect(input.shape == [1, 3, input.size(2), input.size(2)])
    let rows = input[.all, .all, .stride(by: 23), .stride(by: 23)]
    #expect(relativeError(rows, expected) <= 1e-6)
  }

  @Test func greyEqualsColourOfEqualChannels() throws {
    let network = MobileNetV2()
    BackboneWeights.fill(network)
    let extractor = NetworkFeatures(network, weights: "rule")
    let grey = BackboneWeights.image("grey", [2, 1, 30, 20])
    let features = try extractor.features(of: grey)
    #expect(features.shape == [2, extractor.dimension] && features.dtype == .float32)
    #expect(features.isIdentical(to: try extractor.features(of: grey.repeated([1, 3, 1, 1]))))
    #expect(extractor.name == "mobilenet-v2" && extractor.preprocessing.hasPrefix("224×224, antialiased"))
  }

  @Test func batchesDoNotChangeFeatures() throws {
    let network = MobileNetV2()
    BackboneWeights.fill(network)
    let extractor = NetworkFeatures(network, weights: "rule")
    let images = BackboneWeights.image("many", [35, 1, 8, 8])
    let all = try extractor.features(of: images)
    let last = try extractor.features(of: images[30..<35])
    #expect(all.shape == [35, 1280])
    #expect(relativeError(all[30..<35], last) <= 1e-4)
    #expect(all.isIdentical(to: try extractor.features(of: images)))
  }

  @Test func otherImagesAreRefused() throws {
    let extractor = NetworkFeatures(MobileNetV2(), weights: "none")
    for images in [
      Tensor.zeros([1, 3, 8, 8]), .zeros([1, 2, 8, 8], dtype: .uint8), .zeros([3, 8, 8], dtype: .uint8),
      .zeros([0, 1, 8, 8], dtype: .uint8),
    ] {
      let error = #expect(throws: MetricError.self) { try extractor.features(of: images) }
      #expect(error?.description.contains(images.summary) == true)
    }
  }

  @Test func aMissingNetworkNamesTheCommandThatAddsIt() throws {
    try withTemporaryFolder { folder in
      let store = WeightsStore(folder: folder)
      #expect(FeatureExtractors.available(in: store).isEmpty)
      #expect(FeatureExtractors.all.count == 7)
      let error = #expect(throws: WeightsStoreError.self) {
        try FeatureExtractors.named("inception-v3-fid", store: store)
      }
      let line = error?.description ?? ""
      #expect(line.hasPrefix("the weights of inception-v3-fid are not installed; fetch https://"))
      #expect(line.hasSuffix("and run: limn weights add inception-v3-fid FILE"))
    }
  }

  @Test func theDefaultNamesItsWeights() throws {
    guard FeatureExtractors.available().contains("efficientnet-lite0") else { return }
    let extractor = try FeatureExtractors.default()
    #expect(extractor.name == "efficientnet-lite0" && extractor.weights == "579344248a93")
    #expect(try extractor.features(of: BackboneWeights.image("one", [1, 1, 64, 64])).shape == [1, 1280])
  }
}
