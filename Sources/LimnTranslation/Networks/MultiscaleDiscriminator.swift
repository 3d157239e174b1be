// The discriminator of UNIT and MUNIT at several scales (Wang et al., CVPR 2018; MUNIT, appendix B), with the
// least-squares losses of Mao et al. (ICCV 2017).

import LimnTorch

/// Judges patches of images [N, C, H, W] at full size, half, quarter …, each by a network of its own. 8,265,027
/// parameters for one channel.
public final class MultiscaleDiscriminator: Module {
  let cnns: [Sequential]

  /// - Parameters:
  ///   - inputChannels: C.
  ///   - width: channels of the first level (64 in the paper); they double with each.
  ///   - levels: halvings at each scale (4).
  ///   - scales: how many (3).
  public init(inputChannels: Int, width: Int = 64, levels: Int = 4, scales: Int = 3) {
    cnns = (0..<scales).map { _ in
      let channels = [inputChannels] + (0..<levels).map { width << $0 }
      let blocks = zip(channels, channels.dropFirst()).map {
        ConvolutionBlock(
          $0, $1, kernelSize: 4, stride: 2, padding: 1, activation: Activation { leakyReLU($0, 0.2) })
      }
      return Sequential(
        blocks + [Conv2d(inputChannels: channels[levels], outputChannels: 1, kernelSize: 1)])
    }
  }

  /// The smallest side of an image of which the smallest scale can still be judged: 64 pixels of the published sizes.
  public static func minimumSize(levels: Int = 4, scales: Int = 3) -> Int { 1 << (levels + scales - 1) }

  /// The scores of the patches at each scale, [N, 1, h, w] float32, no sigmoid; the largest scale first.
  public func callAsFunction(_ x: Tensor) -> [Tensor] {
    var scaled = x
    return cnns.enumerated().map { scale, network in
      if scale > 0 { scaled = Self.halved(scaled) }
      return network(scaled).to(.float32)
    }
  }

  private static func halved(_ x: Tensor) -> Tensor {
    avgPool2d(x, 3, stride: 2, padding: 1, countIncludesPadding: false)
  }

  /// How far the scores are from 1 (real) or 0 (fake): mean squares, added over the scales.
  /// - Parameters:
  ///   - x: [N, C, H, W].
  ///   - isReal: what the images are to be taken for.
  /// - Returns: a scalar.
  public func loss(_ x: Tensor, isReal: Bool) -> Tensor {
    let parts = self(x).map(isReal ? LeastSquares.real : LeastSquares.fake)
    return parts.dropFirst().reduce(parts[0], +)
  }
}
