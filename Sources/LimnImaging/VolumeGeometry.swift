// Turning volumes: exact reorientation by permuting and flipping axes, and slices as a radiologist sees them.

import LimnTorch

/// The plane a slice is cut in.
public enum SliceAxis: String, Sendable, Codable, CaseIterable {
  case axial, coronal, sagittal
}

extension Volume {
  /// The same voxels with axes that point as `target` says: axes are permuted and flipped, no value changes,
  /// and every voxel keeps its place in millimetres.
  public func reoriented(to target: Orientation) -> Volume {
    let current = orientation
    guard current != target else { return self }
    let extents = [voxels.shape[3], voxels.shape[2], voxels.shape[1]]
    // For each new axis: the old axis that runs along the same patient dimension.
    let sources = target.axes.map { axis in
      current.axes.firstIndex { $0.dimension == axis.dimension } ?? 0
    }
    let flips = (0..<3).map { target.axes[$0].isPositive != current.axes[sources[$0]].isPositive }
    var result = self
    result.voxels = moved(sources: sources, flips: flips)
    result.affine = affine * Self.step(sources: sources, flips: flips, extents: extents)
    return result
  }

  private func moved(sources: [Int], flips: [Bool]) -> Tensor {
    // Axis x, y, z of the geometry is dimension 3, 2, 1 of the tensor.
    let order = [0] + sources.reversed().map { 3 - $0 }
    let flipped = (0..<3).filter { flips[$0] }.map { 3 - $0 }
    let permuted = voxels.permuted(order)
    return (flipped.isEmpty ? permuted : permuted.flipped(flipped)).contiguous()
  }

  /// New voxel indices to old ones.
  private static func step(sources: [Int], flips: [Bool], extents: [Int]) -> Affine {
    var step = Affine([Double](repeating: 0, count: 15) + [1])
    for (new, old) in sources.enumerated() {
      step[old, new] = flips[new] ? -1 : 1
      step[old, 3] = flips[new] ? Double(extents[old] - 1) : 0
    }
    return step
  }

  /// How many slices `axis` has.
  public func sliceCount(axis: SliceAxis) -> Int { displayed(axis).voxels.shape[1] }

  /// Slices [C, H, W] in radiological display: the patient's right at the image's left; axial slices with the
  /// front up, from the feet to the head; coronal slices with the head up, from front to back; sagittal
  /// slices with the head up and the face to the left, from the patient's right to the left.
  ///
  /// Pixels stay those of the volume; where spacing differs between axes, resample first.
  /// - Parameters:
  ///   - axis: the plane the slices lie in.
  ///   - range: which slices in that order; all where nil. It is cut to the slices there are.
  /// - Returns: the slices, each [C, H, W].
  public func slices(axis: SliceAxis, range: Range<Int>? = nil) -> [Tensor] {
    let shown = displayed(axis).voxels
    let all = 0..<shown.shape[1]
    return (range?.clamped(to: all) ?? all).map { index in
      shown.narrowed(dim: 1, start: index, length: 1).squeezed(1).contiguous()
    }
  }

  /// The volume turned so that its slices along z are those that ``slices(axis:range:)`` gives: the affine
  /// then places (column, row, slice).
  public func displayed(_ axis: SliceAxis) -> Volume { reoriented(to: axis.display) }
}

extension SliceAxis {
  /// Where columns, rows and slices run in radiological display.
  fileprivate var display: Orientation {
    func towards(_ dimension: Int, _ isPositive: Bool) -> Orientation.Axis {
      Orientation.Axis(dimension: dimension, isPositive: isPositive)
    }
    let (left, back, feet, head) = (towards(0, false), towards(1, false), towards(2, false), towards(2, true))
    return switch self {
    case .axial: Orientation(axes: [left, back, head])
    case .coronal: Orientation(axes: [left, feet, back])
    case .sagittal: Orientation(axes: [back, feet, left])
    }
  }
}
