// The 70×70 PatchGAN of pix2pix (Isola et al., CVPR 2017, appendix 6.1.2) and its losses (eq. 1–4).

import LimnTorch

/// A convolution of the PatchGAN with its normalisation and LeakyReLU.
final class PatchGANLayer: Module {
  let conv: Pix2PixConv
  let norm: Pix2PixNorm?
  private let activates: Bool

  init(
    inputChannels: Int, outputChannels: Int, stride: Int, norm: Pix2PixNormalization?, activates: Bool = true
  ) {
    conv = Pix2PixConv(
      inputChannels: inputChannels, outputChannels: outputChannels, stride: stride, bias: norm == nil)
    self.norm = norm.map { Pix2PixNorm(channels: outputChannels, kind: $0) }
    self.activates = activates
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var x = conv(x)
    if let norm { x = norm(x) }
    return activates ? leakyReLU(x, 0.2) : x
  }
}

/// Judges overlapping patches of a (condition, image) pair: [N, C, S, S] each → logits
/// [N, 1, S/8 − 2, S/8 − 2].
public final class PatchGANDiscriminator: Module {
  let layers: [PatchGANLayer]

  /// - Parameters:
  ///   - inputChannels: of condition and image together.
  ///   - width: channels of the first level (64 in the paper).
  ///   - normalization: between the levels (batch in the paper).
  public init(inputChannels: Int, width: Int = 64, normalization: Pix2PixNormalization = .batch) {
    layers = [
      PatchGANLayer(inputChannels: inputChannels, outputChannels: width, stride: 2, norm: nil),
      PatchGANLayer(inputChannels: width, outputChannels: width * 2, stride: 2, norm: normalization),
      PatchGANLayer(inputChannels: width * 2, outputChannels: width * 4, stride: 2, norm: normalization),
      PatchGANLayer(inputChannels: width * 4, outputChannels: width * 8, stride: 1, norm: normalization),
      PatchGANLayer(inputChannels: width * 8, outputChannels: 1, stride: 1, norm: nil, activates: false),
    ]
  }

  /// Also as pytorch-CycleGAN-and-pix2pix names them.
  public override func renamed(_ published: [String: Tensor]) -> [String: Tensor] {
    PublishedNames.renamed(published, Self.publishedNames, dropping: PublishedNames.runningStatistics)
  }

  /// Products of the convolutions for one image of `size` × `size` pixels, borders not counted.
  package func products(size: Int) -> Double {
    zip(layers, [2, 4, 8, 8, 8]).reduce(0) { sum, layer in
      let side = size / layer.1
      return sum + Double(side * side * layer.0.conv.weight.count)
    }
  }

  /// The smallest side whose last patch map is not empty.
  public static let minimumSize = 32

  /// Both [N, C, S, S], S at least ``minimumSize`` → logits [N, 1, S/8 − 2, S/8 − 2], float32.
  public func callAsFunction(condition: Tensor, image: Tensor) -> Tensor {
    layers.reduce(Tensor.cat([condition, image], dim: 1).contiguous(.channelsLast)) { $1($0) }.to(.float32)
  }
}

/// The losses of pix2pix.
public enum Pix2PixLoss {
  /// Half the binary cross-entropy of real and fake patches (§3.3 halves the objective for D).
  public static func discriminator(real: Tensor, fake: Tensor) -> Tensor {
    (adversarial(real, isReal: true) + adversarial(fake, isReal: false)) * 0.5
  }

  /// Binary cross-entropy of logits against all real or all fake.
  public static func adversarial(_ logits: Tensor, isReal: Bool) -> Tensor {
    binaryCrossEntropyWithLogits(logits, isReal ? logits.onesLike() : logits.zerosLike())
  }
}
