// Volumes whose slices do not lie straight above each other at one distance, put on a grid where they do.

import Foundation
import LimnTorch

extension Volume {
  /// The volume on a regular grid: tilt undone, gaps closed, by linear interpolation in the plane and along the
  /// slices' normal, in millimetres.
  ///
  /// Where the slices lie is taken from the file (`info.stack`), or from the affine where that says nothing.
  /// The plane grows so that every slice fits.
  /// - Parameters:
  ///   - sliceSpacing: millimetres between the new slices; the most frequent distance where nil.
  ///   - interpolation: `nearest` for labels.
  ///   - fill: the value where no slice lies; the volume's smallest where nil.
  /// - Returns: the volume, its type and in-plane spacing unchanged.
  /// - Throws: `ImagingError` where slices share a place or the grid would be beyond memory's bound.
  public func resampledRegular(
    sliceSpacing: Double? = nil, interpolation: Interpolation = .linear, fill: Double? = nil
  ) throws -> Volume {
    guard voxels.shape[1] > 1 else { return self }
    let grid = try RegularGrid(self, sliceSpacing: sliceSpacing)
    let planes = grid.resampled(
      voxels.to(.float32), interpolation: interpolation, fill: fill ?? voxels.to(.float32).min().item())
    var result = self
    result.voxels = voxels.dtype.isFloatingPoint ? planes.to(voxels.dtype) : planes.round().to(voxels.dtype)
    result.affine = grid.affine
    result.info.stack = nil
    result.info.warnings.append(
      String(format: "slices resampled to every %g mm along their normal", grid.sliceSpacing))
    return result
  }
}

/// Where slices lie, in pixels of their plane and millimetres along its normal, and the grid they are put on.
private struct RegularGrid {
  /// Of each slice: pixels along x and y, millimetres along the normal, from the first slice.
  private let places: [SIMD3<Double>]
  private let low: SIMD3<Double>
  private let high: SIMD3<Double>
  private let planeCount: Int
  let sliceSpacing: Double
  let affine: Affine

  init(_ volume: Volume, sliceSpacing: Double?) throws {
    let old = volume.affine
    let across = cross(old.column(0), old.column(1))
    let normal = across / length(across) * (dot(across, old.column(2)) < 0 ? -1 : 1)
    let frame = Affine(x: old.column(0), y: old.column(1), z: normal, origin: old.column(3))
    guard let inverse = frame.inverse else { throw Self.refused(volume, "slices without a plane") }
    let found = Self.origins(of: volume).map { inverse($0) }
    let gaps = zip(found, found.dropFirst()).map { $1.z - $0.z }
    let reach = found.last?.z ?? 0
    let step = sliceSpacing ?? volume.info.stack?.usualGap ?? reach / Double(found.count - 1)
    guard let least = gaps.min(), least > 1e-6, step > 0 else {
      throw Self.refused(volume, "slices in one place or out of order")
    }
    let (low, high) = Self.bounds(found)
    let grown = (high.x - low.x + Double(volume.size[2])) * (high.y - low.y + Double(volume.size[1]))
    guard grown * (reach / step + 1) * Double(4 * volume.channels) <= Double(ImageReader.maximumBytes) else {
      throw Self.refused(volume, "a regular grid of more than \(ImageReader.maximumBytes >> 20) MiB")
    }
    planeCount = Int((reach / step + 1e-6).rounded(.down)) + 1
    places = found
    (self.low, self.high) = (low, high)
    self.sliceSpacing = step
    affine = Affine(x: old.column(0), y: old.column(1), z: normal * step, origin: frame(low))
  }

  /// Whole pixels that hold every slice's first one.
  private static func bounds(_ places: [SIMD3<Double>]) -> (low: SIMD3<Double>, high: SIMD3<Double>) {
    let (x, y) = (places.map(\.x), places.map(\.y))
    // A millionth of a pixel is rounding, not reach.
    let low = SIMD3(((x.min() ?? 0) + 1e-6).rounded(.down), ((y.min() ?? 0) + 1e-6).rounded(.down), 0)
    let high = SIMD3(((x.max() ?? 0) - 1e-6).rounded(.up), ((y.max() ?? 0) - 1e-6).rounded(.up), 0)
    return (low, high)
  }

  private static func refused(_ volume: Volume, _ found: String) -> ImagingError {
    ImagingError(
      file: volume.info.path, found: found, expected: "slices above each other",
      advice: "choose another slice spacing, or leave the series out")
  }

  /// The file's own places, unless the volume has been turned or cut since.
  private static func origins(of volume: Volume) -> [SIMD3<Double>] {
    let (count, affine) = (volume.voxels.shape[1], volume.affine)
    if let origins = volume.info.stack?.origins, origins.count == count,
      length(origins[0] - affine([0, 0, 0])) < 1e-3,
      length(origins[count - 1] - affine([0, 0, Double(count - 1)])) < 1e-3
    {
      return origins
    }
    return (0..<count).map { affine([0, 0, Double($0)]) }
  }

  /// Planes [C, Z, Y, X] of float32.
  func resampled(_ voxels: Tensor, interpolation: Interpolation, fill: Double) -> Tensor {
    let isNearest = interpolation == .nearest
    var shifted: [Int: Tensor] = [:]
    func slice(_ index: Int) -> Tensor {
      if let known = shifted[index] { return known }
      let moved = placed(voxels.narrowed(dim: 1, start: index, length: 1), index, isNearest, fill)
      shifted[index] = moved
      return moved
    }
    let planes = (0..<planeCount).map { plane -> Tensor in
      let height = Double(plane) * sliceSpacing
      let below = min(places.lastIndex { $0.z <= height + 1e-9 } ?? 0, places.count - 2)
      let share = min(1, (height - places[below].z) / (places[below + 1].z - places[below].z))
      shifted = shifted.filter { $0.key >= below }
      if isNearest || share == 0 || share == 1 { return slice(share < 0.5 ? below : below + 1) }
      return slice(below) * (1 - share) + slice(below + 1) * share
    }
    return Tensor.cat(planes, dim: 1)
  }

  /// A slice [C, 1, Y, X] on the grown plane.
  private func placed(_ slice: Tensor, _ index: Int, _ isNearest: Bool, _ fill: Double) -> Tensor {
    let offset = places[index] - low
    let room = high - low
    let alongX = Self.shifted(slice, by: isNearest ? offset.x.rounded() : offset.x, room: Int(room.x), fill)
    let turned = alongX.transposed(2, 3)
    let alongY = Self.shifted(turned, by: isNearest ? offset.y.rounded() : offset.y, room: Int(room.y), fill)
    return alongY.transposed(2, 3).contiguous()
  }

  /// The last axis `room` longer, its content moved by `offset`, linearly between whole places.
  private static func shifted(_ x: Tensor, by offset: Double, room: Int, _ fill: Double) -> Tensor {
    let whole = min(max(Int((offset + 1e-9).rounded(.down)), 0), room)
    let rest = max(0, offset - Double(whole))
    let here = pad(x, [whole, room - whole], mode: .constant(fill))
    guard rest > 1e-6, whole < room else { return here }
    return here * (1 - rest) + pad(x, [whole + 1, room - whole - 1], mode: .constant(fill)) * rest
  }
}
