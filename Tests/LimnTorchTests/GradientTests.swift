// Autograd against central differences in float64, first and second order, and the scopes that switch it.

import LimnTestSupport
import LimnTorch
import Testing

/// A scalar function of one float64 tensor.
struct ScalarFunction: Sendable, CustomTestStringConvertible {
  let name: String
  let shape: [Int]
  let function: @Sendable (Tensor) -> Tensor
  var testDescription: String { name }

  init(_ name: String, _ shape: [Int], _ function: @escaping @Sendable (Tensor) -> Tensor) {
    (self.name, self.shape, self.function) = (name, shape, function)
  }
}

/// Fixed random float64 numbers.
private func numbers(_ shape: [Int], seed: UInt64) -> Tensor {
  .randn(shape, dtype: .float64, generator: Generator(seed: seed))
}

/// A function of a layer's output on float64 input, with the layer's own random weights.
private func layer(_ name: String, _ shape: [Int], _ make: @escaping @Sendable () -> any UnaryLayer & Module)
  -> ScalarFunction
{
  ScalarFunction(name, shape) { x in
    let layer = Initialization.with(Generator(seed: 5)) { make() }
    layer.convert(to: .float64)
    let y = layer(x)
    return (y * numbers(y.shape, seed: 6)).sum()
  }
}

@Suite struct GradientTests {
  static let layers = [
    layer("Linear", [2, 4]) { Linear(inputFeatures: 4, outputFeatures: 3) },
    layer("Conv2d", [1, 2, 4, 5]) {
      Conv2d(inputChannels: 2, outputChannels: 3, kernelSize: 3, stride: 2, padding: 1)
    },
    layer("ConvTranspose2d", [1, 2, 3, 3]) {
      ConvTranspose2d(inputChannels: 2, outputChannels: 2, kernelSize: 4, stride: 2, padding: 1)
    },
    layer("BatchNorm2d", [3, 2, 2, 3]) { BatchNorm2d(channels: 2) },
    layer("InstanceNorm2d", [2, 2, 3, 3]) { InstanceNorm2d(channels: 2, affine: true) },
    layer("GroupNorm", [2, 4, 2, 3]) { GroupNorm(groups: 2, channels: 4) },
    layer("LayerNorm", [3, 5]) { LayerNorm(shape: [5]) },
    layer("EqualizedConv2d", [1, 2, 3, 4]) {
      EqualizedConv2d(inputChannels: 2, outputChannels: 3, kernelSize: 3)
    },
    layer("EqualizedLinear", [2, 4]) { EqualizedLinear(inputFeatures: 4, outputFeatures: 3) },
  ]

  static let losses = [
    ScalarFunction("l1Loss", [3, 4]) { l1Loss($0, numbers([3, 4], seed: 2)) },
    ScalarFunction("mseLoss", [3, 4]) { mseLoss($0, numbers([3, 4], seed: 2)) },
    ScalarFunction("smoothL1Loss", [3, 4]) { smoothL1Loss($0, numbers([3, 4], seed: 2), beta: 0.4) },
    ScalarFunction("huberLoss", [3, 4]) { huberLoss($0, numbers([3, 4], seed: 2), delta: 0.4) },
    ScalarFunction("binaryCrossEntropy", [3, 4]) {
      binaryCrossEntropy(sigmoid($0), sigmoid(numbers([3, 4], seed: 2)))
    },
    ScalarFunction("binaryCrossEntropyWithLogits", [3, 4]) {
      binaryCrossEntropyWithLogits($0, sigmoid(numbers([3, 4], seed: 2)))
    },
    ScalarFunction("crossEntropy", [3, 4]) {
      crossEntropy($0, Tensor([Int64(1), 3, 0]), labelSmoothing: 0.1)
    },
    ScalarFunction("klDivergence", [3, 4]) {
      klDivergence(logSoftmax($0, dim: 1), softmax(numbers([3, 4], seed: 2), dim: 1), reduction: .sum)
    },
  ]

  static let functionals = [
    ScalarFunction("gridSample", [1, 1, 3, 4]) {
      (gridSample($0, numbers([1, 2, 3, 2], seed: 3) * 0.5) * numbers([1, 1, 2, 3], seed: 4)).sum()
    }
  ]

  static let twiceDifferentiable = [
    ScalarFunction("pixelNorm", [2, 3, 2, 2]) { (pixelNorm($0) * numbers([2, 3, 2, 2], seed: 3)).sum() },
    ScalarFunction("minibatchStandardDeviation", [4, 2, 2, 2]) {
      (minibatchStandardDeviation($0, groupSize: 2) * numbers([4, 3, 2, 2], seed: 3)).sum()
    },
    ScalarFunction("bicubic", [1, 1, 3, 4]) {
      (interpolate($0, size: [5, 7], mode: .bicubic) * numbers([1, 1, 5, 7], seed: 3)).sum()
    },
  ]

