// Building blocks of UNIT and MUNIT (Liu, Breuel & Kautz, NeurIPS 2017, arXiv:1703.00848; Huang, Liu, Belongie &
// Kautz, ECCV 2018, arXiv:1804.04732, appendix B), under the names of MUNIT's published weights.

import LimnTorch

/// What follows a block's convolution.
enum BlockNorm { case none, instance, layer, adaptive }

/// What a style does to the channels of a layer, [N, C, 1, 1] each.
struct AdaptiveStyle {
  let offset: Tensor
  let gain: Tensor
}

/// Layer normalisation as MUNIT has it: over all values of a sample, divided by their standard deviation (N − 1) plus
/// 10⁻⁵; gain and offset for each channel. [N, C, H, W].
final class ChannelLayerNorm: Module {
  /// [C], of U(0, 1) at first.
  let gamma: Parameter
  /// [C], 0 at first.
  let beta: Parameter

  init(channels: Int) {
    gamma = .initialized([channels], by: .uniform(0, 1))
    beta = Parameter(.zeros([channels]))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let values = x.to(.float32).flattened(from: 1)
    let mean = values.mean(dims: [1]).reshaped([-1, 1, 1, 1])
    let deviation = values.std(dims: [1]).reshaped([-1, 1, 1, 1])
    let channel = [1, x.size(1), 1, 1]
    return (x - mean) / (deviation + 1e-5) * gamma.reshaped(channel) + beta.reshaped(channel)
  }
}

/// Instance normalisation whose gain and offset come from a style (Huang & Belongie, ICCV 2017). [N, C, H, W].
final class AdaptiveInstanceNorm: Module {
  /// [C], as published weights have it; nothing reads it.
  let runningMean: Buffer
  /// [C], as published weights have it; nothing reads it.
  let runningVar: Buffer

  init(channels: Int) {
    runningMean = Buffer(.zeros([channels]))
    runningVar = Buffer(.ones([channels]))
  }

  func callAsFunction(_ x: Tensor, style: AdaptiveStyle) -> Tensor {
    instanceNorm(x) * style.gain + style.offset
  }
}

/// Mirrored padding, convolution, normalisation, activation; [N, in, H, W] → [N, out, H′, W′].
final class ConvolutionBlock: Module, UnaryLayer {
  let conv: Conv2d
  let norm: Module?
  private let padding: Int
  private let isNormalized: Bool
  private let activation: Activation?

  init(
    _ inputChannels: Int, _ outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int,
    norm kind: BlockNorm = .none, activation: Activation? = Activation(relu)
  ) {
    conv = Conv2d(
      inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: kernelSize, stride: stride)
    norm =
      switch kind {
      case .none, .instance: nil
      case .layer: ChannelLayerNorm(channels: outputChannels)
      case .adaptive: AdaptiveInstanceNorm(channels: outputChannels)
      }
    (self.padding, isNormalized, self.activation) = (padding, kind == .instance, activation)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { self(x, style: nil) }

  /// An adaptive block in a style.
  func callAsFunction(_ x: Tensor, style: AdaptiveStyle?) -> Tensor {
    let y = normalized(conv(pad(x, Array(repeating: padding, count: 4), mode: .reflect)), style)
    return activation.map { $0(y) } ?? y
  }

  private func normalized(_ x: Tensor, _ style: AdaptiveStyle?) -> Tensor {
    if isNormalized { return instanceNorm(x) }
    if let layer = norm as? ChannelLayerNorm { return layer(x) }
    if let adaptive = norm as? AdaptiveInstanceNorm, let style { return adaptive(x, style: style) }
    return x
  }
}

/// x + two 3×3 blocks of x, the second without activation; [N, C, H, W].
final class StyledResidualBlock: Module {
  let model: [ConvolutionBlock]

  init(channels: Int, norm: BlockNorm) {
    model = [Activation(relu), nil].map {
      ConvolutionBlock(channels, channels, kernelSize: 3, padding: 1, norm: norm, activation: $0)
    }
  }

  func callAsFunction(_ x: Tensor, styles: (AdaptiveStyle, AdaptiveStyle)?) -> Tensor {
    x + model[1](model[0](x, style: styles?.0), style: styles?.1)
  }
}

/// Residual blocks one after the other; [N, C, H, W].
final class StyledResidualBlocks: Module, UnaryLayer {
  let model: [StyledResidualBlock]

  init(_ count: Int, channels: Int, norm: BlockNorm) {
    model = (0..<count).map { _ in StyledResidualBlock(channels: channels, norm: norm) }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { model.reduce(x) { $1($0, styles: nil) } }

  /// In a style: two for each block.
  func callAsFunction(_ x: Tensor, styles: [AdaptiveStyle]) -> Tensor {
    model.enumerated().reduce(x) { x, block in
      block.element(x, styles: (styles[2 * block.offset], styles[2 * block.offset + 1]))
    }
  }
}
