// How far a generator that learns with registration has drifted from its sources, and how to take that back.

import LimnTorch

/// What all displacements have in common: the affine part of their running mean.
///
/// Misalignment differs from pair to pair and averages out. What stays is how far what the generator draws lies from
/// where it belongs: a shift, which roughness does not see, and a change of scale, which it rewards. Where pairs differ
/// by factors r, drawing all of them by E[r] / E[r²] smaller makes the displacements smoothest.
final class DriftMeter: Module {
  /// A step's share of the mean at the full learning rate: some 500 steps count.
  static let share = 0.002
  /// Rows and columns of displacement: at the image's centre in pixels, then by how much it grows a pixel further down
  /// the rows and along the columns; [2, 3]. A checkpoint holds it.
  let mean = Buffer(.zeros([2, 3]))
  /// 1, rows and columns from the centre: [3, H, W], and the mean square of each.
  private let basis: Tensor
  private let squares: Tensor

  /// - Parameter size: [H, W] of the displacements.
  init(size: [Int]) {
    basis = Self.basis(size)
    squares = basis.square().mean(dims: [1, 2])
  }

  private static func basis(_ size: [Int]) -> Tensor {
    func places(_ count: Int, _ shape: [Int]) -> Tensor {
      (Tensor.arange(count).to(.float32) - Double(count - 1) / 2).reshaped(shape).expanded(size)
    }
    return .stack([.ones(size), places(size[0], [size[0], 1]), places(size[1], [1, size[1]])])
  }

  /// The affine parts of displacements [N, 2, H, W] by least squares: [N, 2, 3], see ``mean``.
  func parts(of flow: Tensor) -> Tensor {
    let pixels = basis.size(1) * basis.size(2)
    // The basis is orthogonal: each coefficient is a projection.
    let projection = (basis / squares.reshaped([3, 1, 1])).reshaped([3, pixels]).transposed(0, 1)
    return matmul(flow.to(.float32).flattened(from: 2), projection.to(flow.device)) / Double(pixels)
  }

  /// Takes in a step's parts.
  /// - Parameters:
  ///   - parts: [N, 2, 3].
  ///   - pace: the learning rate as a factor of the run's: a generator that moves less is seen for longer.
  func add(_ parts: Tensor, pace: Double) {
    let share = Self.share * pace
    withoutGradients { mean.copy(from: mean * (1 - share) + parts.mean(dims: [0]) * share) }
  }

  /// How far the mean moves what the parts move, in pixels², averaged over the image and the parts; its gradient
  /// is half of the one that the mean's own square would have.
  func agreement(_ parts: Tensor) -> Tensor {
    (parts * mean.cloned() * squares.to(parts.device)).sum(dims: [1, 2]).mean()
  }

  /// The displacement [1, 2, H, W] that takes the drift back from images of any size.
  func displacement(size: [Int]) -> Tensor {
    let own = Self.basis(size).reshaped([3, size[0] * size[1]])
    return matmul(mean.to(.cpu), own).reshaped([1, 2] + size)
  }
}
