// The generator of "Image-to-Image Translation with Conditional Adversarial Networks"
// (Isola, Zhu, Zhou & Efros, CVPR 2017, arXiv:1611.07004; appendix 6.1).

import LimnTorch

/// What normalises the layers of pix2pix. Both use the statistics at hand, in training as at test time; with
/// one image in the batch they are the same.
public enum Pix2PixNormalization: String, Sendable, Codable, CaseIterable { case batch, instance }

/// A normalisation with learned gain, N(1, 0.02) at first, and offset.
final class Pix2PixNorm: Module {
  let weight: Parameter
  let bias: Parameter
  private let kind: Pix2PixNormalization

  init(channels: Int, kind: Pix2PixNormalization) {
    weight = .initialized([channels], by: .normal(mean: 1, std: 0.02))
    bias = Parameter(.zeros([channels]))
    self.kind = kind
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch kind {
    case .batch: batchNorm(x, weight: weight, bias: bias, training: true)
    case .instance: instanceNorm(x, weight: weight, bias: bias)
    }
  }
}

/// A convolution of pix2pix: 4×4, weights N(0, 0.02), bias 0 where there is one.
final class Pix2PixConv: Module {
  let weight: Parameter
  let bias: Parameter?
  private let stride: Int
  private let transposes: Bool

  init(inputChannels: Int, outputChannels: Int, stride: Int = 2, transposes: Bool = false, bias: Bool = false)
  {
    let shape = transposes ? [inputChannels, outputChannels, 4, 4] : [outputChannels, inputChannels, 4, 4]
    weight = .initialized(shape, by: .normal(std: 0.02))
    self.bias = bias ? Parameter(.zeros([outputChannels])) : nil
    (self.stride, self.transposes) = (stride, transposes)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    transposes
      ? convTranspose2d(x, weight, bias, stride: stride, padding: 1)
      : conv2d(x, weight, bias, stride: stride, padding: 1)
  }
}

/// One level down: [LeakyReLU →] convolution [→ normalisation]; [N, in, H, W] → [N, out, H/2, W/2].
final class UNetDown: Module {
  let conv: Pix2PixConv
  let norm: Pix2PixNorm?
  private let isOutermost: Bool

  init(inputChannels: Int, outputChannels: Int, norm: Pix2PixNormalization?, isOutermost: Bool) {
    conv = Pix2PixConv(inputChannels: inputChannels, outputChannels: outputChannels)
    self.norm = norm.map { Pix2PixNorm(channels: outputChannels, kind: $0) }
    self.isOutermost = isOutermost
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    // Convolutions are fastest with the channels last, and what follows the first one keeps it so.
    let x = isOutermost ? conv(x).contiguous(.channelsLast) : conv(leakyReLU(x, 0.2))
    return norm.map { $0(x) } ?? x
  }
}

/// One level up: ReLU → transposed convolution [→ normalisation] [→ dropout]; [N, in, H, W] →
/// [N, out, 2H, 2W].
final class UNetUp: Module {
  let conv: Pix2PixConv
  let norm: Pix2PixNorm?
  private let drops: Bool

  init(inputChannels: Int, outputChannels: Int, norm: Pix2PixNormalization?, drops: Bool) {
    conv = Pix2PixConv(
      inputChannels: inputChannels, outputChannels: outputChannels, transposes: true, bias: norm == nil)
    self.norm = norm.map { Pix2PixNorm(channels: outputChannels, kind: $0) }
    self.drops = drops
  }

  func callAsFunction(_ x: Tensor, noise: Generator?) -> Tensor {
    var x = conv(relu(x))
    if let norm { x = norm(x) }
    guard drops, let noise else { return x }
    return dropout(x, probability: 0.5, generator: noise)
  }
}

/// Image [N, in, S, S] → image [N, out, S, S] in (−1, 1).
///
/// log2(S) levels of width 64·(1, 2, 4, 8, 8, …), so that the bottleneck is one pixel; at 256 this is the
/// published network. Level 0 is the outermost, in `down` as in `up`. Dropout acts on the innermost levels of
/// the widest decoder layers, three at most, and stays on at test time, where it is the generator's only
/// noise.
public final class UNetGenerator: Module {
  let down: [UNetDown]
  let up: [UNetUp]

  /// - Parameters:
  ///   - inputChannels: of the condition.
  ///   - outputChannels: of the image painted.
  ///   - size: S, a power of two from 16.
  ///   - width: channels of the outermost level (64 in the paper).
  ///   - normalization: between the levels (batch in the paper).
  public init(
    inputChannels: Int, outputChannels: Int, size: Int, width: Int = 64,
    normalization: Pix2PixNormalization = .batch
  ) {
    let levels = size.trailingZeroBitCount
    let widths = (0..<levels).map { width * Swift.min(1 << $0, 8) }
    let last = levels - 1
    down = (0..<levels).map { level in
      UNetDown(
        inputChannels: level == 0 ? inputChannels : widths[level - 1], outputChannels: widths[level],
        norm: level == 0 || level == last ? nil : normalization, isOutermost: level == 0)
    }
    up = (0..<levels).map { level in
      UNetUp(
        inputChannels: widths[level] * (level == last ? 1 : 2),
        outputChannels: level == 0 ? outputChannels : widths[level - 1],
        norm: level == 0 ? nil : normalization,
        drops: level > last - 3 && level > 0 && widths[level - 1] == 8 * width)
    }
  }

  /// Also as pytorch-CycleGAN-and-pix2pix names them.
  public override func renamed(_ published: [String: Tensor]) -> [String: Tensor] {
    PublishedNames.renamed(
      published, Self.publishedNames(levels: down.count), dropping: PublishedNames.runningStatistics)
  }

  /// Products of the convolutions for one image.
  package var products: Double {
    down.indices.reduce(0) { sum, level in
      let pixels = 1 << (2 * (down.count - 1 - level))  // on the coarser side
      return sum + Double(pixels * (down[level].conv.weight.count + up[level].conv.weight.count))
    }
  }

  /// Translates images.
  /// - Parameters:
  ///   - x: [N, in, S, S].
  ///   - noise: what dropout draws from; nil leaves nothing out.
  /// - Returns: [N, out, S, S] in (−1, 1).
  public func callAsFunction(_ x: Tensor, noise: Generator?) -> Tensor {
    var skips: [Tensor] = []
    for level in down { skips.append(level(skips.last ?? x)) }
    var y = up[up.count - 1](skips[skips.count - 1], noise: noise)
    for level in (0..<up.count - 1).reversed() {
      // The next layer rectifies, and ReLU(LeakyReLU(e)) = ReLU(e): the skip may be taken before its
      // activation.
      y = up[level](Tensor.cat([skips[level], y], dim: 1), noise: noise)
    }
    return tanh(y).to(.float32)
  }
}
