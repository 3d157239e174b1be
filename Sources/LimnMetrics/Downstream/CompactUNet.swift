// A small segmenter after "U-Net: Convolutional Networks for Biomedical Image Segmentation" (Ronneberger,
// Fischer & Brox, MICCAI 2015), with padded convolutions and instance normalisation, to compare training data.

import LimnTorch

/// Two 3×3 convolutions, each normalised and rectified; [N, in, H, W] → [N, out, H, W].
final class DoubleConvolution: Module, UnaryLayer {
  let conv1: Conv2d
  let norm1: InstanceNorm2d
  let conv2: Conv2d
  let norm2: InstanceNorm2d

  init(_ inputChannels: Int, _ outputChannels: Int) {
    func conv(_ channels: Int) -> Conv2d {
      Conv2d(
        inputChannels: channels, outputChannels: outputChannels, kernelSize: 3, padding: 1, bias: false)
    }
    (conv1, conv2) = (conv(inputChannels), conv(outputChannels))
    norm1 = InstanceNorm2d(channels: outputChannels, affine: true)
    norm2 = InstanceNorm2d(channels: outputChannels, affine: true)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { relu(norm2(conv2(relu(norm1(conv1(x)))))) }
}

/// Image [N, C, S, S] → class scores [N, K, S, S]; S is a multiple of 8.
final class CompactUNet: Module, UnaryLayer {
  let down: [DoubleConvolution]
  let up: [DoubleConvolution]
  let head: Conv2d

  /// Four levels of `width`, 2·, 4· and 8·`width` channels.
  init(inputChannels: Int, classCount: Int, width: Int = 16) {
    let widths = (0..<4).map { width << $0 }
    down = zip([inputChannels] + widths, widths).map { DoubleConvolution($0, $1) }
    up = (0..<3).map { DoubleConvolution(widths[$0] + widths[$0 + 1], widths[$0]) }
    head = Conv2d(inputChannels: width, outputChannels: classCount, kernelSize: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var kept = [down[0](x)]
    for level in 1..<down.count { kept.append(down[level](maxPool2d(kept[level - 1], 2))) }
    var y = kept[down.count - 1]
    for level in up.indices.reversed() {
      y = up[level](.cat([interpolate(y, scale: 2, mode: .nearest), kept[level]], dim: 1))
    }
    return head(y)
  }
}