  @Test("gradient equals central differences", arguments: layers + losses + functionals + twiceDifferentiable)
  func first(_ scalar: ScalarFunction) throws {
    let x = leaf(numbers(scalar.shape, seed: 1))
    scalar.function(x).backward()
    let numerical = numericalGradient(of: scalar.function, at: x.detached())
    #expect(relativeError(try #require(x.gradient), numerical) <= 1e-6)
  }

  /// The squared norm of the gradient, a function whose own gradient needs second derivatives.
  private static func gradientEnergy(_ function: (Tensor) -> Tensor, _ x: Tensor) -> Tensor {
    let x = x.requiresGrad ? x : leaf(x)
    return grad(of: [function(x)], with: [x], createGraph: true)[0].square().sum()
  }

  @Test("second derivative equals central differences", arguments: layers + twiceDifferentiable)
  func second(_ scalar: ScalarFunction) throws {
    // The square makes the second derivative of linear layers other than zero.
    let function = { (x: Tensor) in scalar.function(x).square() * 0.1 }
    let x = leaf(numbers(scalar.shape, seed: 1))
    Self.gradientEnergy(function, x).backward()
    let numerical = numericalGradient(
      of: { point in withGradients { Self.gradientEnergy(function, point).detached() } }, at: x.detached())
    #expect(relativeError(try #require(x.gradient), numerical) <= 1e-5)
  }

  @Test func gradLeavesAccumulatedGradientsAlone() {
    let x = leaf(Tensor([Float(3)]))
    let y = x.square().sum()
    #expect(grad(of: [y], with: [x], retainGraph: true)[0].item() == 6)
    #expect(x.gradient == nil)
    y.backward()
    x.square().sum().backward()
    #expect(x.gradient?.item() == 12)
  }

