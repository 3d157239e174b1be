// NICE-GAN's encoder: the first layers of a discriminator (Chen, Huang, Huang, Sun & Tan, CVPR 2020, arXiv:2003.00273,
// section 3), with attention over the channels.

import LimnTorch

/// Image [N, C, H, W], sides multiples of 4 → code [N, 2·width, H/4, W/4]: two halvings with spectral normalisation, and
/// what a classifier of the channels' means and largest values attends to (class activation maps, Zhou et al., CVPR
/// 2016, as U-GAT-IT has them).
public class NICEEncoder: Module {
  let model: Sequential
  let fc: SpectralLinear
  let conv1x1: Conv2d
  /// How much of what is attended to is added, [1], 0 at first; spelt as in the published weights.
  let lamda: Parameter

  init(inputChannels: Int, width: Int, variant: NICEVariant) {
    model = Sequential(
      variant.convolution(inputChannels, width, stride: 2) + variant.convolution(width, 2 * width, stride: 2))
    fc = SpectralLinear(inputFeatures: 4 * width, outputFeatures: 1, bias: false)
    conv1x1 = Conv2d(inputChannels: 4 * width, outputChannels: 2 * width, kernelSize: 1)
    lamda = Parameter(.zeros([1]))
  }

  /// The parts of the encoder; those of a subclass are its own business.
  public override var children: [(key: String, module: Module)] {
    [("model", model), ("fc", fc), ("conv1x1", conv1x1)]
  }

  /// - Parameter x: [N, C, H, W].
  /// - Returns: the code [N, 2·width, H/4, W/4], and the attention's score [N, 1].
  func encoded(_ x: Tensor) -> (code: Tensor, attention: Tensor) {
    let features = model(x)
    let means = adaptiveAvgPool2d(features, [1, 1])
    let largest = adaptiveMaxPool2d(features, [1, 1])
    let score = fc(Tensor.cat([means, largest], dim: 1).flattened(from: 1))
    // The published code weighs by the weight that is trained, not by the normalised one.
    let weighed = Tensor.cat([features, features], dim: 1) * fc.weightOrig.reshaped([1, -1, 1, 1])
    return (leakyReLU(conv1x1(weighed) * lamda + features, 0.2), score)
  }
}

/// Which code's networks.
public enum NICEVariant: String, Codable, Sendable, CaseIterable {
  /// NICE-GAN's own.
  case published
  /// Those of RegGAN's code for one direction, which repeat the image's edge beyond its border where NICE-GAN's mirror
  /// it, and end their global scores with a 3×3 convolution instead of a 4×4 one.
  case reggan

  /// Widens [N, C, H, W] by as many pixels on every side.
  func padding(_ pixels: Int) -> Activation {
    switch self {
    case .published: .reflectionPad(pixels)
    case .reggan: Activation { pad($0, [pixels, pixels, pixels, pixels], mode: .replicate) }
    }
  }

  /// Padding, 4×4 convolution with spectral normalisation, LeakyReLU; [N, in, H, W] → [N, out, H/2, W/2], or
  /// [N, out, H − 1, W − 1] with stride 1.
  func convolution(_ input: Int, _ output: Int, stride: Int) -> [any UnaryLayer] {
    [
      padding(1),
      SpectralConv2d(inputChannels: input, outputChannels: output, kernelSize: 4, stride: stride),
      Activation { leakyReLU($0, 0.2) },
    ]
  }
}
