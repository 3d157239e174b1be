// How weights begin: moments and bounds against the formulas, on 40,000 values, and determinism.

import LimnTestSupport
import LimnTorch
import Testing

struct InitializerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let rule: Initializer
  /// The standard deviation that the formula gives for [100, 16, 5, 5]: fan-in 400, fan-out 2500.
  let std: Double
  /// The bound of a uniform distribution; nil for a normal one.
  var bound: Double?
  var mean = 0.0
  var testDescription: String { name }

  static func uniform(_ name: String, _ rule: Initializer, bound: Double) -> InitializerCase {
    InitializerCase(name: name, rule: rule, std: bound / 3.0.squareRoot(), bound: bound)
  }
}

@Suite struct InitializerTests {
  static let shape = [100, 16, 5, 5]
  static let cases = [
    InitializerCase(name: "normal", rule: .normal(mean: 0.3, std: 0.02), std: 0.02, mean: 0.3),
    .uniform("uniform", .uniform(-0.7, 0.7), bound: 0.7),
    InitializerCase(name: "He normal", rule: .heNormal(), std: (2.0 / 400).squareRoot()),
    InitializerCase(
      name: "He normal, leaky", rule: .heNormal(slope: 0.2), std: (2 / 1.04 / 400).squareRoot()),
    .uniform("He uniform", .heUniform(), bound: (6.0 / 400).squareRoot()),
    InitializerCase(name: "Xavier normal", rule: .xavierNormal(gain: 2), std: 2 * (2.0 / 2900).squareRoot()),
    .uniform("Xavier uniform", .xavierUniform(), bound: (6.0 / 2900).squareRoot()),
    .uniform("PyTorch's default", .torchDefault(fanIn: 400), bound: 1.0 / 20),
  ]

  /// Bars: the mean within 5 of its standard errors, the deviation within 3 %, kurtosis telling normal (3)
  /// from uniform (1.8).
  @Test("moments are the formula's", arguments: cases)
  func moments(_ initializer: InitializerCase) {
    let weight = Tensor.empty(Self.shape)
    initializer.rule(weight, generator: Generator(seed: 3))
    let values = weight.to(.float64)
    let error = 5 * initializer.std / Double(weight.count).squareRoot()
    #expect(abs(values.mean().item() - initializer.mean) < error)
    #expect(abs(values.std().item() / initializer.std - 1) < 0.03)
    let kurtosis = ((values - initializer.mean) / initializer.std).pow(4).mean().item()
    #expect(abs(kurtosis - (initializer.bound == nil ? 3 : 1.8)) < 0.15)
    if let bound = initializer.bound {
      let largest = values.abs().max().item()
      #expect(largest <= bound * (1 + 1e-6) && largest > bound * 0.99)
    }
  }

  @Test(
    "orthogonal weights have orthonormal rows or columns", arguments: [[6, 10], [10, 6], [8, 3, 2, 2]])
  func orthogonality(shape: [Int]) {
    let weight = Tensor.empty(shape)
    Initializer.orthogonal(gain: 2)(weight, generator: Generator(seed: 4))
    let matrix = weight.flattened(from: 1).to(.float64) / 2
    let isWide = matrix.size(0) <= matrix.size(1)
    let product =
      isWide ? matmul(matrix, matrix.transposed(0, 1)) : matmul(matrix.transposed(0, 1), matrix)
    #expect(relativeError(product, .eye(product.size(0), dtype: .float64)) < 1e-6)
  }

  @Test func constantsAreConstant() {
    let weight = Tensor.empty([2, 3])
    Initializer.constant(0.5)(weight, generator: Generator(seed: 1))
    #expect(weight.isIdentical(to: .full([2, 3], 0.5)))
  }

  @Test("a seed decides the weights", arguments: cases)
  func determinism(_ initializer: InitializerCase) {
    let weights = [7, 7, 8].map { (seed: UInt64) in
      let weight = Tensor.empty(Self.shape)
      initializer.rule(weight, generator: Generator(seed: seed))
      return weight
    }
    #expect(weights[0].isIdentical(to: weights[1]))
    #expect(!weights[0].isIdentical(to: weights[2]))
  }

  @Test("new layers keep PyTorch's bounds 1/√fan-in", arguments: [true, false])
  func layerDefaults(transposed: Bool) throws {
    let (weight, bias) = Initialization.with(Generator(seed: 9)) { () -> (Parameter, Parameter?) in
      if transposed {
        let layer = ConvTranspose2d(inputChannels: 50, outputChannels: 64, kernelSize: 4, groups: 2)
        return (layer.weight, layer.bias)
      }
      let layer = Conv2d(inputChannels: 64, outputChannels: 100, kernelSize: 4, groups: 2)
      return (layer.weight, layer.bias)
    }
    // Values that meet one output: 32 · 4 · 4 in both (PyTorch counts the transpose by its output channels).
    let bound = 1 / 512.0.squareRoot()
    for largest in [weight.abs().max().item(), try #require(bias).abs().max().item()] {
      #expect(largest <= bound * (1 + 1e-6) && largest > bound * 0.9)
    }
  }

  @Test func oneGeneratorDecidesAWholeModule() {
    let weights = (0..<2).map { _ in
      Initialization.with(Generator(seed: 2)) {
        Sequential(Linear(inputFeatures: 3, outputFeatures: 4), Linear(inputFeatures: 4, outputFeatures: 3))
      }
      .parameters
    }
    #expect(zip(weights[0], weights[1]).allSatisfy { $0.isIdentical(to: $1) })
    #expect(!weights[0][0].flattened().isIdentical(to: weights[0][2].flattened()))
  }

  @Test func equalizedWeightsAreStandardNormal() {
    let layer = Initialization.with(Generator(seed: 2)) {
      EqualizedConv2d(inputChannels: 64, outputChannels: 64, kernelSize: 3)
    }
    #expect(abs(layer.weight.detached().std().item() - 1) < 0.02)
    #expect(layer.bias.detached().abs().max().item() == 0)
  }
}
