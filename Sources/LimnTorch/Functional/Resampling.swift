// Pooling, sampling at free positions, padding.

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

/// The largest of each of a grid of `size` [H′, W′] windows that cover [N, C, H, W].
public func adaptiveMaxPool2d(_ x: Tensor, _ size: [Int]) -> Tensor {
  torchTensors("adaptive_max_pool2d", .tensor(x), .ints(size))[0]
}

/// The largest of each window. x: [N, C, D, H, W].
public func maxPool3d(_ x: Tensor, _ size: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
  let axes = { (value: Int) in OperatorArgument.ints([value, value, value]) }
  return torch("max_pool3d", .tensor(x), axes(size), axes(stride ?? size), axes(padding))
}

/// The mean of each window. x: [N, C, D, H, W].
public func avgPool3d(_ x: Tensor, _ size: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
  let axes = { (value: Int) in OperatorArgument.ints([value, value, value]) }
  return torch("avg_pool3d", .tensor(x), axes(size), axes(stride ?? size), axes(padding))
}

/// The means of a grid of `size` [D′, H′, W′] windows that cover [N, C, D, H, W].
public func adaptiveAvgPool3d(_ x: Tensor, _ size: [Int]) -> Tensor {
  torch("adaptive_avg_pool3d", .tensor(x), .ints(size))
}
/// What lies beyond the border for ``gridSample(_:_:mode:padding:alignCorners:)``.
public enum GridPadding: Int, Sendable { case zeros = 0, border = 1, reflection = 2 }

/// Samples [N, C, H, W] at the positions `grid` [N, H′, W′, 2], given as (x, y) in [−1, 1]; or
/// [N, C, D, H, W] at [N, D′, H′, W′, 3], given as (x, y, z). libtorch differentiates it once, not twice.
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

/// Sampling positions [N, H, W, 2] of the affine maps `theta` [N, 2, 3] for an image of `size` [N, C, H, W],
/// or [N, D, H, W, 3] of `theta` [N, 3, 4] for a volume of `size` [N, C, D, H, W].
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
/// - Parameters:
///   - x: any shape.
///   - amounts: [left, right, top, bottom, …], the last axis first.
///   - mode: what the new places hold.
/// - Returns: `x` with the last axes longer by their two amounts.
public func pad(_ x: Tensor, _ amounts: [Int], mode: PaddingMode = .constant(0)) -> Tensor {
  switch mode {
  case .constant(let value): torch("pad", .tensor(x), .ints(amounts), .string("constant"), .double(value))
  case .reflect: copyingPad(x, amounts, "reflect")
  case .replicate: copyingPad(x, amounts, "replicate")
  case .circular: copyingPad(x, amounts, "circular")
  }
}

/// Autocast would have copies of bfloat16 made in float32, there and back.
private func copyingPad(_ x: Tensor, _ amounts: [Int], _ mode: String) -> Tensor {
  withAutocast(.float32, device: x.device) {
    torch("pad", .tensor(x), .ints(amounts), .string(mode))
  }
}

/// Rearranges [N, C·r², H, W] into [N, C, H·r, W·r].
public func pixelShuffle(_ x: Tensor, factor: Int) -> Tensor {
  torch("pixel_shuffle", .tensor(x), .int(factor))
}

/// Rearranges [N, C, H·r, W·r] into [N, C·r², H, W].
public func pixelUnshuffle(_ x: Tensor, factor: Int) -> Tensor {
  torch("pixel_unshuffle", .tensor(x), .int(factor))
}