  @Test func outputsCanBeWeighted() {
    let x = leaf(Tensor([Float(1), 2, 3]))
    let weights = Tensor([Float(1), 10, 100])
    #expect(
      grad(of: [x * 2], with: [x], outputGradients: [weights])[0].array(of: Float.self) == [2, 20, 200])
    (x * 3).backward(gradient: weights)
    #expect(x.gradient?.array(of: Float.self) == [3, 30, 300])
  }

  @Test func detachedTensorsCarryNoGraph() {
    let x = leaf(Tensor([Float(3)]))
    let y = (x * 2).detached()
    #expect(!y.requiresGrad)
    (x * y).sum().backward()
    #expect(x.gradient?.item() == 6)
  }

  @Test func scopesWithoutGradientsNestAndEnd() {
    struct Stop: Error {}
    let x = leaf(Tensor([Float(1)]))
    withoutGradients {
      withoutGradients { #expect(!(x * 2).requiresGrad) }
      #expect(!(x * 2).requiresGrad)
    }
    #expect((x * 2).requiresGrad)
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect((x * 2).requiresGrad)
  }

  @Test func autocastNestsAndEnds() {
    let (a, b) = (Tensor.ones([2, 3]), Tensor.ones([3, 2]))
    withAutocast(.bfloat16) {
      #expect(matmul(a, b).dtype == .bfloat16)
      withAutocast(.float32) { #expect(matmul(a, b).dtype == .float32) }
      withAutocast(.float16) { #expect(matmul(a, b).dtype == .float16) }
      #expect(matmul(a, b).dtype == .bfloat16)
      #expect((a + a).dtype == .float32)
    }
    #expect(matmul(a, b).dtype == .float32)
  }

  @Test(arguments: [PaddingMode.reflect, .replicate, .circular])
  func autocastCopiesPixelsAsTheyAre(mode: PaddingMode) {
    let x = leaf(Tensor.randn([1, 2, 5, 4], generator: Generator(seed: 1)).to(.bfloat16))
    let padded = withAutocast(.bfloat16) { pad(x, [1, 2, 1, 0], mode: mode) }
    #expect(padded.dtype == .bfloat16)
    #expect(padded.to(.float32).isIdentical(to: pad(x.detached().to(.float32), [1, 2, 1, 0], mode: mode)))
    padded.sum().backward()
    #expect(x.gradient?.dtype == .bfloat16)
  }

  @Test(arguments: [Tensor.MemoryFormat.contiguous, .channelsLast])
  func relayingKeepsGradientsInTheirOwnLayout(format: Tensor.MemoryFormat) throws {
    let other = format == .channelsLast ? Tensor.MemoryFormat.contiguous : .channelsLast
    let values = Tensor.randn([2, 3, 4, 5], generator: Generator(seed: 1))
    let x = leaf(values.contiguous(other))
    let own = x * 2
    let relaid = own.relaid(format)
    #expect(relaid.isChannelsLast == (format == .channelsLast) && relaid.isIdentical(to: values * 2))
    let upstream = Tensor.randn([2, 3, 4, 5], generator: Generator(seed: 2))
    let gradient = grad(of: [relaid], with: [own], outputGradients: [upstream.contiguous(format)])[0]
    #expect(gradient.isIdentical(to: upstream) && gradient.isChannelsLast == (other == .channelsLast))
  }

  /// bfloat16 keeps 8 bits of the significand; the bar is two units of its last place.
  @Test func autocastConvolutionEqualsPyTorch() throws {
    let fixture = try ParityFixture("random")
    let (x, weight) = (fixture.list("autocast", "in")[0], leaf(fixture.list("autocast", "in")[1]))
    let y = withAutocast(.bfloat16) { conv2d(x, weight, padding: 1) }
    #expect(y.dtype == .bfloat16)
    #expect(relativeError(y, try fixture["autocast/out"]) <= 1.0 / 128)
    y.to(.float32).square().sum().backward()
    #expect(weight.gradient?.dtype == .float32)
    #expect(relativeError(try #require(weight.gradient), try fixture["autocast/grad"]) <= 1.0 / 64)
  }
}

/// The critic of the fixtures' script: two convolutions around the minibatch statistic, and a linear score.
private struct Critic {
  let weights: [String: Tensor]

  func score(_ x: Tensor) throws -> Tensor {
    let weight = { (key: String) in try #require(weights[key]) }
    let first = leakyReLU(conv2d(x, try weight("conv.weight"), try weight("conv.bias"), padding: 1), 0.2)
    let counted = minibatchStandardDeviation(first, groupSize: 2)
    let last = leakyReLU(conv2d(counted, try weight("last.weight"), try weight("last.bias"), padding: 1), 0.2)
    return linear(avgPool2d(last, 2).flattened(from: 1), try weight("out.weight"), try weight("out.bias"))
  }

  func gradient(at x: Tensor) throws -> Tensor {
    grad(of: [try score(x).sum()], with: [x], createGraph: true)[0]
  }
}

@Suite struct GradientPenaltyTests {
  static let penalties: [(name: String, value: @Sendable (Tensor) -> Tensor)] = [
    ("wgan-gp", { ($0.flattened(from: 1).norm(dims: [1]) - 1).square().mean() * 10 }),
    ("r1", { $0.square().sum(dims: [1, 2, 3]).mean() * 5 }),
  ]

  /// PyTorch's numbers are float64. Errors count relative to the largest second derivative of all: that by
  /// the input is what remains of large terms that cancel. The bars: 1e-5 in float32, 1e-10 in float64.
  @Test(
    "value and second derivatives equal PyTorch's", arguments: penalties.map(\.name),
    [DType.float32, .float64])
  func parity(name: String, dtype: DType) throws {
    let bar = dtype == .float32 ? tolerance : 1e-10
    let fixture = try ParityFixture("penalties")
    let penalty = try #require(Self.penalties.first { $0.name == name }).value
    let critic = Critic(weights: fixture.group("state/").mapValues { leaf($0.to(dtype)) })
    let x = leaf(try fixture["x"].to(dtype))
    let gradient = try critic.gradient(at: x)
    #expect(relativeError(gradient, try fixture["\(name)/gradient"]) <= bar)
    let value = penalty(gradient)
    #expect(relativeError(value, try fixture["\(name)/value"]) <= bar)
    value.backward()
    let keys = fixture.group("\(name)/parameter/").keys.sorted()
    try #require(keys.count >= 3)
    let actual = try keys.map { try #require(critic.weights[$0]?.gradient, "\($0)") } + [#require(x.gradient)]
    let expected = try keys.map { try fixture["\(name)/parameter/\($0)"] } + [fixture["\(name)/input"]]
    #expect(relativeError(joined(actual), joined(expected)) <= bar)
  }

  private func joined(_ tensors: [Tensor]) -> Tensor { .cat(tensors.map { $0.flattened() }) }

  @Test("second derivatives equal central differences", arguments: penalties.map(\.name))
  func numerical(name: String) throws {
    let fixture = try ParityFixture("penalties")
    let penalty = try #require(Self.penalties.first { $0.name == name }).value
    let weights = fixture.group("state/").mapValues { leaf($0.to(.float64)) }
    let x = leaf(try fixture["x"].to(.float64))
    penalty(try Critic(weights: weights).gradient(at: x)).backward()
    let weight = try #require(weights["conv.weight"])
    let numerical = numericalGradient(
      of: { moved in
        withGradients {
          let critic = Critic(weights: weights.merging(["conv.weight": moved]) { $1 })
          return (try? critic.gradient(at: x)).map { penalty($0).detached() } ?? .full([], .nan)
        }
      }, at: weight.detached())
    #expect(relativeError(try #require(weight.gradient), numerical) <= 1e-5)
  }
}
