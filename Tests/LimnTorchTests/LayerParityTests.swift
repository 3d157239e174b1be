// Layers against PyTorch's: a state dictionary as PyTorch writes it, outputs, gradients, and the state
// afterwards.

import LimnTestSupport
import LimnTorch
import Testing

struct LayerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable () -> Module
  let run: @Sendable (Module, Tensor) -> Tensor?
  var testDescription: String { name }

  init(_ name: String, _ make: @escaping @Sendable () -> any UnaryLayer & Module) {
    self.name = name
    self.make = make
    run = { layer, x in (layer as? any UnaryLayer).map { $0(x) } }
  }

  init(embedding name: String, _ make: @escaping @Sendable () -> Embedding) {
    self.name = name
    self.make = make
    run = { layer, x in (layer as? Embedding).map { $0(x) } }
  }
}

@Suite struct LayerParityTests {
  static let cases = [
    LayerCase("linear") { Linear(inputFeatures: 4, outputFeatures: 3) },
    LayerCase("linear-no-bias") { Linear(inputFeatures: 4, outputFeatures: 3, bias: false) },
    LayerCase("conv2d") {
      Conv2d(inputChannels: 4, outputChannels: 6, kernelSize: 3, stride: 2, padding: 1, groups: 2)
    },
    LayerCase("conv2d-dilated-no-bias") {
      Conv2d(inputChannels: 4, outputChannels: 3, kernelSize: 3, padding: 2, dilation: 2, bias: false)
    },
    LayerCase("conv-transpose2d") {
      ConvTranspose2d(inputChannels: 4, outputChannels: 3, kernelSize: 4, stride: 2, padding: 1)
    },
    LayerCase("conv-transpose2d-groups") {
      ConvTranspose2d(
        inputChannels: 4, outputChannels: 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1,
        groups: 2, bias: false)
    },
    LayerCase("batch-norm2d") { BatchNorm2d(channels: 4) },
    LayerCase("batch-norm2d-eval") {
      let layer = BatchNorm2d(channels: 4, momentum: 0.3, epsilon: 1e-3)
      layer.evaluate()
      return layer
    },
    LayerCase("batch-norm2d-plain") { BatchNorm2d(channels: 4, affine: false) },
    LayerCase("instance-norm2d") { InstanceNorm2d(channels: 4) },
    LayerCase("instance-norm2d-affine") { InstanceNorm2d(channels: 4, affine: true) },
    LayerCase("group-norm") { GroupNorm(groups: 2, channels: 4) },
    LayerCase("layer-norm") { LayerNorm(shape: [4, 5]) },
    LayerCase(embedding: "embedding") { Embedding(count: 5, features: 3) },
    LayerCase("equalized-conv2d") { EqualizedConv2d(inputChannels: 4, outputChannels: 3, kernelSize: 3) },
    LayerCase("equalized-conv2d-linear") {
      EqualizedConv2d(inputChannels: 4, outputChannels: 2, kernelSize: 1, gain: 1)
    },
    LayerCase("equalized-linear") { EqualizedLinear(inputFeatures: 4, outputFeatures: 3) },
    LayerCase("sequential") {
      Sequential(
        Conv2d(inputChannels: 4, outputChannels: 2, kernelSize: 3), Activation { leakyReLU($0, 0.2) },
        BatchNorm2d(channels: 2))
    },
  ]

  @Test("equals PyTorch", arguments: cases)
  func parity(_ layerCase: LayerCase) throws {
    let fixture = try ParityFixture("layers")
    let name = layerCase.name
    let layer = Initialization.with(Generator(seed: 1)) { layerCase.make() }
    try layer.load(fixture.group("\(name)/state/"))
    let x = leaf(try fixture["\(name)/in.0"])
    let y = try #require(layerCase.run(layer, x))
    #expect(relativeError(y, try fixture["\(name)/out.0"]) <= tolerance)
    differentiate([y])
    if let expected = fixture.tensors["\(name)/grad.0"] {
      #expect(relativeError(try #require(x.gradient), expected) <= tolerance, "input")
    }
    let gradients = fixture.group("\(name)/parameter/")
    #expect(Set(gradients.keys) == Set(layer.namedParameters.map(\.key)))
    for (key, parameter) in layer.namedParameters {
      #expect(
        relativeError(try #require(parameter.gradient), try #require(gradients[key])) <= tolerance, "\(key)")
    }
    for (key, buffer) in layer.namedBuffers {
      #expect(relativeError(buffer, try fixture["\(name)/after/\(key)"]) <= tolerance, "\(key) afterwards")
    }
  }

  @Test func everyFixtureIsCompared() throws {
    #expect(try ParityFixture("layers").caseNames == Set(Self.cases.map(\.name)))
  }
}
