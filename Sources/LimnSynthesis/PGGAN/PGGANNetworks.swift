// The networks of "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
// (Karras, Aila, Laine & Lehtinen, ICLR 2018, arXiv:1710.10196; table 2 of appendix A.1).

import Foundation
import LimnTorch

/// The width of both networks at each resolution.
public struct PGGANWidth: Sendable, Equatable {
  /// Channels at scale s: min(base / 2^s, max).
  public var base = 8192
  /// The widest layer.
  public var max = 512

  /// nf(s) = min(`base` / 2^s, `max`).
  public init(base: Int = 8192, max: Int = 512) { (self.base, self.max) = (base, max) }

  /// nf(s); resolution 2^r uses nf(r − 1).
  public func channels(scale: Int) -> Int { Swift.max(1, Swift.min(base >> scale, max)) }

  /// Products of the convolutions for one image at `stage`, of the generator as of the discriminator.
  func products(stage: Int) -> Double {
    (0...stage).reduce(0) { sum, stage in
      let (narrow, wide) = (Double(channels(scale: stage + 1)), Double(channels(scale: stage)))
      let pixels = Double((4 << stage) * (4 << stage))
      return sum + pixels * narrow * (4 * wide + 9 * narrow)
    }
  }
}

/// How far the networks have grown: images of 4·2^`stage` pixels.
public struct PGGANGrowth: Sendable, Equatable {
  /// Doublings since 4×4 pixels.
  public var stage: Int
  /// The weight of the newest resolution while it fades in, in (0, 1]; 1 when it stands alone.
  public var alpha: Double

  /// Stage `stage`, faded in by `alpha`.
  public init(stage: Int, alpha: Double = 1) { (self.stage, self.alpha) = (stage, alpha) }

  /// Pixels along a side.
  public var resolution: Int { 4 << stage }
}

/// log2(resolution / 4): the number of blocks above 4×4.
func growthStages(resolution: Int) -> Int { resolution.trailingZeroBitCount - 2 }

private func lrelu(_ x: Tensor) -> Tensor { leakyReLU(x, 0.2) }

/// Latent → [N, C, 4, 4]: a dense layer with one bias for each channel, and gain √2 / 4.
final class LatentDense: Module {
  let weight: Parameter
  let bias: Parameter
  private let scale: Double
  private let channels: Int

  init(latentSize: Int, channels: Int) {
    weight = .initialized([channels * 16, latentSize], by: .normal())
    bias = Parameter(.zeros([channels]))
    scale = 2.0.squareRoot() / 4 / Double(latentSize).squareRoot()
    self.channels = channels
  }

  func callAsFunction(_ z: Tensor) -> Tensor {
    let x = linear(z, weight * scale).reshaped([-1, channels, 4, 4]) + bias.reshaped([1, channels, 1, 1])
    return x.contiguous(.channelsLast)  // convolutions are fastest so, and what follows keeps it
  }
}

/// Doubles the image: [N, in, H, W] → [N, out, 2H, 2W].
final class PGGANGeneratorBlock: Module {
  let conv0: EqualizedConv2d
  let conv1: EqualizedConv2d

  init(inputChannels: Int, outputChannels: Int) {
    conv0 = EqualizedConv2d(inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 3)
    conv1 = EqualizedConv2d(inputChannels: outputChannels, outputChannels: outputChannels, kernelSize: 3)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = pixelNorm(lrelu(conv0.upsampled(x)))  // [N, out, 2H, 2W]
    return pixelNorm(lrelu(conv1(x)))
  }
}

/// Halves the image: [N, in, H, W] → [N, out, H/2, W/2].
final class PGGANDiscriminatorBlock: Module {
  let conv0: EqualizedConv2d
  let conv1: EqualizedConv2d

  init(inputChannels: Int, outputChannels: Int) {
    conv0 = EqualizedConv2d(inputChannels: inputChannels, outputChannels: inputChannels, kernelSize: 3)
    conv1 = EqualizedConv2d(inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 3)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { lrelu(conv1.downsampled(lrelu(conv0(x)))) }
}

/// Latent [N, latent] → image [N, channels, R, R], linear, trained for the range [−1, 1].
public final class PGGANGenerator: Module {
  let dense: LatentDense
  let conv0: EqualizedConv2d
  let blocks: [PGGANGeneratorBlock]
  let toRGB: [EqualizedConv2d]
  /// The length of z.
  public let latentSize: Int

