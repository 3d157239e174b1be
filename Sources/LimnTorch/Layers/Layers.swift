// The layers with PyTorch's names, shapes and defaults.

/// y = x · weightᵀ + bias. Weights [out, in] start as PyTorch's: U(±1 / √in).
public final class Linear: Module, UnaryLayer {
  /// [out, in].
  public let weight: Parameter
  /// [out].
  public let bias: Parameter?

  /// Weights and bias as PyTorch draws them.
  public init(inputFeatures: Int, outputFeatures: Int, bias: Bool = true) {
    let start = Initializer.torchDefault(fanIn: inputFeatures)
    weight = .initialized([outputFeatures, inputFeatures], by: start)
    self.bias = bias ? .initialized([outputFeatures], by: start) : nil
  }

  /// x: [..., in] → [..., out].
  public func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight, bias) }
}

/// 2-D convolution of [N, in, H, W] with square kernels. Weights [out, in / groups, k, k] start as PyTorch's.
public final class Conv2d: Module, UnaryLayer {
  /// [out, in / groups, k, k].
  public let weight: Parameter
  /// [out].
  public let bias: Parameter?
  let stride: Int
  let padding: Int
  let dilation: Int
  let groups: Int

  /// Kernels of `kernelSize`²; stride, padding and the rest as in PyTorch.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    let shape = [outputChannels, inputChannels / groups, kernelSize, kernelSize]
    let start = Initializer.torchDefault(fanIn: shape.dropFirst().reduce(1, *))
    weight = .initialized(shape, by: start)
    self.bias = bias ? .initialized([outputChannels], by: start) : nil
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// x: [N, in, H, W] → [N, out, H′, W′].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv2d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }
}

/// The transpose of a 2-D convolution. Weights [in, out / groups, k, k] start as PyTorch's.
public final class ConvTranspose2d: Module, UnaryLayer {
  /// [in, out / groups, k, k].
  public let weight: Parameter
  /// [out].
  public let bias: Parameter?
  let stride: Int
  let padding: Int
  let outputPadding: Int
  let groups: Int

  /// Kernels of `kernelSize`²; stride, padding and the rest as in PyTorch.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, groups: Int = 1, bias: Bool = true
  ) {
    let shape = [inputChannels, outputChannels / groups, kernelSize, kernelSize]
    let start = Initializer.torchDefault(fanIn: shape.dropFirst().reduce(1, *))
    weight = .initialized(shape, by: start)
    self.bias = bias ? .initialized([outputChannels], by: start) : nil
    (self.stride, self.padding, self.outputPadding, self.groups) = (stride, padding, outputPadding, groups)
  }

  /// x: [N, in, H, W] → [N, out, H′, W′].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convTranspose2d(
      x, weight, bias, stride: stride, padding: padding, outputPadding: outputPadding, groups: groups)
  }
}

/// Batch normalisation of [N, C, H, W], with PyTorch's momentum 0.1.
public final class BatchNorm2d: Module, UnaryLayer {
  /// The gain, [C].
  public let weight: Parameter?
  /// The offset, [C].
  public let bias: Parameter?
  /// The mean that evaluation uses, [C].
  public let runningMean: Buffer
  /// The variance that evaluation uses, [C].
  public let runningVar: Buffer
  let momentum: Double
  let epsilon: Double

  /// Gain 1 and offset 0 where `affine`; `momentum` is the weight of the newest batch.
  public init(channels: Int, affine: Bool = true, momentum: Double = 0.1, epsilon: Double = 1e-5) {
    weight = affine ? Parameter(.ones([channels])) : nil
    bias = affine ? Parameter(.zeros([channels])) : nil
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
    (self.momentum, self.epsilon) = (momentum, epsilon)
  }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    batchNorm(
      x, weight: weight, bias: bias, runningMean: runningMean, runningVar: runningVar,
      training: isTraining, momentum: momentum, epsilon: epsilon)
  }
}

/// Instance normalisation of [N, C, H, W]; without weights unless `affine`, as in PyTorch.
public final class InstanceNorm2d: Module, UnaryLayer {
  /// The gain, [C].
  public let weight: Parameter?
  /// The offset, [C].
  public let bias: Parameter?
  let epsilon: Double

  /// Learns gain and offset where `affine`.
  public init(channels: Int, affine: Bool = false, epsilon: Double = 1e-5) {
    weight = affine ? Parameter(.ones([channels])) : nil
    bias = affine ? Parameter(.zeros([channels])) : nil
    self.epsilon = epsilon
  }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    instanceNorm(x, weight: weight, bias: bias, epsilon: epsilon)
  }
}

/// Group normalisation of [N, C, …].
public final class GroupNorm: Module, UnaryLayer {
  /// The gain, [C].
  public let weight: Parameter
  /// The offset, [C].
  public let bias: Parameter
  let groups: Int
  let epsilon: Double

  /// `channels` must be a multiple of `groups`.
  public init(groups: Int, channels: Int, epsilon: Double = 1e-5) {
    weight = Parameter(.ones([channels]))
    bias = Parameter(.zeros([channels]))
    (self.groups, self.epsilon) = (groups, epsilon)
  }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    groupNorm(x, groups: groups, weight: weight, bias: bias, epsilon: epsilon)
  }
}

/// Layer normalisation over the last axes, of lengths `shape`.
public final class LayerNorm: Module, UnaryLayer {
  /// The gain, of `shape`.
  public let weight: Parameter
  /// The offset, of `shape`.
  public let bias: Parameter
  let shape: [Int]
  let epsilon: Double

  /// Normalises over the last axes, whose lengths `shape` gives.
  public init(shape: [Int], epsilon: Double = 1e-5) {
    weight = Parameter(.ones(shape))
    bias = Parameter(.zeros(shape))
    (self.shape, self.epsilon) = (shape, epsilon)
  }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNorm(x, shape: shape, weight: weight, bias: bias, epsilon: epsilon)
  }
}

/// Drops elements while training.
public final class Dropout: Module, UnaryLayer {
  let probability: Double

  /// Leaves out each value with `probability`, in training only.
  public init(_ probability: Double = 0.5) { self.probability = probability }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    dropout(x, probability: probability, training: isTraining)
  }
}

/// A learned vector for each of `count` numbers; weights [count, features] from N(0, 1).
public final class Embedding: Module {
  /// [count, features].
  public let weight: Parameter

  /// `count` vectors of length `features`, of N(0, 1).
  public init(count: Int, features: Int) { weight = .initialized([count, features], by: .normal()) }

  /// indices: int64 [...] → [..., features].
  public func callAsFunction(_ indices: Tensor) -> Tensor { embedding(indices, weight) }
}

extension Parameter {
  /// A parameter of a shape, filled by a rule from the current ``Initialization`` generator.
  public static func initialized(_ shape: [Int], by rule: Initializer) -> Parameter {
    let weight = Tensor.empty(shape)
    rule(weight, generator: Initialization.generator)
    return Parameter(weight)
  }
}
