// Linear maps and convolutions.

/// x · weightᵀ + bias.
/// - Parameters:
///   - x: [..., in].
///   - weight: [out, in].
///   - bias: [out].
/// - Returns: [..., out].
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
  torch("linear", .tensor(x), .tensor(weight), .tensor(bias))
}

/// 2-D cross-correlation.
/// - Parameters:
///   - x: [N, in, H, W].
///   - weight: [out, in / groups, kH, kW].
///   - bias: [out].
///   - stride: the step from one place to the next.
///   - padding: zeros on each side.
///   - dilation: the step between the kernel's elements.
///   - groups: parts that the channels are divided into, each convolved alone.
/// - Returns: [N, out, H′, W′] with H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1.
public func conv2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  dilation: Int = 1, groups: Int = 1
) -> Tensor {
  torch(
    "conv2d", .tensor(x), .tensor(weight), .tensor(bias), .ints([stride, stride]),
    .ints([padding, padding]), .ints([dilation, dilation]), .int(groups))
}

/// 2-D cross-correlation of [N, in, H, W] with [out, in / groups, kH, kW], with the stride and the padding of
/// each axis, [vertical, horizontal].
public func conv2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: [Int], padding: [Int], groups: Int = 1
) -> Tensor {
  torch(
    "conv2d", .tensor(x), .tensor(weight), .tensor(bias), .ints(stride), .ints(padding), .ints([1, 1]),
    .int(groups))
}

/// The transpose of ``conv2d(_:_:_:stride:padding:dilation:groups:)``.
/// - Parameters:
///   - x: [N, in, H, W].
///   - weight: [in, out / groups, kH, kW].
///   - bias: [out].
///   - stride: the step in the result from one place of the input to the next.
///   - padding: places cut off each side of the result.
///   - outputPadding: rows and columns added at the end, to choose among the sizes that a stride leaves open.
///   - groups: parts that the channels are divided into, each convolved alone.
///   - dilation: the step between the kernel's elements.
/// - Returns: [N, out, H′, W′] with H′ = (H − 1)·stride − 2·padding + dilation·(kH − 1) + outputPadding + 1.
public func convTranspose2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  outputPadding: Int = 0, groups: Int = 1, dilation: Int = 1
) -> Tensor {
  torch(
    "conv_transpose2d.input", .tensor(x), .tensor(weight), .tensor(bias), .ints([stride, stride]),
    .ints([padding, padding]), .ints([outputPadding, outputPadding]), .int(groups),
    .ints([dilation, dilation]))
}

/// The transpose of ``conv1d(_:_:_:stride:padding:dilation:groups:)``: [N, in, L] with [in, out / groups, k].
public func convTranspose1d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  outputPadding: Int = 0, groups: Int = 1, dilation: Int = 1
) -> Tensor {
  torch(
    "conv_transpose1d", .tensor(x), .tensor(weight), .tensor(bias), .ints([stride]), .ints([padding]),
    .ints([outputPadding]), .int(groups), .ints([dilation]))
}

/// The transpose of ``conv3d(_:_:_:stride:padding:dilation:groups:)``: [N, in, D, H, W] with
/// [in, out / groups, kD, kH, kW].
public func convTranspose3d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  outputPadding: Int = 0, groups: Int = 1, dilation: Int = 1
) -> Tensor {
  torch(
    "conv_transpose3d.input", .tensor(x), .tensor(weight), .tensor(bias), triple(stride), triple(padding),
    triple(outputPadding), .int(groups), triple(dilation))
}

/// 1-D cross-correlation of [N, in, L] with [out, in / groups, k].
public func conv1d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  dilation: Int = 1, groups: Int = 1
) -> Tensor {
  torch(
    "conv1d", .tensor(x), .tensor(weight), .tensor(bias), .ints([stride]), .ints([padding]),
    .ints([dilation]), .int(groups))
}

/// 3-D cross-correlation of [N, in, D, H, W] with [out, in / groups, kD, kH, kW].
public func conv3d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
  dilation: Int = 1, groups: Int = 1
) -> Tensor {
  torch(
    "conv3d", .tensor(x), .tensor(weight), .tensor(bias), triple(stride), triple(padding),
    triple(dilation), .int(groups))
}

/// Rows of `weight` [count, features] at the positions `indices`.
public func embedding(_ indices: Tensor, _ weight: Tensor) -> Tensor {
  torch("embedding", .tensor(weight), .tensor(indices))
}

private func triple(_ value: Int) -> OperatorArgument { .ints([value, value, value]) }
