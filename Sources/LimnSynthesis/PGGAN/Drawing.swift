// Drawing from the averaged generator, one image at a time, so that each depends on its own latent alone.

import LimnTorch

extension GrowingAdversary {
  /// The averaged generator's image of a latent [L], enlarged to the full size while it grows: [1, C, R, R]
  /// in [−1, 1], on the generator's device.
  /// - Parameters:
  ///   - latent: [L].
  ///   - truncation: ψ < 1 pulls the first layer's features towards their mean (the truncation trick of
  ///     StyleGAN, Karras, Laine & Aila 2019, appendix B; PGGAN's latent itself lies on a sphere and has no
  ///     middle).
  ///   - imagesSeen: tells how far the networks have grown.
  /// - Returns: [1, C, R, R].
  func draw(_ latent: Tensor, truncation: Double, imagesSeen: Int) -> Tensor {
    withoutGradients {
      let network = average.average
      let growth = schedule.growth(images: imagesSeen)
      var features = network.features(of: latent.unsqueezed(0).to(network.device))
      if truncation < 1 { features = Tensor.lerp(meanFeatures, features, weight: truncation) }
      let image = network.image(of: features, growth: growth).clamped(min: -1, max: 1)
      let factor = 1 << (schedule.lastStage - growth.stage)
      return factor > 1 ? interpolate(image, scale: Double(factor)) : image
    }
  }

  /// The mean over 4,096 latents of the first layer's features, [1, nf(1), 4, 4].
  private var meanFeatures: Tensor {
    let network = average.average
    let z = Tensor.randn([4096, network.latentSize], generator: .init(seed: 0)).to(network.device)
    return network.features(of: z).mean(dims: [0], keepDim: true)
  }
}
