// What a displacement does to an image, and what is said of displacements (RegGAN: Kong et al., NeurIPS 2021, section 3,
// eq. 5 and 6; the transformer is that of VoxelMorph, Balakrishnan et al., TMI 2019).

import LimnTorch

/// Displacements are [N, 2, H, W] in pixels, channel 0 down the rows and channel 1 along the columns: the result at p is
/// the image at p + φ(p).
public enum SpatialTransformer {
  /// The image seen through a displacement, bilinear; beyond the border lies its last pixel.
  /// - Parameters:
  ///   - image: [N, C, H, W].
  ///   - displacement: [N, 2, H, W] in pixels.
  ///   - mode: how values between the pixels are found; `.nearest` for labels.
  /// - Returns: [N, C, H, W].
  public static func warp(
    _ image: Tensor, by displacement: Tensor, mode: InterpolationMode = .bilinear
  ) -> Tensor {
    let (height, width) = (image.size(2), image.size(3))
    // At 256 pixels places from −1 to 1 in float32 are off by up to 3·10⁻⁵ pixels.
    let displacement = displacement.to(.float64)
    func places(_ channel: Int, _ count: Int, _ shape: [Int]) -> Tensor {
      let own = Tensor.arange(count, dtype: .float64, device: displacement.device).reshaped(shape)
      // From pixels to −1 at the first one's centre, 1 at the last one's.
      return (own + displacement[.all, channel]) * (2 / Double(max(count - 1, 1))) - 1
    }
    let grid = Tensor.stack([places(1, width, [1, 1, width]), places(0, height, [1, height, 1])], dim: 3)
    return gridSample(image.to(.float64), grid, mode: mode, padding: .border, alignCorners: true).to(
      image.dtype)
  }

  /// What makes a displacement rough: the mean square of its differences down the rows plus that along the columns
  /// (eq. 6); 0 of a shift.
  public static func roughness(_ displacement: Tensor) -> Tensor {
    let (down, along) = differences(displacement)
    return down.square().mean() + along.square().mean()
  }

  /// The determinant of the Jacobian of p + φ(p), forward differences: [N, H − 1, W − 1]. Where it is 0 or less, the
  /// image is folded.
  public static func jacobian(_ displacement: Tensor) -> Tensor {
    let rows = displacement.size(2) - 1
    let columns = displacement.size(3) - 1
    let all = differences(displacement)
    let down = all.down.narrowed(dim: 3, start: 0, length: columns)
    let along = all.along.narrowed(dim: 2, start: 0, length: rows)
    return (down[.all, 0] + 1) * (along[.all, 1] + 1) - down[.all, 1] * along[.all, 0]
  }

  /// Down the rows [N, 2, H − 1, W], and along the columns [N, 2, H, W − 1].
  private static func differences(_ x: Tensor) -> (down: Tensor, along: Tensor) {
    func difference(_ dim: Int) -> Tensor {
      let count = x.size(dim) - 1
      return x.narrowed(dim: dim, start: 1, length: count) - x.narrowed(dim: dim, start: 0, length: count)
    }
    return (difference(2), difference(3))
  }
}
