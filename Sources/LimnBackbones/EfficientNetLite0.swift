// EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan & Le, ICML 2019), in the Lite
// variant for small devices: no squeeze-and-excitation, ReLU6. Names are those of efficientnet-lite0-….pth.

import LimnTorch

/// EfficientNet-Lite0; convolutions pad as TensorFlow's `SAME` does, more at the end than at the beginning.
public final class EfficientNetLite0: Module, Backbone {
  public static let name = "efficientnet-lite0"
  public static let featureCount = 1280

  let _convStem = Conv2d(inputChannels: 3, outputChannels: 32, kernelSize: 3, stride: 2, bias: false)
  let _bn0 = BatchNorm2d(channels: 32, epsilon: 1e-3)
  let _blocks: [MBConvBlock]
  let _convHead = Conv2d(inputChannels: 320, outputChannels: 1280, kernelSize: 1, bias: false)
  let _bn1 = BatchNorm2d(channels: 1280, epsilon: 1e-3)
  let _fc = Linear(inputFeatures: 1280, outputFeatures: 1000)

  /// Repetitions, kernel, first stride, expansion, channels: the paper's table 1 for B0.
  private static let stages = [
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
  ]

  /// The network with the weights that it would begin training with.
  public override init() {
    var blocks: [MBConvBlock] = []
    var channels = 32
    for (repetitions, kernelSize, stride, expansion, width) in Self.stages {
      for index in 0..<repetitions {
        blocks.append(
          MBConvBlock(
            channels, width, kernelSize: kernelSize, stride: index == 0 ? stride : 1, expansion: expansion))
        channels = width
      }
    }
    _blocks = blocks
  }

  /// The mean of the last convolution over the image: [N, 3, H, W] → [N, 1280].
  public func features(_ x: Tensor) -> Tensor {
    let stem = relu6(_bn0(_convStem(samePadded(x, kernelSize: 3, stride: 2))))  // [N, 32, H/2, W/2]
    let last = _blocks.reduce(stem) { $1($0) }  // [N, 320, H/32, W/32]
    return pooled(relu6(_bn1(_convHead(last))))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { _fc(features(x)) }
}

/// Expansion, depthwise convolution and a linear projection; the input is added where the shapes agree.
final class MBConvBlock: Module, UnaryLayer {
  let _expandConv: Conv2d?
  let _bn0: BatchNorm2d?
  let _depthwiseConv: Conv2d
  let _bn1: BatchNorm2d
  let _projectConv: Conv2d
  let _bn2: BatchNorm2d
  private let kernelSize: Int
  private let stride: Int
  private let isResidual: Bool

  init(_ inputChannels: Int, _ outputChannels: Int, kernelSize: Int, stride: Int, expansion: Int) {
    let hidden = inputChannels * expansion
    _expandConv =
      expansion == 1
      ? nil : Conv2d(inputChannels: inputChannels, outputChannels: hidden, kernelSize: 1, bias: false)
    _bn0 = expansion == 1 ? nil : BatchNorm2d(channels: hidden, epsilon: 1e-3)
    _depthwiseConv = Conv2d(
      inputChannels: hidden, outputChannels: hidden, kernelSize: kernelSize, stride: stride, groups: hidden,
      bias: false)
    _bn1 = BatchNorm2d(channels: hidden, epsilon: 1e-3)
    _projectConv = Conv2d(inputChannels: hidden, outputChannels: outputChannels, kernelSize: 1, bias: false)
    _bn2 = BatchNorm2d(channels: outputChannels, epsilon: 1e-3)
    (self.kernelSize, self.stride) = (kernelSize, stride)
    isResidual = stride == 1 && inputChannels == outputChannels
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x
    if let _expandConv, let _bn0 { y = relu6(_bn0(_expandConv(y))) }
    y = relu6(_bn1(_depthwiseConv(samePadded(y, kernelSize: kernelSize, stride: stride))))
    y = _bn2(_projectConv(y))
    return isResidual ? x + y : y
  }
}

/// Zeros around [N, C, H, W] such that a convolution gives ⌈H / stride⌉ × ⌈W / stride⌉; the odd one at the end.
private func samePadded(_ x: Tensor, kernelSize: Int, stride: Int) -> Tensor {
  let amounts = [x.size(3), x.size(2)].flatMap { length in
    let places = (length + stride - 1) / stride
    let total = max((places - 1) * stride + kernelSize - length, 0)
    return [total / 2, total - total / 2]
  }
  return pad(x, amounts)
}
