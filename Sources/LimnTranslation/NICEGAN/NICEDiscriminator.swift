// NICE-GAN's discriminator (Chen et al., CVPR 2020, arXiv:2003.00273, section 3): its first layers are the encoder of
// the generators that begin in its domain.

import LimnTorch

/// What a discriminator says of images.
public struct NICEVerdict {
  /// Scores of patches of 70 pixels (of the published sizes), [N, 1, h, w].
  public let local: Tensor
  /// Scores of patches of 286 pixels, [N, 1, h, w].
  public let global: Tensor
  /// Scores by the means and the largest values of the channels, [N, 1].
  public let attention: Tensor
  /// What the generators make images of, [N, 2·width, H/4, W/4].
  public let code: Tensor

  /// How far the scores are from 1 (real) or 0 (fake): mean squares of the three, added.
  public func loss(isReal: Bool) -> Tensor {
    let distance = isReal ? LeastSquares.real : LeastSquares.fake
    return distance(local) + distance(global) + distance(attention)
  }
}

/// Judges images [N, C, H, W] by patches of two sizes and by the channels as a whole.
public final class NICEDiscriminator: NICEEncoder {
  private let shared: Sequential
  private let local: NICEHead
  private let deeper: Sequential
  private let global: NICEHead

  /// - Parameters:
  ///   - inputChannels: C.
  ///   - width: channels of the first convolution (64 in the paper); they double with each.
  ///   - layers: convolutions on the way to the global scores (7 in the paper), 6 or more; see ``minimumSize(layers:)``.
  ///   - variant: which code's network.
  public init(inputChannels: Int, width: Int = 64, layers: Int = 7, variant: NICEVariant = .published) {
    func halving(_ level: Int) -> [any UnaryLayer] {
      variant.convolution(width << (level - 1), width << level, stride: 2)
    }
    shared = Sequential((2..<layers - 4).flatMap(halving))
    local = NICEHead(channels: width << (layers - 5), variant, kernelSize: 4)
    deeper = Sequential((layers - 4..<layers - 2).flatMap(halving))
    global = NICEHead(channels: width << (layers - 3), variant, kernelSize: variant == .reggan ? 3 : 4)
    super.init(inputChannels: inputChannels, width: width, variant: variant)
  }

  /// The smallest side of an image that so many layers can judge: 96 pixels of the published 7, 48 of 6.
  public static func minimumSize(layers: Int) -> Int { 3 << (layers - 2) }

  /// Under the published names.
  public override var children: [(key: String, module: Module)] {
    super.children + judges
  }

  private var judges: [(key: String, module: Module)] {
    [
      ("Dis0_0", shared), ("Dis0_1", local.features), ("conv0", local.scores), ("Dis1_0", deeper),
      ("Dis1_1", global.features), ("conv1", global.scores),
    ]
  }

  /// Judges images.
  /// - Parameter x: [N, C, H, W] in [−1, 1], sides multiples of 4 and not below ``minimumSize(layers:)``.
  /// - Returns: the scores, float32, and the code.
  public func callAsFunction(_ x: Tensor) -> NICEVerdict {
    let (code, attention) = encoded(x)
    let middle = shared(code)
    return NICEVerdict(
      local: local(middle), global: global(deeper(middle)), attention: attention.to(.float32), code: code)
  }

  /// The code of images alone, [N, 2·width, H/4, W/4]. The power iterations of all layers go on as if the images were
  /// judged, since the published code judges them.
  public func encode(_ x: Tensor) -> Tensor {
    if isTraining {
      for layer in judges.flatMap(\.module.modules) { (layer as? SpectralLayer)?.advance() }
    }
    return encoded(x).code
  }
}

/// The last two convolutions of a scale: [N, channels, h, w] → scores [N, 1, h − 2, w − 2], float32 (of 4×4 kernels).
private struct NICEHead {
  let features: Sequential
  let scores: SpectralConv2d
  private let padding: Activation

  init(channels: Int, _ variant: NICEVariant, kernelSize: Int) {
    features = Sequential(variant.convolution(channels, 2 * channels, stride: 1))
    scores = SpectralConv2d(
      inputChannels: 2 * channels, outputChannels: 1, kernelSize: kernelSize, bias: false)
    padding = variant.padding(1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { scores(padding(features(x))).to(.float32) }
}
