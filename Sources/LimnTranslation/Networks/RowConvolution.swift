// Large square kernels between many channels and few, as image generators have at both ends, row by row.

import LimnTorch

/// Convolutions that libtorch's are slow at on the CPU: a 7×7 kernel from 64 channels to one takes it six times as long
/// as the same sum taken here (256×256 pixels, forward and backward).
enum RowConvolution {
  /// Channels of the narrow end up to which this pays.
  static let fewChannels = 4

  /// The same as `conv2d(x, weight, bias)`, no padding; to few channels.
  /// - Parameters:
  ///   - x: [N, C, H, W].
  ///   - weight: [F, C, K, K].
  ///   - bias: [F].
  /// - Returns: [N, F, H − K + 1, W − K + 1], at least float32.
  static func toFew(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
    let (few, size) = (weight.size(0), weight.size(2))
    let rows = weight.permuted([2, 0, 1, 3]).reshaped([size * few, weight.size(1), 1, size])
    let parts = conv2d(x, rows).atLeastFloat32
    return withAutocast(.float32, device: x.device) {
      conv2d(parts, steps(few, size).to(parts.dtype), bias)
    }
  }

  /// Adds the results of a kernel's rows where each belongs: [F, K·F, K, 1].
  private static func steps(_ few: Int, _ size: Int) -> Tensor {
    var steps = [Float](repeating: 0, count: few * size * few * size)
    for (channel, row) in (0..<few).flatMap({ channel in (0..<size).map { (channel, $0) } }) {
      steps[((channel * size + row) * few + channel) * size + row] = 1
    }
    return Tensor(steps, shape: [few, size * few, size, 1])
  }

  /// The same as `conv2d(x, weight, bias)`, no padding; from few channels.
  /// - Parameters:
  ///   - x: [N, C, H, W].
  ///   - weight: [F, C, K, K].
  ///   - bias: [F].
  /// - Returns: [N, F, H − K + 1, W − K + 1].
  static func fromFew(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
    let (few, size) = (weight.size(1), weight.size(2))
    let height = x.size(2) - size + 1
    let rows = weight.permuted([0, 2, 1, 3]).reshaped([weight.size(0), size * few, 1, size])
    let shifted = Tensor.cat((0..<size).map { x.narrowed(dim: 2, start: $0, length: height) }, dim: 1)
    return conv2d(shifted.contiguous(.channelsLast), rows, bias)
  }
}

/// A convolution of a large kernel without padding, fast where one end has few channels; [N, C, H, W] →
/// [N, F, H − K + 1, W − K + 1].
final class LargeKernelConv2d: Module, UnaryLayer {
  /// [F, C, K, K].
  let weight: Parameter
  /// [F].
  let bias: Parameter?

  init(inputChannels: Int, outputChannels: Int, kernelSize: Int, bias: Bool = true) {
    let plain = Conv2d(
      inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: kernelSize, bias: bias)
    (weight, self.bias) = (plain.weight, plain.bias)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.device == .cpu else { return conv2d(x, weight, bias) }
    if weight.size(0) <= RowConvolution.fewChannels { return RowConvolution.toFew(x, weight, bias) }
    if weight.size(1) <= RowConvolution.fewChannels { return RowConvolution.fromFew(x, weight, bias) }
    return conv2d(x, weight, bias)
  }
}
