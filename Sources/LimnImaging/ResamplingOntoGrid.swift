// One volume's intensities on the grid of another: how pairs of scans come to lie over one another.

import LimnTorch

extension Volume {
  /// The volume's values at the voxels of another one, by the affines of both: linear between voxels, and where the
  /// grid is coarser, first smoothed by a triangle as wide as the grid's step, so that nothing aliases.
  ///
  /// Slices at uneven distances are met where the grid's file says that they lie. A grid that is the volume's own
  /// gives equal values.
  /// - Parameter grid: whose size and place the result has; its voxels do not matter.
  /// - Returns: float32 [C, Z, Y, X]; not a number beyond the outer faces of the volume's voxels.
  /// - Throws: `ImagingError` where the volume's axes do not span space.
  public func resampledLinearly(onto grid: Volume) throws -> Volume {
    guard let inverse = affine.inverse else {
      throw ImagingError(
        file: info.path, found: "an affine whose axes do not span space", expected: "three directions",
        advice: "correct the file's geometry")
    }
    var result = self
    result.affine = grid.affine
    result.info.stack = grid.info.stack
    if size == grid.size, affine.placesAlike(grid.affine, size: size, within: 1e-4), !grid.isUneven {
      result.voxels = voxels.to(.float32)
      return result
    }
    let values = smoothed(for: grid.affine).unsqueezed(0)
    let slices = (0..<grid.size[0]).map { sampled(values, at: inverse * grid.place(ofSlice: $0), grid.size) }
    result.voxels = Tensor.cat(slices, dim: 1)
    return result
  }

  private var isUneven: Bool { info.stack?.isIrregular == true }

  /// One slice [C, 1, Y, X] of values [1, C, Z, Y, X], where `step` leads from its pixels to the volume's voxels.
  private func sampled(_ values: Tensor, at step: Affine, _ shape: [Int]) -> Tensor {
    let (height, width) = (shape[1], shape[2])
    let y = Tensor.arange(height).to(.float64).reshaped([height, 1])
    let x = Tensor.arange(width).to(.float64).reshaped([1, width])
    var isInside = Tensor.ones([height, width], dtype: .bool)
    let units = (0..<3).map { axis in
      let place = x * step[axis, 0] + y * step[axis, 1] + step[axis, 3]
      let last = Double(size[2 - axis] - 1)
      isInside = isInside.logicalAnd(((place - last / 2).abs() - (last / 2 + 0.5)).isLess(than: 1e-9))
      return last > 0 ? place * (2 / last) - 1 : place.zerosLike()
    }
    let places = Tensor.stack(units, dim: -1).to(.float32).reshaped([1, 1, height, width, 3])
    let slice = gridSample(values, places, mode: .bilinear, padding: .border, alignCorners: true)
    return Tensor.where(isInside, slice.squeezed(0), Tensor.full([], .nan))
  }

  /// The volume, float32 [C, Z, Y, X], smoothed along each axis that a grid samples more coarsely.
  private func smoothed(for grid: Affine) -> Tensor {
    (0..<3).reduce(voxels.to(.float32)) { values, axis in
      let reach = reach(of: grid, along: axis)
      return reach > 1.01 ? Self.triangle(values, dim: 3 - axis, reach: reach) : values
    }
  }

  /// The voxels along an axis that a grid's step passes over, of the grid's axis nearest to that one in direction.
  private func reach(of grid: Affine, along axis: Int) -> Double {
    let own = affine.column(axis)
    func alignment(_ other: Int) -> Double {
      abs(dot(own, grid.column(other))) / max(length(grid.column(other)), .leastNormalMagnitude)
    }
    let nearest = (0..<3).max { alignment($0) < alignment($1) } ?? axis
    return length(grid.column(nearest)) / length(own)
  }

  /// The weighted mean of the neighbours that are nearer than `reach`; the outermost voxels stand for what is beyond
  /// them.
  private static func triangle(_ x: Tensor, dim: Int, reach: Double) -> Tensor {
    let count = x.shape[dim]
    let radius = min(Int(reach.rounded(.up)) - 1, count)
    let weights = (-radius...radius).map { max(0, 1 - abs(Double($0)) / reach) }
    let total = weights.reduce(0, +)
    let places = (-radius..<count + radius).map { min(max($0, 0), count - 1) }
    let wide = x.indexSelect(dim: dim, Tensor(places))
    return weights.enumerated().reduce(x.zerosLike()) { sum, item in
      sum + wide.narrowed(dim: dim, start: item.offset, length: count) * (item.element / total)
    }
  }
}
