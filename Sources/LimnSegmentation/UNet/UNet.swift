// "U-Net: Convolutional Networks for Biomedical Image Segmentation" (Ronneberger, Fischer & Brox, MICCAI 2015,
// arXiv:1505.04597): figure 1, the network that its authors released, and the settings in use today.

import LimnTorch

/// A 3×3 convolution, normalised or not, and rectified.
final class UNetConvolution: Module, UnaryLayer {
  let conv: Conv2d
  let norm: Module?

  init(_ inputChannels: Int, _ outputChannels: Int, _ configuration: UNetConfiguration) {
    let isNormalized = configuration.normalization != .none
    conv = Conv2d(
      inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 3,
      padding: configuration.padding == .same ? 1 : 0, bias: !isNormalized)
    norm =
      switch configuration.normalization {
      case .none: nil
      case .instance: InstanceNorm2d(channels: outputChannels, affine: true)
      case .batch: BatchNorm2d(channels: outputChannels)
      }
    super.init()
    configuration.begin(conv)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = conv(x)
    return relu((norm as? any UnaryLayer)?(y) ?? y)
  }
}

/// Two convolutions, [N, in, H, W] → [N, out, H − 4, W − 4], or of the same size with padding.
final class UNetBlock: Module, UnaryLayer {
  let first: UNetConvolution
  let second: UNetConvolution
  private let dropout: Dropout?

  init(_ inputChannels: Int, _ outputChannels: Int, _ configuration: UNetConfiguration, drops: Bool = false) {
    first = UNetConvolution(inputChannels, outputChannels, configuration)
    second = UNetConvolution(outputChannels, outputChannels, configuration)
    dropout = drops ? Dropout(0.5) : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = second(first(x))
    guard let dropout, isTraining else { return y }
    return dropout(y)
  }
}

/// A 2×2 up-convolution, the skip beside it, two convolutions.
final class UNetUpBlock: Module {
  let up: ConvTranspose2d
  let block: UNetBlock
  private let rectifies: Bool

  init(from deeper: Int, to width: Int, upChannels: Int, _ configuration: UNetConfiguration) {
    up = ConvTranspose2d(inputChannels: deeper, outputChannels: upChannels, kernelSize: 2, stride: 2)
    block = UNetBlock(width + upChannels, width, configuration)
    rectifies = configuration.variant == .released
    super.init()
    configuration.begin(up)
  }

  /// - Parameters:
  ///   - x: [N, deeper, h, w].
  ///   - skip: [N, width, H, W] with H at least 2h; its middle is taken.
  /// - Returns: [N, width, 2h − 4, 2w − 4], or of 2h and 2w with padding.
  func callAsFunction(_ x: Tensor, skip: Tensor) -> Tensor {
    let raised = rectifies ? relu(up(x)) : up(x)  // [N, upChannels, 2h, 2w]
    return block(.cat([skip.centre(like: raised), raised], dim: 1))
  }
}

/// Image [N, C, H, W] → class scores [N, K, H − 2·margin, W − 2·margin].
public final class UNet: Module {
  public let configuration: UNetConfiguration
  let down: [UNetBlock]
  let up: [UNetUpBlock]
  let head: Conv2d
  /// The answers of the decoder's coarser levels, finest first.
  let auxiliary: [Conv2d]

  public init(_ configuration: UNetConfiguration) {
    self.configuration = configuration
    let widths = configuration.widths
    let last = configuration.levels - 1
    down = (0...last).map { level in
      UNetBlock(
        level == 0 ? configuration.inputChannels : widths[level - 1], widths[level], configuration,
        drops: level > last - configuration.dropoutLevels)
    }
    up = (0..<last).map { level in
      UNetUpBlock(
        from: widths[level + 1], to: widths[level],
        upChannels: configuration.variant == .released && level == 0 ? 2 * widths[0] : widths[level],
        configuration)
    }
    func answer(_ width: Int) -> Conv2d {
      Conv2d(inputChannels: width, outputChannels: configuration.classCount, kernelSize: 1)
    }
    head = answer(widths[0])
    auxiliary = configuration.hasDeepSupervision ? (1..<max(last, 1)).map { answer(widths[$0]) } : []
    super.init()
    for layer in [head] + auxiliary { configuration.begin(layer) }
    layOut(format)
  }

  /// Convolutions are a third faster with the channels last (of images of one channel the weights decide), but
  /// libtorch's gradient of instance statistics is three times slower so.
  private var format: Tensor.MemoryFormat {
    configuration.normalization == .instance ? .contiguous : .channelsLast
  }

  /// The scores at full resolution.
  public func callAsFunction(_ x: Tensor) -> Tensor { head(features(x)[0]) }

  /// The scores of every level that answers, finest first; coarser ones have half the pixels a side each.
  public func scores(_ x: Tensor) -> [Tensor] {
    let features = features(x)
    return zip([head] + auxiliary, features).map { $0($1) }
  }

  /// The parameters that learn; the others are frozen.
  func learnedParameters(_ layers: TrainedLayers) -> [(key: String, parameter: Parameter)] {
    guard layers == .last else { return namedParameters }
    requireGradients(false)
    for layer in [head] + auxiliary { layer.requireGradients(true) }
    return namedParameters.filter(\.parameter.requiresGrad)
  }

  /// What the decoder's levels give, finest first.
  private func features(_ x: Tensor) -> [Tensor] {
    var kept = [down[0](x.contiguous(isTraining ? format : .channelsLast))]
    for level in 1..<down.count { kept.append(down[level](maxPool2d(kept[level - 1], 2))) }
    var features = [kept[down.count - 1]]
    for level in up.indices.reversed() {
      features.append(up[level](features[features.count - 1], skip: kept[level]))
    }
    return up.isEmpty ? features : features.dropFirst().reversed()
  }
}

extension UNetConfiguration {
  /// He's normal weights (the paper, section 3), or Glorot's (the released network); biases 0.
  fileprivate func begin(_ layer: Module) {
    let rule: Initializer = variant == .released ? .xavierUniform() : .heNormal()
    for (key, parameter) in layer.namedParameters {
      (key == "bias" ? .constant(0) : rule)(parameter, generator: Initialization.generator)
    }
  }
}

extension Tensor {
  /// The middle of the last two axes, as large as those of another tensor.
  func centre(like other: Tensor) -> Tensor { centre(height: other.size(-2), width: other.size(-1)) }

  /// The middle of the last two axes.
  func centre(height: Int, width: Int) -> Tensor {
    narrowed(dim: -2, start: (size(-2) - height) / 2, length: height)
      .narrowed(dim: -1, start: (size(-1) - width) / 2, length: width)
  }
}
