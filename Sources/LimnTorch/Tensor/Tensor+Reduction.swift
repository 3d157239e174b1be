// From many elements to fewer: sums, moments, extremes, order.

extension Tensor {
  /// The sum of all elements.
  public func sum() -> Tensor { torch("sum", .tensor(self)) }
  /// The sum over `dims`.
  public func sum(dims: [Int], keepDim: Bool = false) -> Tensor {
    torch("sum.dim_IntList", .tensor(self), .ints(dims), .bool(keepDim))
  }

  /// The mean of all elements.
  public func mean() -> Tensor { torch("mean", .tensor(self)) }
  /// The mean over `dims`.
  public func mean(dims: [Int], keepDim: Bool = false) -> Tensor {
    torch("mean.dim", .tensor(self), .ints(dims), .bool(keepDim))
  }

  /// The variance: divided by n − 1 where `unbiased`, else by n.
  public func variance(dims: [Int]? = nil, unbiased: Bool = true, keepDim: Bool = false) -> Tensor {
    torch("var.correction", .tensor(self), .ints(dims), .int(unbiased ? 1 : 0), .bool(keepDim))
  }

  /// The standard deviation, the root of ``variance(dims:unbiased:keepDim:)``.
  public func std(dims: [Int]? = nil, unbiased: Bool = true, keepDim: Bool = false) -> Tensor {
    torch("std.correction", .tensor(self), .ints(dims), .int(unbiased ? 1 : 0), .bool(keepDim))
  }

  /// The product along an axis.
  public func product(dim: Int, keepDim: Bool = false) -> Tensor {
    torch("prod.dim_int", .tensor(self), .int(dim), .bool(keepDim))
  }

  /// log Σ eˣ over `dims`, without overflow.
  public func logSumExp(dims: [Int], keepDim: Bool = false) -> Tensor {
    torch("logsumexp", .tensor(self), .ints(dims), .bool(keepDim))
  }

  /// The smallest of all elements.
  public func min() -> Tensor { torch("min", .tensor(self)) }
  /// The largest of all elements.
  public func max() -> Tensor { torch("max", .tensor(self)) }
  /// The smallest over `dims`.
  public func amin(dims: [Int], keepDim: Bool = false) -> Tensor {
    torch("amin", .tensor(self), .ints(dims), .bool(keepDim))
  }
  /// The largest over `dims`.
  public func amax(dims: [Int], keepDim: Bool = false) -> Tensor {
    torch("amax", .tensor(self), .ints(dims), .bool(keepDim))
  }

  /// The index of the largest element along an axis; the first of equals.
  public func argmax(dim: Int, keepDim: Bool = false) -> Tensor {
    torch("argmax", .tensor(self), .int(dim), .bool(keepDim))
  }
  /// The index of the smallest element along an axis; the first of equals.
  public func argmin(dim: Int, keepDim: Bool = false) -> Tensor {
    torch("argmin", .tensor(self), .int(dim), .bool(keepDim))
  }

  /// The middle element of all (the lower one of two).
  public func median() -> Tensor { torch("median", .tensor(self)) }

  /// Linearly interpolated quantile along an axis; `q` in [0, 1].
  public func quantile(_ q: Double, dim: Int, keepDim: Bool = false) -> Tensor {
    torch("quantile.scalar", .tensor(self), .double(q), .int(dim), .bool(keepDim))
  }

  /// The elements in order along an axis, and where each was.
  public func sorted(dim: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
    let results = torchTensors("sort", .tensor(self), .int(dim), .bool(descending))
    return (results[0], results[1])
  }

  /// The `count` largest (or smallest) along an axis, in order.
  public func topK(_ count: Int, dim: Int = -1, largest: Bool = true) -> (values: Tensor, indices: Tensor) {
    let results = torchTensors("topk", .tensor(self), .int(count), .int(dim), .bool(largest))
    return (results[0], results[1])
  }

  /// Running sums along an axis.
  public func cumsum(dim: Int) -> Tensor { torch("cumsum", .tensor(self), .int(dim)) }

  /// The Euclidean norm over `dims`, or of all elements.
  public func norm(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    torch("linalg_vector_norm", .tensor(self), .double(2), .ints(dims), .bool(keepDim))
  }

  /// Whether any element is not zero, a bool.
  public func any() -> Tensor { torch("any", .tensor(self)) }
  /// Whether no element is zero, a bool.
  public func all() -> Tensor { torch("all", .tensor(self)) }
}
