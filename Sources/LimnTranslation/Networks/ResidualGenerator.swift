// The generator of CycleGAN (Zhu, Park, Isola & Efros, ICCV 2017, arXiv:1703.10593, appendix 7.2, after Johnson et al.
// 2016), as RegGAN takes it over.

import LimnTorch

extension UnaryLayer where Self == Activation {
  /// Mirrors [N, C, H, W] beyond its border by as many pixels on every side; the edge is not repeated.
  static func reflectionPad(_ pixels: Int) -> Activation {
    Activation { pad($0, [pixels, pixels, pixels, pixels], mode: .reflect) }
  }
}

/// x + F(x), F being two mirrored 3×3 convolutions with instance normalisation, ReLU between; [N, C, H, W], no
/// normalised axis of one pixel, at least 2 pixels a side.
public final class ResidualBlock: Module, UnaryLayer {
  let convBlock: Sequential

  /// For `channels` in and out.
  public init(channels: Int) {
    func convolution() -> Conv2d {
      Conv2d(inputChannels: channels, outputChannels: channels, kernelSize: 3)
    }
    convBlock = Sequential(
      .reflectionPad(1), convolution(), InstanceNorm2d(channels: channels), Activation(relu),
      .reflectionPad(1), convolution(), InstanceNorm2d(channels: channels))
  }

  /// The output has the shape of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor { x + convBlock(x) }
}

/// Image [N, in, H, W] → image [N, out, H, W] in (−1, 1), sides multiples of 4.
///
/// A 7×7 convolution, two that halve the image, residual blocks, two transposed ones that double it, a 7×7 convolution.
/// Instance normalisation has no weights. 11,365,633 parameters for one channel and 9 blocks.
public final class ResidualGenerator: Module {
  let modelHead: Sequential
  let modelBody: [ResidualBlock]
  let modelTail: Sequential

  /// - Parameters:
  ///   - inputChannels: of the source.
  ///   - outputChannels: of the result.
  ///   - width: channels at full size (64 in the paper).
  ///   - blocks: residual blocks (9 in the paper, 6 below 256 pixels).
  public init(inputChannels: Int, outputChannels: Int, width: Int = 64, blocks: Int = 9) {
    modelHead = Sequential(
      .reflectionPad(3),
      LargeKernelConv2d(inputChannels: inputChannels, outputChannels: width, kernelSize: 7),
      InstanceNorm2d(channels: width), Activation(relu),
      Conv2d(inputChannels: width, outputChannels: 2 * width, kernelSize: 3, stride: 2, padding: 1),
      InstanceNorm2d(channels: 2 * width), Activation(relu),
      Conv2d(inputChannels: 2 * width, outputChannels: 4 * width, kernelSize: 3, stride: 2, padding: 1),
      InstanceNorm2d(channels: 4 * width), Activation(relu))
    modelBody = (0..<blocks).map { _ in ResidualBlock(channels: 4 * width) }
    modelTail = Sequential(
      ConvTranspose2d(
        inputChannels: 4 * width, outputChannels: 2 * width, kernelSize: 3, stride: 2, padding: 1,
        outputPadding: 1),
      InstanceNorm2d(channels: 2 * width), Activation(relu),
      ConvTranspose2d(
        inputChannels: 2 * width, outputChannels: width, kernelSize: 3, stride: 2, padding: 1,
        outputPadding: 1),
      InstanceNorm2d(channels: width), Activation(relu), .reflectionPad(3),
      LargeKernelConv2d(inputChannels: width, outputChannels: outputChannels, kernelSize: 7))
  }

  /// Also as pytorch-CycleGAN-and-pix2pix names them; Reg-GAN's names are this module's.
  public override func renamed(_ published: [String: Tensor]) -> [String: Tensor] {
    PublishedNames.renamed(
      published, Self.publishedNames(blocks: modelBody.count), dropping: PublishedNames.runningStatistics)
  }

  /// Translates images.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    // Measured: the ends are faster with the channels last, the gradients of the 3×3 convolutions between them without.
    let head = modelHead(x.contiguous(.channelsLast)).relaid(.contiguous)
    let body = modelBody.reduce(head) { $1($0) }
    return tanh(modelTail(body.relaid(.channelsLast))).atLeastFloat32
  }
}