  /// - Parameters:
  ///   - resolution: a power of two, 4 to 1024.
  ///   - channels: of the image, 1 or 3.
  ///   - width: channels at each level, nf of the paper.
  ///   - latentSize: nf(0) where nil.
  public init(resolution: Int, channels: Int, width: PGGANWidth = .init(), latentSize: Int? = nil) {
    let stages = growthStages(resolution: resolution)
    let widths = (0...stages + 1).map(width.channels)
    self.latentSize = latentSize ?? widths[0]
    dense = LatentDense(latentSize: self.latentSize, channels: widths[1])
    conv0 = EqualizedConv2d(inputChannels: widths[1], outputChannels: widths[1], kernelSize: 3)
    blocks = (0..<stages).map {
      PGGANGeneratorBlock(inputChannels: widths[$0 + 1], outputChannels: widths[$0 + 2])
    }
    toRGB = (0...stages).map {
      EqualizedConv2d(inputChannels: widths[$0 + 1], outputChannels: channels, kernelSize: 1, gain: 1)
    }
  }

  /// The fully grown generator.
  public func callAsFunction(_ z: Tensor) -> Tensor { self(z, growth: PGGANGrowth(stage: blocks.count)) }

  /// z: [N, latent] → [N, channels, R, R] with R = `growth.resolution`.
  public func callAsFunction(_ z: Tensor, growth: PGGANGrowth) -> Tensor {
    image(of: features(of: z), growth: growth)
  }

  /// What the first layer makes of a latent: [N, latent] → [N, nf(1), 4, 4].
  public func features(of z: Tensor) -> Tensor { pixelNorm(lrelu(dense(pixelNorm(z)))) }

  /// The image of the first layer's features: [N, nf(1), 4, 4] → [N, channels, R, R].
  public func image(of features: Tensor, growth: PGGANGrowth) -> Tensor {
    var x = pixelNorm(lrelu(conv0(features)))  // [N, nf(1), 4, 4]
    var previous = x
    for block in blocks.prefix(growth.stage) { (previous, x) = (x, block(x)) }
    let image = toRGB[growth.stage](x)
    guard growth.stage > 0, growth.alpha < 1 else { return image }
    let coarse = interpolate(toRGB[growth.stage - 1](previous), scale: 2)
    return Tensor.lerp(coarse.to(.float32), image.to(.float32), weight: growth.alpha)
  }
}

/// Image [N, channels, R, R] → critic value [N].
public final class PGGANDiscriminator: Module {
  let fromRGB: [EqualizedConv2d]
  let blocks: [PGGANDiscriminatorBlock]
  let conv: EqualizedConv2d
  let dense0: EqualizedLinear
  let dense1: EqualizedLinear

  /// - Parameters:
  ///   - resolution: a power of two, 4 to 1024.
  ///   - channels: of the image, 1 or 3.
  ///   - width: channels at each level, nf of the paper.
  public init(resolution: Int, channels: Int, width: PGGANWidth = .init()) {
    let stages = growthStages(resolution: resolution)
    let widths = (0...stages + 1).map(width.channels)
    fromRGB = (0...stages).map {
      EqualizedConv2d(inputChannels: channels, outputChannels: widths[$0 + 1], kernelSize: 1)
    }
    blocks = (0..<stages).map {
      PGGANDiscriminatorBlock(inputChannels: widths[$0 + 2], outputChannels: widths[$0 + 1])
    }
    conv = EqualizedConv2d(inputChannels: widths[1] + 1, outputChannels: widths[1], kernelSize: 3)
    dense0 = EqualizedLinear(inputFeatures: widths[1] * 16, outputFeatures: widths[0])
    dense1 = EqualizedLinear(inputFeatures: widths[0], outputFeatures: 1, gain: 1)
  }

  /// - Parameters:
  ///   - image: [N, channels, R, R] with R = `growth.resolution`.
  ///   - growth: the stage and how far it has faded in.
  ///   - sets: how many batches lie one after the other in `image`; the minibatch statistic keeps them apart.
  /// - Returns: the critic's scores, [N], float32.
  public func callAsFunction(_ image: Tensor, growth: PGGANGrowth, sets: Int = 1) -> Tensor {
    var x = lrelu(fromRGB[growth.stage](image).contiguous(.channelsLast))
    for index in (0..<growth.stage).reversed() {
      x = blocks[index](x)
      if index == growth.stage - 1, growth.alpha < 1 {
        let coarse = lrelu(fromRGB[index](avgPool2d(image, 2)))
        x = Tensor.lerp(coarse, x, weight: growth.alpha)
      }
    }
    // The statistic divides by a variance that bfloat16 would round away.
    let described = x.to(.float32).chunked(sets).map { minibatchStandardDeviation($0) }
    x = lrelu(conv(described.count == 1 ? described[0] : Tensor.cat(described)))  // [N, nf(1), 4, 4]
    return dense1(lrelu(dense0(x.flattened(from: 1)))).squeezed(1).to(.float32)
  }
}
