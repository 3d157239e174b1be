// Encoders and decoder of UNIT and MUNIT (MUNIT, appendix B).

import LimnTorch

/// The sizes of UNIT's and MUNIT's auto-encoders.
public struct ContentWidths: Sendable, Equatable {
  /// Channels at full size.
  public var width: Int
  /// Halvings of the image; the channels double with each.
  public var halvings: Int
  /// Residual blocks of the encoder, and as many of the decoder.
  public var blocks: Int

  /// The published sizes, unless given.
  public init(width: Int = 64, halvings: Int = 2, blocks: Int = 4) {
    (self.width, self.halvings, self.blocks) = (width, halvings, blocks)
  }

  /// Channels of the content.
  public var contentChannels: Int { width << halvings }
}

/// Image [N, C, H, W], H and W multiples of 4 → content [N, 4·width, H/4, W/4] (of the published sizes), float32.
public final class ContentEncoder: Module, UnaryLayer {
  let model: Sequential

  init(inputChannels: Int, widths: ContentWidths) {
    let first = ConvolutionBlock(inputChannels, widths.width, kernelSize: 7, padding: 3, norm: .instance)
    let levels = (0..<widths.halvings).map { level in
      let channels = widths.width << level
      return ConvolutionBlock(channels, 2 * channels, kernelSize: 4, stride: 2, padding: 1, norm: .instance)
    }
    let blocks = StyledResidualBlocks(widths.blocks, channels: widths.contentChannels, norm: .instance)
    model = Sequential([first] + levels + [blocks])
  }

  /// The content of images.
  public func callAsFunction(_ x: Tensor) -> Tensor { model(x).to(.float32) }
}

/// Image [N, C, H, W], H and W at least 32 → style [N, styles, 1, 1], float32. Nothing is normalised, since that would
/// take the style away.
public final class StyleEncoder: Module, UnaryLayer {
  let model: Sequential

  init(inputChannels: Int, width: Int, styles: Int) {
    let widths = [width, 2 * width, 4 * width, 4 * width, 4 * width]
    let levels = zip(widths, widths.dropFirst()).map {
      ConvolutionBlock($0, $1, kernelSize: 4, stride: 2, padding: 1)
    }
    model = Sequential(
      [ConvolutionBlock(inputChannels, width, kernelSize: 7, padding: 3)] + levels
        + [
          Activation { $0.mean(dims: [2, 3], keepDim: true) },
          Conv2d(inputChannels: 4 * width, outputChannels: styles, kernelSize: 1),
        ])
  }

  /// The style of images.
  public func callAsFunction(_ x: Tensor) -> Tensor { model(x).to(.float32) }
}

/// Content [N, 4·width, H/4, W/4] → image [N, C, H, W] in (−1, 1), float32.
public final class ContentDecoder: Module {
  let model: Sequential
  private let blocks: StyledResidualBlocks

  init(outputChannels: Int, widths: ContentWidths, norm: BlockNorm) {
    blocks = StyledResidualBlocks(widths.blocks, channels: widths.contentChannels, norm: norm)
    let levels = (0..<widths.halvings).flatMap { level -> [any UnaryLayer] in
      let channels = widths.contentChannels >> level
      return [
        Activation { interpolate($0, scale: 2) },
        ConvolutionBlock(channels, channels / 2, kernelSize: 5, padding: 2, norm: .layer),
      ]
    }
    let last = ConvolutionBlock(
      widths.width, outputChannels, kernelSize: 7, padding: 3, activation: Activation(tanh))
    model = Sequential([blocks] + levels + [last])
  }

  public override var children: [(key: String, module: Module)] { [("model", model)] }

  /// The image of a content.
  func callAsFunction(_ content: Tensor) -> Tensor { model(content).to(.float32) }

  /// The image of a content in a style; `styles` are two for each residual block.
  func callAsFunction(_ content: Tensor, styles: [AdaptiveStyle]) -> Tensor {
    model.layers.dropFirst().reduce(blocks(content, styles: styles)) { $1($0) }.to(.float32)
  }
}
