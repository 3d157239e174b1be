// The same elements in another arrangement.

extension Tensor {
  /// One length may be −1: it takes what is left.
  public func reshaped(_ shape: [Int]) -> Tensor { torch("reshape", .tensor(self), .ints(shape)) }
  /// Axis i of the result is axis `dims[i]`.
  public func permuted(_ dims: [Int]) -> Tensor { torch("permute", .tensor(self), .ints(dims)) }
  /// Two axes exchanged.
  public func transposed(_ a: Int, _ b: Int) -> Tensor {
    torch("transpose.int", .tensor(self), .int(a), .int(b))
  }
  /// A new axis of length one before `dim`.
  public func unsqueezed(_ dim: Int) -> Tensor { torch("unsqueeze", .tensor(self), .int(dim)) }
  /// Without the axis `dim`, whose length must be one.
  public func squeezed(_ dim: Int) -> Tensor { torch("squeeze.dim", .tensor(self), .int(dim)) }
  /// Axes of length one repeated without a copy; −1 keeps a length.
  public func expanded(_ shape: [Int]) -> Tensor { torch("expand", .tensor(self), .ints(shape)) }
  /// The axes `start` to `end` joined into one.
  public func flattened(from start: Int = 0, to end: Int = -1) -> Tensor {
    torch("flatten.using_ints", .tensor(self), .int(start), .int(end))
  }
  /// Reversed along `dims`.
  public func flipped(_ dims: [Int]) -> Tensor { torch("flip", .tensor(self), .ints(dims)) }
  /// Copies laid side by side, so many along each axis.
  public func repeated(_ counts: [Int]) -> Tensor { torch("repeat", .tensor(self), .ints(counts)) }
  /// Each element `count` times in a row along an axis.
  public func repeatInterleaved(_ count: Int, dim: Int) -> Tensor {
    torch("repeat_interleave.self_int", .tensor(self), .int(count), .int(dim))
  }
  /// Shifted along `dims`; what leaves at one end enters at the other.
  public func rolled(_ shifts: [Int], dims: [Int]) -> Tensor {
    torch("roll", .tensor(self), .ints(shifts), .ints(dims))
  }
  /// Turned by quarter turns in the plane of two axes.
  public func rotated90(_ turns: Int, dims: [Int]) -> Tensor {
    torch("rot90", .tensor(self), .int(turns), .ints(dims))
  }
  /// `length` positions from `start` along an axis; a view.
  public func narrowed(dim: Int, start: Int, length: Int) -> Tensor {
    torch("narrow", .tensor(self), .int(dim), .int(start), .int(length))
  }
  /// Pieces of `size` along an axis; the last may be shorter.
  public func split(size: Int, dim: Int = 0) -> [Tensor] {
    torchTensors("split.Tensor", .tensor(self), .int(size), .int(dim))
  }
  /// `count` pieces of nearly equal size.
  public func chunked(_ count: Int, dim: Int = 0) -> [Tensor] {
    torchTensors("chunk", .tensor(self), .int(count), .int(dim))
  }
  /// Sliding windows along an axis, in a new last axis.
  public func unfolded(dim: Int, size: Int, step: Int) -> Tensor {
    torch("unfold", .tensor(self), .int(dim), .int(size), .int(step))
  }
  /// The upper triangle of the last two axes.
  public func upperTriangle(diagonal: Int = 0) -> Tensor { torch("triu", .tensor(self), .int(diagonal)) }
  /// The lower triangle of the last two axes.
  public func lowerTriangle(diagonal: Int = 0) -> Tensor { torch("tril", .tensor(self), .int(diagonal)) }
  /// The diagonal of a matrix, or a matrix from its diagonal.
  public func diagonal() -> Tensor { torch("diag", .tensor(self)) }
}
