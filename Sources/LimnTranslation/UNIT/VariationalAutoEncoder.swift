// UNIT's auto-encoder of one domain (Liu, Breuel & Kautz, NeurIPS 2017, arXiv:1703.00848, section 3), of the sizes and
// names of its authors' later code.

import LimnTorch

/// Image → code → image. The code's distribution is normal with deviation 1; the encoder gives its mean. 11,127,937
/// parameters for one channel.
public final class VariationalAutoEncoder: Module {
  let enc: ContentEncoder
  let dec: ContentDecoder

  /// For images of `channels`.
  public init(channels: Int, widths: ContentWidths = ContentWidths()) {
    enc = ContentEncoder(inputChannels: channels, widths: widths)
    dec = ContentDecoder(outputChannels: channels, widths: widths, norm: .instance)
    super.init()
    drawWeights(.heNormal())
  }

  /// The mean of the code's distribution.
  /// - Parameter images: [N, C, H, W] in [−1, 1], sides multiples of 4.
  /// - Returns: [N, 4·width, H/4, W/4].
  public func encode(_ images: Tensor) -> Tensor { enc(images) }

  /// - Parameter code: [N, 4·width, H/4, W/4].
  /// - Returns: [N, C, H, W] in (−1, 1), float32.
  public func decode(_ code: Tensor) -> Tensor { dec(code) }
}
