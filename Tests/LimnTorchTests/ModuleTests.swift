// Modules: the names of weights, modes, moving without losing identity, state dictionaries that fit or do
// not.

import Foundation
import LimnTestSupport
@testable import LimnTorch
import Testing

private final class Block: Module {
  let conv1 = Conv2d(inputChannels: 2, outputChannels: 2, kernelSize: 3, padding: 1)
  let norm: BatchNorm2d?
  let toRGB = Linear(inputFeatures: 2, outputFeatures: 1, bias: false)
  let dropout = Dropout()
  let note = "not a weight"

  init(normalized: Bool) { norm = normalized ? BatchNorm2d(channels: 2) : nil }
}

private class Base: Module {
  let constantInput = Parameter(.ones([1, 2, 4, 4]))
}

private final class Network: Base {
  let blocks = [Block(normalized: true), Block(normalized: false)]
  let scales = [Parameter(.ones([1])), Parameter(.ones([2]))]
  let meanLatent = Buffer(.zeros([3]))
  let mapping = Sequential(
    Linear(inputFeatures: 3, outputFeatures: 3), Activation(relu), Linear(inputFeatures: 3, outputFeatures: 2)
  )
}

private func network(seed: UInt64 = 1) -> Network { Initialization.with(Generator(seed: seed)) { Network() } }

@Suite struct ModuleTests {
  @Test func keysAreTheProperties() {
    let keys = network().stateDict.keys.sorted()
    #expect(
      keys == [
        "blocks.0.conv1.bias", "blocks.0.conv1.weight", "blocks.0.norm.bias", "blocks.0.norm.running_mean",
        "blocks.0.norm.running_var", "blocks.0.norm.weight", "blocks.0.to_rgb.weight", "blocks.1.conv1.bias",
        "blocks.1.conv1.weight", "blocks.1.to_rgb.weight", "constant_input", "mapping.0.bias",
        "mapping.0.weight", "mapping.2.bias", "mapping.2.weight", "mean_latent", "scales.0", "scales.1",
      ])
  }

  @Test func parametersComeInTheOrderOfDeclaration() {
    let keys = network().namedParameters.map(\.key)
    #expect(keys.prefix(4) == ["constant_input", "scales.0", "scales.1", "blocks.0.conv1.weight"])
    #expect(network().parameterCount == 32 + 3 + (36 + 2 + 2 + 4) + (36 + 2 + 2) + (9 + 3 + 6 + 2))
  }

  @Test func modesReachEveryModule() {
    let network = network()
    #expect(network.modules.allSatisfy { $0.isTraining })
    network.evaluate()
    #expect(network.modules.count == 13 && network.modules.allSatisfy { !$0.isTraining })
    network.train()
    #expect(network.blocks[0].dropout.isTraining)
  }

  @Test func gradientsAreSwitchedAndForgotten() {
    let network = network()
    network.constantInput.sum().backward()
    #expect(network.constantInput.gradient != nil)
    network.zeroGradients()
    #expect(network.constantInput.gradient == nil)
    network.requireGradients(false)
    #expect(network.parameters.allSatisfy { !$0.requiresGrad })
  }

  @Test func conversionKeepsIdentityAndValues() {
    let network = network()
    let weight = network.blocks[0].conv1.weight
    let before = weight.detached().cloned()
    weight.square().sum().backward()
    network.convert(to: .float64)
    #expect(network.blocks[0].conv1.weight === weight)
    #expect(network.parameters.allSatisfy { $0.dtype == .float64 && $0.requiresGrad })
    #expect(network.meanLatent.dtype == .float64)
    #expect(weight.gradient?.dtype == .float64)
    #expect(weight.detached().isIdentical(to: before.to(.float64)))
    weight.sum().backward()
    #expect(relativeError(weight.gradient ?? .zeros([]), before.to(.float64) * 2 + 1) < 1e-7)
  }

  @Test func channelsLastKeepsIdentityAndOutputs() {
    let layer = Initialization.with(Generator(seed: 1)) {
      Conv2d(inputChannels: 3, outputChannels: 4, kernelSize: 3)
    }
    let x = Tensor.randn([1, 3, 6, 6], generator: Generator(seed: 2))
    let before = layer(x)
    let weight = layer.weight
    layer.layOut(.channelsLast)
    #expect(layer.weight === weight && weight.strides == [27, 1, 9, 3] && weight.shape == [4, 3, 3, 3])
    #expect(relativeError(layer(x.contiguous(.channelsLast)), before) < tolerance)
    layer.layOut(.contiguous)
    #expect(weight.isContiguous)
  }

  @Test func aStateDictionaryMovesBetweenModules() throws {
    let (a, b) = (network(seed: 1), network(seed: 2))
    #expect(!a.blocks[0].conv1.weight.isIdentical(to: b.blocks[0].conv1.weight))
    try b.load(a.stateDict)
    for (key, tensor) in a.stateDict {
      #expect(tensor.isIdentical(to: try #require(b.stateDict[key])), "\(key)")
    }
    let prefixed = Dictionary(uniqueKeysWithValues: a.stateDict.map { ("generator.\($0.key)", $0.value) })
    try network(seed: 3).load(prefixed.merging(["other.weight": .zeros([1])]) { $1 }, prefix: "generator.")
  }

  @Test func aPyTorchStateDictionaryLoads() throws {
    let state = try ParityFixture("layers").group("batch-norm2d/state/")
    #expect(state["num_batches_tracked"] != nil)
    let layer = BatchNorm2d(channels: 4)
    try layer.load(state)
    #expect(layer.runningVar.isIdentical(to: try #require(state["running_var"])))
    #expect(throws: StateDictError.self) { try layer.load(state, ignoring: []) }
  }

  @Test func whatDoesNotFitIsNamedAndNothingIsCopied() {
    let layer = Initialization.with(Generator(seed: 1)) { Linear(inputFeatures: 2, outputFeatures: 3) }
    let before = layer.weight.detached().cloned()
    let error = #expect(throws: StateDictError.self) {
      try layer.load(["weight": .zeros([2, 3]), "gamma": .zeros([1])])
    }
    #expect(
      error?.description
        == "the weights do not fit Linear; missing: bias; unknown: gamma; "
        + "misshapen: weight is [2, 3] where [3, 2] was expected")
    #expect(throws: StateDictError.self) { try layer.load(["weight": .zeros([3, 2])]) }
    #expect(layer.weight.detached().isIdentical(to: before))
  }

  @Test(
    "names become PyTorch's",
    arguments: [
      ("weight", "weight"), ("runningMean", "running_mean"), ("toRGB", "to_rgb"), ("conv0Up", "conv0_up"),
      ("RGBToGray", "rgb_to_gray"), ("b4", "b4"), ("fromRGBBlock", "from_rgb_block"),
      ("noise_const", "noise_const"),
    ])
  func snakeCaseNames(swift: String, pytorch: String) { #expect(snakeCase(swift) == pytorch) }
}
