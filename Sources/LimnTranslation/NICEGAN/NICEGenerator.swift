// NICE-GAN's generator (Chen, Huang, Huang, Sun & Tan, CVPR 2020, arXiv:2003.00273, section 3): what is left of a
// generator when a discriminator is its encoder.

import LimnTorch

/// The sizes of NICE-GAN's generator.
public struct NICEGeneratorWidths: Sendable, Equatable {
  /// Channels at full size.
  public var width: Int
  /// Residual blocks with adaptive layer-instance normalisation.
  public var blocks: Int
  /// Whether gain and offset of those blocks come from the mean of each channel, rather than from every value of the
  /// code; saves 268 million weights at 256 pixels.
  public var isLight: Bool
  /// Which code's networks.
  public var variant: NICEVariant

  /// The published sizes, unless given.
  public init(
    width: Int = 64, blocks: Int = 6, isLight: Bool = false, variant: NICEVariant = .published
  ) {
    (self.width, self.blocks, self.isLight, self.variant) = (width, blocks, isLight, variant)
  }
}

/// Code [N, 2·width, H/4, W/4] → image [N, C, H, W] in (−1, 1), float32.
public final class NICEGenerator: Module {
  private let expansion: Sequential
  private let perceptron: Sequential
  private let gamma: Linear
  private let beta: Linear
  private let blocks: [NICEResidualBlock]
  private let enlargement: Sequential
  let isLight: Bool

  /// - Parameters:
  ///   - outputChannels: C.
  ///   - size: [H, W], multiples of 4; the published network alone (not the light one) is bound to it.
  ///   - widths: channels and blocks.
  public init(outputChannels: Int, size: [Int], widths: NICEGeneratorWidths = NICEGeneratorWidths()) {
    let channels = 4 * widths.width
    func linear(_ inputs: Int) -> Linear {
      Linear(inputFeatures: inputs, outputFeatures: channels, bias: false)
    }
    expansion = Sequential(
      widths.variant.padding(1),
      Conv2d(inputChannels: 2 * widths.width, outputChannels: channels, kernelSize: 3),
      LayerInstanceNorm(channels: channels), Activation(relu))
    let values = widths.isLight ? channels : size.reduce(channels) { $0 * ($1 / 4) }
    perceptron = Sequential(linear(values), Activation(relu), linear(channels), Activation(relu))
    (gamma, beta) = (linear(channels), linear(channels))
    blocks = (0..<widths.blocks).map { _ in NICEResidualBlock(channels: channels) }
    let last = Conv2d(
      inputChannels: widths.width, outputChannels: outputChannels, kernelSize: 7, bias: false)
    enlargement = Sequential(
      Self.doubling(channels) + Self.doubling(channels / 2) + [
        widths.variant.padding(3), last, Activation(tanh),
      ])
    isLight = widths.isLight
  }

  /// Twice the size at half the channels: a convolution, then as many channels as pixels are wanted in their place.
  private static func doubling(_ channels: Int) -> [any UnaryLayer] {
    let half = channels / 2
    return [
      .reflectionPad(1), Conv2d(inputChannels: channels, outputChannels: half, kernelSize: 3, bias: false),
      LayerInstanceNorm(channels: half), Activation(relu),
      Conv2d(inputChannels: half, outputChannels: 4 * half, kernelSize: 1),
      Activation { pixelShuffle($0, factor: 2) }, LayerInstanceNorm(channels: half), Activation(relu),
    ]
  }

  /// Under the published names.
  public override var children: [(key: String, module: Module)] {
    [
      ("gamma", gamma), ("beta", beta), ("FC", perceptron), ("UpBlock0", expansion),
      ("UpBlock2", enlargement),
    ]
      + blocks.enumerated().map { ("UpBlock1_\($0.offset + 1)", $0.element) }
  }

  /// The image of a discriminator's code.
  public func callAsFunction(_ code: Tensor) -> Tensor {
    let x = expansion(code)
    let style = style(of: x)
    return enlargement(blocks.reduce(x) { $1($0, style: style) }).to(.float32)
  }

  private func style(of x: Tensor) -> AdaptiveStyle {
    let numbers = perceptron(isLight ? x.mean(dims: [2, 3]) : x.contiguous().flattened(from: 1))
    func channels(_ x: Tensor) -> Tensor { x.reshaped([-1, x.size(1), 1, 1]) }
    return AdaptiveStyle(offset: channels(beta(numbers)), gain: channels(gamma(numbers)))
  }
}

/// x + two 3×3 convolutions with adaptive normalisation, ReLU between; [N, C, H, W].
final class NICEResidualBlock: Module {
  let conv1: Conv2d
  let norm1: AdaptiveLayerInstanceNorm
  let conv2: Conv2d
  let norm2: AdaptiveLayerInstanceNorm

  init(channels: Int) {
    func convolution() -> Conv2d {
      Conv2d(inputChannels: channels, outputChannels: channels, kernelSize: 3, bias: false)
    }
    (conv1, conv2) = (convolution(), convolution())
    norm1 = AdaptiveLayerInstanceNorm(channels: channels)
    norm2 = AdaptiveLayerInstanceNorm(channels: channels)
  }

  func callAsFunction(_ x: Tensor, style: AdaptiveStyle) -> Tensor {
    let pad = Activation.reflectionPad(1)
    let inner = relu(norm1(conv1(pad(x)), style: style))
    return x + norm2(conv2(pad(inner)), style: style)
  }
}
