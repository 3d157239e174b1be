// Other sizes: antialiased when shrinking, linear when growing, one axis at a time.

import Foundation
import LimnTorch

/// How values between pixels are found.
public enum Interpolation: String, Sendable, Codable {
  /// Linear; a triangle as wide as the new pixel when shrinking, so that nothing aliases.
  case linear
  /// The nearest pixel, for labels.
  case nearest
}

/// Resizes along single axes, image edges matched.
enum Resampler {
  /// `x` with `count` samples along `dim`. Integer types are rounded back to themselves.
  static func resize(_ x: Tensor, dim: Int, count: Int, _ interpolation: Interpolation) -> Tensor {
    guard x.shape[dim] != count else { return x }
    guard interpolation == .linear else {
      return x.indexSelect(dim: dim, Tensor(nearest(from: x.shape[dim], to: count)))
    }
    let lines = x.to(.float32).transposed(dim, x.rank - 1)
    let flat = lines.reshaped([1, 1, -1, x.shape[dim]])
    let resized = interpolate(flat, size: [flat.shape[2], count], mode: .bilinear, antialias: true)
    let back = resized.reshaped(lines.shape.dropLast() + [count]).transposed(dim, x.rank - 1).contiguous()
    return x.dtype.isFloatingPoint ? back.to(x.dtype) : back.round().to(x.dtype)
  }

  /// An image [C, H, W] with other counts of rows and columns; both axes in one go where values are blended.
  static func resize(_ image: Tensor, rows: Int, columns: Int, _ interpolation: Interpolation) -> Tensor {
    guard interpolation == .linear, image.dtype.isFloatingPoint else {
      return resize(resize(image, dim: 1, count: rows, interpolation), dim: 2, count: columns, interpolation)
    }
    guard image.shape[1] != rows || image.shape[2] != columns else { return image }
    let values = image.to(.float32).unsqueezed(0)
    return interpolate(values, size: [rows, columns], mode: .bilinear, antialias: true).squeezed(0)
      .to(image.dtype)
  }

  /// The old index whose centre is nearest to each new one's.
  private static func nearest(from old: Int, to count: Int) -> [Int] {
    (0..<count).map { min(old - 1, Int((Double($0) + 0.5) * Double(old) / Double(count))) }
  }
}

extension Volume {
  /// The volume with another spacing (x, y, z in millimetres), its outer edges kept: the count of voxels is
  /// rounded, and the affine tells the spacing that this gives.
  /// - Parameters:
  ///   - target: millimetres along x, y and z.
  ///   - interpolation: `nearest` for labels.
  /// - Returns: the volume, its type unchanged.
  public func resampled(spacing target: SIMD3<Double>, interpolation: Interpolation = .linear) -> Volume {
    var result = self
    var step = Affine.identity
    for axis in 0..<3 {
      let old = voxels.shape[3 - axis]
      let count = max(1, Int((Double(old) * spacing[axis] / target[axis]).rounded()))
      result.voxels = Resampler.resize(result.voxels, dim: 3 - axis, count: count, interpolation)
      let ratio = Double(old) / Double(count)
      step[axis, axis] = ratio
      // The first voxel's edge stays where it was, so its centre moves.
      step[axis, 3] = (ratio - 1) / 2
    }
    result.affine = affine * step
    return result
  }
}

/// Fits images into a given size.
public enum ImageResize {
  /// What happens where the proportions differ.
  public enum Mode: String, Sendable, Codable, CaseIterable {
    /// The whole image, with bands at two sides.
    case pad
    /// The image's middle, filling the size.
    case crop
    /// The whole image, distorted.
    case stretch
  }

  /// An image [C, H, W] as [C, `size`, `size`].
  public static func fit(
    _ image: Tensor, size: Int, mode: Mode, fill: Double = 0, interpolation: Interpolation = .linear
  ) -> Tensor {
    fit(image, height: size, width: size, mode: mode, fill: fill, interpolation: interpolation)
  }

  /// An image [C, H, W] as [C, `height`, `width`] of the same type, antialiased.
  /// - Parameters:
  ///   - image: [C, H, W], any type.
  ///   - height: rows of the result.
  ///   - width: columns of the result.
  ///   - mode: what happens where the proportions differ.
  ///   - fill: the value of the bands that `pad` adds.
  ///   - interpolation: `nearest` for labels.
  /// - Returns: [C, `height`, `width`].
  public static func fit(
    _ image: Tensor, height: Int, width: Int, mode: Mode, fill: Double = 0,
    interpolation: Interpolation = .linear
  ) -> Tensor {
    let placement = Placement(
      from: (image.shape[1], image.shape[2]), to: (height, width), mode: mode)
    let resized = Resampler.resize(
      image, rows: placement.rows.scaled, columns: placement.columns.scaled, interpolation)
    return centred(centred(resized, dim: 1, count: height, fill: fill), dim: 2, count: width, fill: fill)
  }

