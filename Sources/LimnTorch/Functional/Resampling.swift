// Pooling, interpolation, sampling at free positions, padding.

/// The largest of each window. x: [N, C, H, W].
public func maxPool2d(_ x: Tensor, _ size: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
  let stride = stride ?? size
  return torch(
    "max_pool2d", .tensor(x), .ints([size, size]), .ints([stride, stride]), .ints([padding, padding]))
}

/// The mean of each window. x: [N, C, H, W].
public func avgPool2d(
  _ x: Tensor, _ size: Int, stride: Int? = nil, padding: Int = 0, countIncludesPadding: Bool = true
) -> Tensor {
  let stride = stride ?? size
  return torch(
    "avg_pool2d", .tensor(x), .ints([size, size]), .ints([stride, stride]), .ints([padding, padding]),
    .bool(false), .bool(countIncludesPadding))
}

/// The means of a grid of `size` [H′, W′] windows that cover [N, C, H, W].
public func adaptiveAvgPool2d(_ x: Tensor, _ size: [Int]) -> Tensor {
  torch("adaptive_avg_pool2d", .tensor(x), .ints(size))
}

/// How ``interpolate(_:size:mode:alignCorners:antialias:)`` weighs neighbours.
public enum InterpolationMode: String, Sendable, Codable {
  case nearest, bilinear, bicubic, area
}

/// [N, C, H, W] at another size [H′, W′].
/// - Parameters:
///   - alignCorners: whether the corner pixels' centres, rather than the image's edges, are matched
///     (bilinear and bicubic).
///   - antialias: widens the window when shrinking (bilinear and bicubic).
public func interpolate(
  _ x: Tensor, size: [Int], mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false
) -> Tensor {
  switch (mode, antialias) {
  case (.nearest, _): torch("upsample_nearest2d", .tensor(x), .ints(size))
  case (.area, _): adaptiveAvgPool2d(x, size)
  case (.bilinear, false): torch("upsample_bilinear2d", .tensor(x), .ints(size), .bool(alignCorners))
  case (.bicubic, false): torch("upsample_bicubic2d", .tensor(x), .ints(size), .bool(alignCorners))
  case (.bilinear, true): torch("_upsample_bilinear2d_aa", .tensor(x), .ints(size), .bool(alignCorners))
  case (.bicubic, true): torch("_upsample_bicubic2d_aa", .tensor(x), .ints(size), .bool(alignCorners))
  }
}

/// [N, C, H, W] enlarged or shrunk by a factor.
public func interpolate(
  _ x: Tensor, scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false
) -> Tensor {
  let size = x.shape.suffix(2).map { Int((Double($0) * scale).rounded(.down)) }
  return interpolate(x, size: size, mode: mode, alignCorners: alignCorners, antialias: antialias)
}

/// What lies beyond the border for ``gridSample(_:_:mode:padding:alignCorners:)``.
public enum GridPadding: Int, Sendable { case zeros = 0, border = 1, reflection = 2 }

/// Samples [N, C, H, W] at the positions `grid` [N, H′, W′, 2], given as (x, y) in [−1, 1].
public func gridSample(
  _ x: Tensor, _ grid: Tensor, mode: InterpolationMode = .bilinear, padding: GridPadding = .zeros,
  alignCorners: Bool = false
) -> Tensor {
  let modes: [InterpolationMode: Int] = [.bilinear: 0, .nearest: 1, .bicubic: 2]
  guard let number = modes[mode] else {
    preconditionFailure("gridSample has no \(mode) mode: use bilinear, nearest or bicubic")
  }
  return torch(
    "grid_sampler", .tensor(x), .tensor(grid), .int(number), .int(padding.rawValue), .bool(alignCorners))
}

/// Sampling positions [N, H, W, 2] of the affine maps `theta` [N, 2, 3], for an image of `size` [N, C, H, W].
public func affineGrid(_ theta: Tensor, size: [Int], alignCorners: Bool = false) -> Tensor {
  torch("affine_grid_generator", .tensor(theta), .ints(size), .bool(alignCorners))
}

/// What ``pad(_:_:mode:)`` writes.
public enum PaddingMode: Sendable {
  case constant(Double)
  /// Mirrored, without repeating the edge.
  case reflect
  case replicate
  case circular
}

/// Widens the last axes.
/// - Parameter amounts: [left, right, top, bottom, …], the last axis first.
public func pad(_ x: Tensor, _ amounts: [Int], mode: PaddingMode = .constant(0)) -> Tensor {
  switch mode {
  case .constant(let value): torch("pad", .tensor(x), .ints(amounts), .string("constant"), .double(value))
  case .reflect: torch("pad", .tensor(x), .ints(amounts), .string("reflect"))
  case .replicate: torch("pad", .tensor(x), .ints(amounts), .string("replicate"))
  case .circular: torch("pad", .tensor(x), .ints(amounts), .string("circular"))
  }
}

/// Rearranges [N, C·r², H, W] into [N, C, H·r, W·r].
public func pixelShuffle(_ x: Tensor, factor: Int) -> Tensor {
  torch("pixel_shuffle", .tensor(x), .int(factor))
}
