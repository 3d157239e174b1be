// MobileNetV2: Inverted Residuals and Linear Bottlenecks (Sandler et al., CVPR 2018), table 2, with torchvision's
// names (mobilenet_v2-….pth).

import LimnTorch

/// MobileNetV2 of width 1.
public final class MobileNetV2: Module, Backbone {
  public static let name = "mobilenet-v2"
  public static let featureCount = 1280

  let features: Sequential
  let classifier = Sequential(Dropout(0.2), Linear(inputFeatures: 1280, outputFeatures: 1000))

  /// Expansion, channels, repetitions, and the first block's stride (table 2's t, c, n, s).
  private static let stages = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
  ]

  /// The network with the weights that it would begin training with.
  public override init() {
    var layers: [any UnaryLayer] = [normalizedConvolution(3, 32, kernelSize: 3, stride: 2, activation: relu6)]
    var channels = 32
    for (expansion, width, repetitions, stride) in Self.stages {
      for index in 0..<repetitions {
        layers.append(
          InvertedResidual(channels, width, stride: index == 0 ? stride : 1, expansion: expansion))
        channels = width
      }
    }
    layers.append(normalizedConvolution(channels, 1280, kernelSize: 1, activation: relu6))
    features = Sequential(layers)
  }

  /// The mean of the last convolution over the image: [N, 3, H, W] → [N, 1280].
  public func features(_ x: Tensor) -> Tensor { pooled(features.callAsFunction(x)) }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x)) }
}

/// Expansion, depthwise 3×3 and a linear projection (figure 4d); the input is added where the shapes agree.
private final class InvertedResidual: Module, UnaryLayer {
  let conv: Sequential
  private let isResidual: Bool

  init(_ inputChannels: Int, _ outputChannels: Int, stride: Int, expansion: Int) {
    let hidden = inputChannels * expansion
    let expand = normalizedConvolution(inputChannels, hidden, kernelSize: 1, activation: relu6)
    let depthwise = normalizedConvolution(
      hidden, hidden, kernelSize: 3, stride: stride, groups: hidden, activation: relu6)
    let project = Conv2d(inputChannels: hidden, outputChannels: outputChannels, kernelSize: 1, bias: false)
    let before: [any UnaryLayer] = expansion == 1 ? [depthwise] : [expand, depthwise]
    conv = Sequential(before + [project, BatchNorm2d(channels: outputChannels)])
    isResidual = stride == 1 && inputChannels == outputChannels
  }

  func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? x + conv(x) : conv(x) }
}
