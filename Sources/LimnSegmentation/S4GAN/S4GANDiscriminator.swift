// "Semi-Supervised Semantic Segmentation with High- and Low-level Consistency" (Mittal, Tatarchenko & Brox, TPAMI
// 2019, arXiv:1908.05724): the discriminator of s4GAN.

import LimnTorch

/// Tells a true class map over its image from a predicted one.
final class S4GANDiscriminator: Module {
  let convolutions: [Conv2d]
  let head: Linear
  private static let dropout = 0.5
  private static let slope = 0.2

  /// - Parameters:
  ///   - inputChannels: classes, then the image's channels.
  ///   - width: of the first convolution; each further one has twice as many.
  init(inputChannels: Int, width: Int) {
    let widths = (0..<4).map { width << $0 }
    convolutions = zip([inputChannels] + widths, widths).map {
      Conv2d(inputChannels: $0, outputChannels: $1, kernelSize: 4, stride: 2, padding: 1)
    }
    head = Linear(inputFeatures: widths[3], outputFeatures: 1)
  }

  /// - Parameters:
  ///   - pairs: class maps and images, [N, K + C, H, W], at least 16 pixels a side.
  ///   - generator: draws the maps that are left out behind each convolution but the last; nil: none are.
  /// - Returns: the logit of being true, [N], and the features that it follows from, [N, 8 · width].
  func callAsFunction(_ pairs: Tensor, dropping generator: Generator? = nil) -> (
    score: Tensor, features: Tensor
  ) {
    var x = pairs
    for (number, convolution) in convolutions.enumerated() {
      x = leakyReLU(convolution(x), Self.slope)
      guard let generator, number < 3 else { continue }
      let maps = Tensor.ones([x.size(0), x.size(1), 1, 1], device: x.device).to(x.dtype)
      x = x * LimnTorch.dropout(maps, probability: Self.dropout, generator: generator)
    }
    let features = x.mean(dims: [2, 3])
    return (head(features).squeezed(1), features)
  }
}
