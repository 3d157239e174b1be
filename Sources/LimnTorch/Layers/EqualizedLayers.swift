// Layers with an equalised learning rate, and the minibatch statistic (Karras et al. 2018, §4.1 and §3).

/// A convolution whose stored weights are N(0, 1) and which are scaled by gain / √fan-in when used.
public final class EqualizedConv2d: Module, UnaryLayer {
  /// [out, in, k, k], of N(0, 1) at first.
  public let weight: Parameter
  /// [out], 0 at first.
  public let bias: Parameter
  let scale: Double
  let padding: Int

  /// - Parameters:
  ///   - inputChannels: channels of the input.
  ///   - outputChannels: channels of the result.
  ///   - kernelSize: height and width of the kernel.
  ///   - gain: √2 before a leaky rectifier, 1 for a linear output.
  public init(inputChannels: Int, outputChannels: Int, kernelSize: Int, gain: Double = 2.0.squareRoot()) {
    weight = .initialized([outputChannels, inputChannels, kernelSize, kernelSize], by: .normal())
    bias = Parameter(.zeros([outputChannels]))
    scale = gain / Double(inputChannels * kernelSize * kernelSize).squareRoot()
    padding = kernelSize / 2
  }

  /// x: [N, in, H, W] → [N, out, H, W].
  public func callAsFunction(_ x: Tensor) -> Tensor { conv2d(x, weight * scale, bias, padding: padding) }

  /// The image doubled, then convolved with this 3×3 kernel: [N, in, H, W] → [N, out, 2H, 2W].
  public func upsampled(_ x: Tensor) -> Tensor { upsampledConv2d(x, weight * scale, bias) }

  /// The convolution with this 3×3 kernel, averaged over 2×2: [N, in, H, W] → [N, out, H/2, W/2].
  public func downsampled(_ x: Tensor) -> Tensor { downsampledConv2d(x, weight * scale, bias) }
}

/// A linear map with an equalised learning rate.
public final class EqualizedLinear: Module, UnaryLayer {
  /// [out, in], of N(0, 1) at first.
  public let weight: Parameter
  /// [out], 0 at first.
  public let bias: Parameter
  let scale: Double

  /// Weights of N(0, 1), scaled by `gain` / √`inputFeatures` at run time.
  public init(inputFeatures: Int, outputFeatures: Int, gain: Double = 2.0.squareRoot()) {
    weight = .initialized([outputFeatures, inputFeatures], by: .normal())
    bias = Parameter(.zeros([outputFeatures]))
    scale = gain / Double(inputFeatures).squareRoot()
  }

  /// x: [..., in] → [..., out].
  public func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight * scale, bias) }
}

/// Appends one channel: the mean over features and places of the standard deviation within groups of samples.
///
/// The group axis is the outermost split of the batch: with four groups of two, samples 0, 2, 4, 6 form one.
/// - Parameters:
///   - x: [N, C, H, W]; N must be a multiple of the group size used, min(`groupSize`, N).
///   - groupSize: samples in a group, at most.
/// - Returns: [N, C + 1, H, W].
public func minibatchStandardDeviation(_ x: Tensor, groupSize: Int = 4) -> Tensor {
  let shape = x.shape
  let group = Swift.min(groupSize, shape[0])
  let grouped = x.reshaped([group, -1, shape[1], shape[2], shape[3]])  // [G, M, C, H, W]
  let deviation = (grouped.variance(dims: [0], unbiased: false) + 1e-8).sqrt()  // [M, C, H, W]
  let mean = deviation.mean(dims: [1, 2, 3], keepDim: true)  // [M, 1, 1, 1]
  let channel = mean.repeated([group, 1, shape[2], shape[3]])  // [N, 1, H, W]
  return Tensor.cat([x, channel], dim: 1)
}

/// Nearest-neighbour doubling and a 3×3 convolution in one: a transposed 4×4 convolution with stride 2, whose
/// kernel is the 3×3 one summed over the four one-pixel shifts. The same values for 4/9 of the products.
public func upsampledConv2d(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
  // [out, in, 3, 3] → [in, out, 4, 4]; the transpose of a cross-correlation sees the kernel mirrored.
  let kernel = shiftSum(weight.transposed(0, 1).flipped([2, 3]))
  return convTranspose2d(x, kernel, bias, stride: 2, padding: 1)
}

/// A 3×3 convolution and 2×2 averaging in one: a 4×4 convolution with stride 2.
public func downsampledConv2d(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
  conv2d(x, shiftSum(weight) * 0.25, bias, stride: 2, padding: 1)
}

/// A 3×3 kernel summed over its four one-pixel shifts: 4×4.
private func shiftSum(_ kernel: Tensor) -> Tensor {
  let rows = pad(kernel, [0, 0, 1, 0]) + pad(kernel, [0, 0, 0, 1])
  return pad(rows, [1, 0, 0, 0]) + pad(rows, [0, 1, 0, 0])
}
