// Adaptive layer-instance normalisation (Kim et al., U-GAT-IT, ICLR 2020, arXiv:1907.10830, eq. 1), with NICE-GAN's
// weights: a softmax over both shares.

import LimnTorch

/// A mixture of instance and layer normalisation of [N, C, H, W], the shares learned for each channel.
struct LayerInstanceMixture {
  /// [1, C, 2]: before their softmax, instance first.
  let rho: Parameter

  /// - Parameters:
  ///   - channels: C.
  ///   - instance: the instance's share before the softmax.
  ///   - layer: the layer's.
  init(channels: Int, instance: Double, layer: Double) {
    rho = Parameter(.stack([.full([1, channels], instance), .full([1, channels], layer)], dim: 2))
  }

  /// Both with deviations of N − 1; float32.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = x.to(.float32)
    let shares = softmax(rho, dim: 2).reshaped([1, -1, 1, 2])
    return normalized(x, [2, 3]) * shares[.all, .all, .all, 0..<1]
      + normalized(x, [1, 2, 3]) * shares[.all, .all, .all, 1..<2]
  }

  private func normalized(_ x: Tensor, _ dims: [Int]) -> Tensor {
    (x - x.mean(dims: dims, keepDim: true)) / (x.variance(dims: dims, keepDim: true) + 1e-5).sqrt()
  }
}

/// The mixture with a gain and an offset of its own; [N, C, H, W].
final class LayerInstanceNorm: Module, UnaryLayer {
  /// [1, C, 2].
  let rho: Parameter
  /// [1, C, 1, 1].
  let gamma: Parameter
  /// [1, C, 1, 1].
  let beta: Parameter
  private let mixture: LayerInstanceMixture

  init(channels: Int) {
    mixture = LayerInstanceMixture(channels: channels, instance: 1, layer: 3.2)
    rho = mixture.rho
    gamma = Parameter(.ones([1, channels, 1, 1]))
    beta = Parameter(.zeros([1, channels, 1, 1]))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { mixture(x) * gamma + beta }
}

/// The mixture with a gain and an offset that come from the image; [N, C, H, W].
final class AdaptiveLayerInstanceNorm: Module {
  /// [1, C, 2].
  let rho: Parameter
  private let mixture: LayerInstanceMixture

  init(channels: Int) {
    mixture = LayerInstanceMixture(channels: channels, instance: 3.2, layer: 1)
    rho = mixture.rho
  }

  func callAsFunction(_ x: Tensor, style: AdaptiveStyle) -> Tensor { mixture(x) * style.gain + style.offset }
}