  /// Where the pixels of a fitted image come from.
  public struct Placement: Sendable {
    /// One axis: `old` pixels scaled to `scaled`, then cut or widened to `count`, both sides alike.
    struct Line: Sendable {
      let old: Int
      let scaled: Int
      let count: Int
      /// Old pixels for each new one.
      var ratio: Double { Double(old) / Double(scaled) }
      /// The old index, a fraction, of the new index 0.
      var start: Double {
        let excess = scaled - count
        // The far side is cut or widened by one more where the difference is odd.
        let offset = excess >= 0 ? excess / 2 : -(-excess / 2)
        return (Double(offset) + 0.5) * ratio - 0.5
      }
    }

    let rows: Line
    let columns: Line

    /// How ``ImageResize/fit(_:height:width:mode:fill:interpolation:)`` fits an image into a size; both are
    /// (height, width).
    public init(from old: (Int, Int), to new: (Int, Int), mode: Mode) {
      let ratios = [Double(new.0) / Double(old.0), Double(new.1) / Double(old.1)]
      let scale = (mode == .pad ? ratios.min() : ratios.max()) ?? 1
      func scaled(_ old: Int, _ target: Int) -> Int {
        mode == .stretch ? target : max(1, Int((Double(old) * scale).rounded()))
      }
      rows = Line(old: old.0, scaled: scaled(old.0, new.0), count: new.0)
      columns = Line(old: old.1, scaled: scaled(old.1, new.1), count: new.1)
    }

    /// New pixel indices (column, row, 0) to old ones.
    public var step: Affine {
      Affine(
        x: [columns.ratio, 0, 0], y: [0, rows.ratio, 0], z: [0, 0, 1], origin: [columns.start, rows.start, 0])
    }
  }

  /// Cut or widened to `count` along `dim`, both sides alike (the far side by one more where odd).
  private static func centred(_ image: Tensor, dim: Int, count: Int, fill: Double) -> Tensor {
    let excess = image.shape[dim] - count
    if excess >= 0 { return image.narrowed(dim: dim, start: excess / 2, length: count).contiguous() }
    let before = -excess / 2
    let amounts = dim == 2 ? [before, -excess - before] : [0, 0, before, -excess - before]
    return pad(image, amounts, mode: .constant(fill))
  }
}

extension Volume {
  /// (column, row, 0) of a slice to millimetres: of a stack with uneven gaps as the slice's file says, not as
  /// their mean gives.
  func place(ofSlice z: Int) -> Affine {
    let origins = info.stack?.origins ?? []
    // A volume that was turned since has them in another order.
    let isAsRead = origins.count == size[0] && length(origins[0] - affine.column(3)) < 0.01
    let origin = isAsRead ? origins[z] : affine([0, 0, Double(z)])
    return Affine(x: affine.column(0), y: affine.column(1), z: affine.column(2), origin: origin)
  }

  /// The volume's nearest voxels at the voxels of another one, by the affines of both; 0 where it has none.
  /// For labels.
  public func resampled(onto grid: Volume) -> Volume {
    let isSame = size == grid.size && affine.placesAlike(grid.affine, size: size)
    guard !isSame, let inverse = affine.inverse else { return self }
    let (height, width) = (grid.size[1], grid.size[2])
    let y = Tensor.arange(height).to(.float64).reshaped([height, 1])
    let x = Tensor.arange(width).to(.float64).reshaped([1, width])
    let flat = voxels.reshaped([channels, -1])
    let slices = (0..<grid.size[0]).map { z in
      let step = inverse * grid.place(ofSlice: z)
      /// The nearest voxel along one axis, and whether there is one.
      func nearest(_ axis: Int) -> (index: Tensor, isInside: Tensor) {
        let place = x * step[axis, 0] + y * step[axis, 1] + step[axis, 3]
        let index = (place + 0.5).floor()
        let last = Double(size[2 - axis] - 1)
        let clamped = index.clamped(min: 0, max: last)
        return (clamped.to(.int64), clamped.isEqual(to: index).to(.int64))
      }
      let (i, j, k) = (nearest(0), nearest(1), nearest(2))
      let place = (k.index * Double(size[1]) + j.index) * Double(size[2]) + i.index
      let isInside = (i.isInside * j.isInside * k.isInside).flattened().to(voxels.dtype)
      return (flat.indexSelect(dim: 1, place.to(.int64).flattened()) * isInside)
        .reshaped([channels, 1, height, width])
    }
    var result = self
    result.voxels = Tensor.cat(slices, dim: 1)
    result.affine = grid.affine
    return result
  }
}
