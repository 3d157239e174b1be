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
    guard orientation != target else { return self }
    let turn = turn(to: target)
    let permuted = voxels.permuted(turn.order)
    var result = self
    result.voxels = (turn.flipped.isEmpty ? permuted : permuted.flipped(turn.flipped)).contiguous()
    result.affine = affine * turn.step
    return result
  }

  /// How axes are permuted and flipped.
  fileprivate struct Turn {
    /// The old tensor dimension of each new one.
    var order: [Int]
    /// The new tensor dimensions that run backwards.
    var flipped: [Int]
    /// New voxel indices to old ones.
    var step: Affine
  }

  fileprivate func turn(to target: Orientation) -> Turn {
    let current = orientation
    // For each new axis: the old axis that runs along the same patient dimension.
    let sources = target.axes.map { axis in
      current.axes.firstIndex { $0.dimension == axis.dimension } ?? 0
    }
    let flips = (0..<3).map { target.axes[$0].isPositive != current.axes[sources[$0]].isPositive }
    // Axis x, y, z of the geometry is dimension 3, 2, 1 of the tensor.
    return Turn(
      order: [0] + sources.reversed().map { 3 - $0 }, flipped: (0..<3).filter { flips[$0] }.map { 3 - $0 },
      step: Self.step(
        sources: sources, flips: flips, extents: [voxels.shape[3], voxels.shape[2], voxels.shape[1]]))
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
  public func sliceCount(axis: SliceAxis) -> Int { displayed(axis).count }

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
    let shown = displayed(axis)
    let all = 0..<shown.count
    return (range?.clamped(to: all) ?? all).map { shown[$0] }
  }

  /// The slices that ``slices(axis:range:)`` gives, with their place.
  public func displayed(_ axis: SliceAxis) -> DisplayedSlices {
    let turn = turn(to: axis.display)
    return DisplayedSlices(
      voxels: voxels.permuted(turn.order), flipped: turn.flipped, affine: affine * turn.step,
      isAcrossStack: turn.order[1] == 1)
  }

  /// The volume turned so that its own slices are those that ``displayed(_:)`` gives; ``reoriented(to:)`` turns it
  /// back.
  public func turned(for axis: SliceAxis) -> Volume { reoriented(to: axis.display) }

  /// The slices as they are stored.
  public var storedSlices: DisplayedSlices {
    DisplayedSlices(voxels: voxels, flipped: [], affine: affine, isAcrossStack: true)
  }
}

/// A volume's slices in the order and the direction in which they are looked at. Each is turned when it is asked
/// for, so that a large volume is not held twice.
public struct DisplayedSlices: Sendable {
  /// [C, slices, H, W], a view of the volume's voxels before any axis is flipped.
  fileprivate let voxels: Tensor
  /// The dimensions of `voxels` that run backwards.
  fileprivate let flipped: [Int]
  /// (column, row, slice) to millimetres, RAS+.
  public let affine: Affine
  /// Whether the slices are those along the volume's own z axis.
  public let isAcrossStack: Bool

  /// How many slices there are.
  public var count: Int { voxels.shape[1] }
  /// Whether the slices run against the volume's own order.
  public var isReversed: Bool { flipped.contains(1) }

  /// A slice [C, H, W], contiguous.
  public subscript(index: Int) -> Tensor {
    let slice = voxels.narrowed(dim: 1, start: isReversed ? count - 1 - index : index, length: 1).squeezed(1)
    let backwards = flipped.filter { $0 > 1 }.map { $0 - 1 }
    return (backwards.isEmpty ? slice : slice.flipped(backwards)).contiguous()
  }
}

extension SliceAxis {
  /// Whether columns and rows of an image, in patient directions (RAS+), run as in this plane's display.
  public func isShown(columns: SIMD3<Double>, rows: SIMD3<Double>) -> Bool {
    zip([columns, rows], display.axes).allSatisfy { direction, axis in
      let along = direction[axis.dimension]
      return (along > 0) == axis.isPositive && (0..<3).allSatisfy { abs(direction[$0]) <= abs(along) }
    }
  }

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
