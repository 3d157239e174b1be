// MUNIT's auto-encoder of one domain (Huang, Liu, Belongie & Kautz, ECCV 2018, arXiv:1804.04732, section 3 and
// appendix B).

import LimnTorch

/// Image → content and style → image. The style, 8 numbers, sets gain and offset in the decoder's residual blocks.
/// 15,007,369 parameters for one channel.
public final class StyleAutoEncoder: Module {
  let encStyle: StyleEncoder
  let encContent: ContentEncoder
  let dec: ContentDecoder
  let mlp: StylePerceptron
  private let widths: ContentWidths
  /// Numbers of a style.
  public let styles: Int

  /// - Parameters:
  ///   - channels: of the images.
  ///   - widths: of content encoder and decoder.
  ///   - styles: numbers of a style (8 in the paper).
  ///   - hidden: neurons of each layer between style and gains (256).
  public init(channels: Int, widths: ContentWidths = ContentWidths(), styles: Int = 8, hidden: Int = 256) {
    (self.widths, self.styles) = (widths, styles)
    encStyle = StyleEncoder(inputChannels: channels, width: widths.width, styles: styles)
    encContent = ContentEncoder(inputChannels: channels, widths: widths)
    dec = ContentDecoder(outputChannels: channels, widths: widths, norm: .adaptive)
    mlp = StylePerceptron(inputs: styles, hidden: hidden, outputs: 4 * widths.blocks * widths.contentChannels)
    super.init()
    drawWeights(.heNormal())
  }

  /// - Parameter images: [N, C, H, W] in [−1, 1], sides multiples of 4.
  /// - Returns: [N, 4·width, H/4, W/4].
  public func content(_ images: Tensor) -> Tensor { encContent(images) }

  /// - Parameter images: [N, C, H, W] in [−1, 1], sides at least 32.
  /// - Returns: [N, styles, 1, 1]; of all images together about N(0, 1), as ``randomStyles(_:_:)`` draws them.
  public func style(_ images: Tensor) -> Tensor { encStyle(images) }

  /// `count` styles of N(0, 1), [count, styles, 1, 1] on the generator's device.
  public func randomStyles(_ count: Int, _ generator: Generator) -> Tensor {
    .randn([count, styles, 1, 1], generator: generator)
  }

  /// - Parameters:
  ///   - content: [N, 4·width, H/4, W/4].
  ///   - style: [N, styles, 1, 1].
  /// - Returns: [N, C, H, W] in (−1, 1), float32.
  public func decode(_ content: Tensor, style: Tensor) -> Tensor {
    let channels = widths.contentChannels
    let parts = mlp(style.flattened(from: 1)).split(size: channels, dim: 1)
      .map { $0.reshaped([-1, channels, 1, 1]) }
    // For each layer its offset, then its gain.
    let styles = stride(from: 0, to: parts.count, by: 2).map {
      AdaptiveStyle(offset: parts[$0], gain: parts[$0 + 1])
    }
    return dec(content, styles: styles)
  }
}

/// Three fully connected layers, ReLU between: [N, inputs] → [N, outputs].
final class StylePerceptron: Module {
  let model: [PerceptronLayer]

  init(inputs: Int, hidden: Int, outputs: Int) {
    model = [(inputs, hidden), (hidden, hidden), (hidden, outputs)].map { PerceptronLayer($0, $1) }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    model[2].fc(relu(model[1].fc(relu(model[0].fc(x)))))
  }
}

/// A fully connected layer under its published name.
final class PerceptronLayer: Module {
  let fc: Linear

  init(_ inputs: Int, _ outputs: Int) { fc = Linear(inputFeatures: inputs, outputFeatures: outputs) }
}
