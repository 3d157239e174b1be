// The sketch generator: PGGAN on noise multiplied by a latent code (SkrGAN, section 2.1).

import LimnTorch

/// z ⊙ l → sketch [N, 1, R, R].
public final class SketchGenerator: Module, GrowingGenerator {
  let generator: PGGANGenerator
  /// l, [latent], where it is learned.
  let latentCode: Parameter?
  private let kind: LatentCode

  /// - Parameters:
  ///   - resolution: R, a power of two, 4 to 1024.
  ///   - width: channels at each level.
  ///   - latentSize: the length of z and of l.
  ///   - kind: where l comes from.
  public init(resolution: Int, width: PGGANWidth, latentSize: Int, latentCode kind: LatentCode) {
    generator = PGGANGenerator(resolution: resolution, channels: 1, width: width, latentSize: latentSize)
    latentCode = kind == .learned ? Parameter(.ones([latentSize])) : nil
    self.kind = kind
  }

  /// The length of z and of l.
  public var latentSize: Int { generator.latentSize }

  /// [N, latent] → [N, nf(1), 4, 4], of z ⊙ l.
  public func features(of z: Tensor) -> Tensor { generator.features(of: coded(z)) }

  /// [N, nf(1), 4, 4] → the sketch, [N, 1, R, R] with R = `growth.resolution`.
  public func image(of features: Tensor, growth: PGGANGrowth) -> Tensor {
    generator.image(of: features, growth: growth)
  }

  private func coded(_ z: Tensor) -> Tensor {
    switch kind {
    case .learned: latentCode.map { z * $0 } ?? z
    // The code is a function of the noise, reversed, so that one latent still gives one sketch.
    case .sampled: z * (z.flipped([1]) * 0.1 + 1)
    case .ones: z
    }
  }
}
