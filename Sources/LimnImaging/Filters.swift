// Filters on gray images [N, 1, H, W]: edges, smoothing, range. Morphology has its own file.

import Foundation
import LimnTorch

/// Classical image filters. Images are [N, 1, H, W], float32 unless said otherwise; none is differentiated.
public enum Filters {
  /// The length of the Sobel gradient, √(gx² + gy²), 3×3 kernels without a factor, borders mirrored without
  /// repeating the edge. Needs at least 2×2 pixels.
  public static func sobelMagnitude(_ x: Tensor) -> Tensor {
    let kernels = Tensor(
      [-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1] as [Float], shape: [2, 1, 3, 3])
    let gradients = conv2d(pad(x, [1, 1, 1, 1], mode: .reflect), kernels.to(x.device))
    return gradients.square().sum(dims: [1], keepDim: true).sqrt()
  }

  /// Gaussian smoothing with a kernel of `kernelSize` (odd) samples of exp(−d² / 2σ²), normalised; borders
  /// mirrored without repeating the edge. Needs more than `kernelSize` / 2 pixels along both axes.
  public static func gaussianBlur(_ x: Tensor, kernelSize: Int, sigma: Double) -> Tensor {
    precondition(kernelSize % 2 == 1 && sigma > 0, "a Gaussian needs an odd kernel size and a positive sigma")
    let radius = kernelSize / 2
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    let kernel = Tensor(weights.map { Float($0 / total) }).to(x.device)
    let across = conv2d(
      pad(x, [radius, radius, radius, radius], mode: .reflect), kernel.reshaped([1, 1, 1, kernelSize]))
    return conv2d(across, kernel.reshaped([1, 1, kernelSize, 1]))
  }

  /// Each image of [N, C, H, W] brought to [0, 1] by its own least and greatest value; a constant one is 0.
  public static func minMaxNormalised(_ x: Tensor) -> Tensor {
    let low = x.amin(dims: [1, 2, 3], keepDim: true)
    let range = x.amax(dims: [1, 2, 3], keepDim: true) - low
    let safe = Tensor.where(range.isGreater(than: 0), range, range.onesLike())
    return (x - low) / safe
  }

  /// 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), of [N, 3, H, W] unless `dim` names another axis of channels, which
  /// is 1 long then; one channel stays as it is.
  public static func luminance(_ x: Tensor, dim: Int = 1) -> Tensor {
    guard x.shape[dim] != 1 else { return x }
    precondition(x.shape[dim] == 3, "luminance takes 1 or 3 channels, shape \(x.shape) was given")
    var shape = [Int](repeating: 1, count: x.rank)
    shape[dim] = 3
    let weights = Tensor([0.299, 0.587, 0.114] as [Float], shape: shape).to(x.device)
    return (x * weights).sum(dims: [dim], keepDim: true)
  }
}
