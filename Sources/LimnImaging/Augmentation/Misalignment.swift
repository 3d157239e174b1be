// Pairs that do not align, on demand: the noise that RegGAN was measured under.

import LimnTorch

/// Moves each image a little, by a draw of its own, so that the two images of a pair no longer lie over one another
/// when each is given to it (RegGAN, Kong et al. 2021, arXiv 2110.06465, experiments 1 and 2).
///
/// ```swift
/// let noise = Misalignment(kind: .affine, level: 3)
/// let (a, b) = (noise(images, generator: Generator(seed: 1)), noise(targets, generator: Generator(seed: 2)))
/// ```
///
/// What comes in from beyond the image is black.
public struct Misalignment: Sendable, Codable, Equatable {
  /// How images are moved.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// As the official code draws it: a turn of up to L degrees, a scale of up to 2 L percent and then a shift by
    /// whole pixels of up to 2 L percent of the side along each axis; pixels are the nearest ones.
    case affine
    /// A smooth field, the bicubic spline through normal displacements at 5 × 5 nodes of standard deviation
    /// 0.6 L percent of the side; between pixels it is linear. The paper has such noise too, but does not say how
    /// much; grid and magnitude are Limn's, chosen so that even level 5 hardly ever folds.
    case elastic
  }

  /// From none to the paper's most.
  public static let levels = 0...5

  /// How images are moved.
  public let kind: Kind
  /// How far, in ``levels``; 0 changes nothing.
  public let level: Int

  /// Noise of a kind, `level` in ``levels``.
  public init(kind: Kind = .affine, level: Int) {
    precondition(Self.levels.contains(level), "a level of misalignment is in \(Self.levels), not \(level)")
    (self.kind, self.level) = (kind, level)
  }

  /// Draws and applies: one call for a batch, each of whose images is moved by itself.
  /// - Parameters:
  ///   - images: [N, C, H, W] in [−1, 1], on any device.
  ///   - generator: on the CPU; decides everything.
  /// - Returns: images of the same shape, type and device.
  public func callAsFunction(_ images: Tensor, generator: Generator) -> Tensor {
    let draw = draw(
      count: images.shape[0], height: images.shape[2], width: images.shape[3], generator: generator)
    return draw(AlignedBatch(["images": .image(images)]))["images"]
  }

  /// Draws for `count` images of `height` × `width` pixels, one after the other.
  public func draw(count: Int, height: Int, width: Int, generator: Generator) -> AugmentationDraw {
    let random = RandomSource(generator: generator)
    let images = (0..<count).map { _ in
      level == 0 ? [] : kind == .affine ? affine(height, width, random) : elastic(height, width, random)
    }
    return AugmentationDraw(
      images: images, border: .constant, interpolation: kind == .affine ? .nearest : .linear)
  }

  private func affine(_ height: Int, _ width: Int, _ random: RandomSource) -> [DrawnTransform] {
    let reach = 0.02 * Double(level)
    func symmetric(_ bound: Double) -> Double { random.uniform(in: -bound...bound) }
    let degrees = symmetric(Double(level))
    let (x, y) = (symmetric(reach * Double(width)), symmetric(reach * Double(height)))
    return [
      .rotation(degrees: degrees), .scale(factor: 1 + symmetric(reach)),
      .shift(x: x.rounded(.toNearestOrEven), y: y.rounded(.toNearestOrEven)),
    ]
  }

  private func elastic(_ height: Int, _ width: Int, _ random: RandomSource) -> [DrawnTransform] {
    func displacements(_ side: Int) -> [Double] {
      random.normal(25, deviation: 0.006 * Double(level * side))
    }
    return [.gridDeformation(x: displacements(width), y: displacements(height))]
  }
}
