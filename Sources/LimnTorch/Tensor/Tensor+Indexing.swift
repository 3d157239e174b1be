// Indexing and slicing that reads well: x[0], x[.all, 2..<5], x[.ellipsis, .stride(from: 0, by: 2)], x[indices].

/// One place in `x[…]`.
public enum TensorIndex: Sendable, ExpressibleByIntegerLiteral {
  /// The whole axis.
  case all
  /// As many whole axes as the other places leave.
  case ellipsis
  /// A new axis of length one.
  case newAxis
  /// One position, which removes the axis; negative counts from the end.
  case at(Int)
  /// Positions from `start` up to but not including `end` (nil: the end), in steps.
  case slice(start: Int, end: Int?, step: Int)
  /// The positions that an integer tensor lists, or where a boolean tensor is true.
  case tensor(Tensor)

  public init(integerLiteral value: Int) { self = .at(value) }

  public static func stride(from start: Int = 0, to end: Int? = nil, by step: Int) -> TensorIndex {
    .slice(start: start, end: end, step: step)
  }
}

/// What may stand in `x[…]`: integers, ranges, tensors, and ``TensorIndex`` values.
public protocol TensorIndexable { var tensorIndex: TensorIndex { get } }

extension TensorIndex: TensorIndexable { public var tensorIndex: TensorIndex { self } }
extension Int: TensorIndexable { public var tensorIndex: TensorIndex { .at(self) } }
extension Tensor: TensorIndexable { public var tensorIndex: TensorIndex { .tensor(self) } }
extension Range: TensorIndexable where Bound == Int {
  public var tensorIndex: TensorIndex { .slice(start: lowerBound, end: upperBound, step: 1) }
}
extension ClosedRange: TensorIndexable where Bound == Int {
  public var tensorIndex: TensorIndex { .slice(start: lowerBound, end: upperBound + 1, step: 1) }
}
extension PartialRangeFrom: TensorIndexable where Bound == Int {
  public var tensorIndex: TensorIndex { .slice(start: lowerBound, end: nil, step: 1) }
}
extension PartialRangeUpTo: TensorIndexable where Bound == Int {
  public var tensorIndex: TensorIndex { .slice(start: 0, end: upperBound, step: 1) }
}

extension Tensor {
  /// A part of the tensor; a view unless a tensor stands among the indices. Assigning writes into it.
  public subscript(_ indices: TensorIndex...) -> Tensor {
    get { selected(indices) }
    set { assign(newValue, to: indices) }
  }

  /// A part of the tensor; a view unless a tensor stands among the indices. Assigning writes into it.
  public subscript(_ indices: any TensorIndexable...) -> Tensor {
    get { selected(indices.map(\.tensorIndex)) }
    set { assign(newValue, to: indices.map(\.tensorIndex)) }
  }

  /// The slices at the positions `indices` (int64, one axis) along `dim`.
  public func indexSelect(dim: Int, _ indices: Tensor) -> Tensor {
    torch("index_select", .tensor(self), .int(dim), .tensor(indices))
  }

  /// out[i][j] = self[index[i][j]][j] for dim 0, and so on.
  public func gathered(dim: Int, _ indices: Tensor) -> Tensor {
    torch("gather", .tensor(self), .int(dim), .tensor(indices))
  }

  /// The positions where the tensor is not zero, [count, rank].
  public func nonzero() -> Tensor { torch("nonzero", .tensor(self)) }

  private func selected(_ indices: [TensorIndex]) -> Tensor {
    let (view, tensors) = sliced(indices)
    guard tensors.contains(where: { $0 != nil }) else { return view }
    return torch("index.Tensor", .tensor(view), .optionalTensors(tensors))
  }

  private func assign(_ value: Tensor, to indices: [TensorIndex]) {
    let (view, tensors) = sliced(indices)
    if tensors.contains(where: { $0 != nil }) {
      torchEffect("index_put_", .tensor(view), .optionalTensors(tensors), .tensor(value))
    } else if !view.isSame(as: value) {
      view.copy(from: value)
    }
  }

  /// Applies everything but the tensor indices, which are returned in their places.
  private func sliced(_ indices: [TensorIndex]) -> (view: Tensor, tensors: [Tensor?]) {
    var view = self
    var tensors: [Tensor?] = []
    for index in expandedEllipsis(indices) {
      let dim = tensors.count
      switch index {
      case .all, .ellipsis: tensors.append(nil)
      case .newAxis:
        view = view.unsqueezed(dim)
        tensors.append(nil)
      case .at(let position): view = torch("select.int", .tensor(view), .int(dim), .int(position))
      case .slice(let start, let end, let step):
        view = torch("slice.Tensor", .tensor(view), .int(dim), .int(start), .int(end), .int(step))
        tensors.append(nil)
      case .tensor(let positions): tensors.append(positions)
      }
    }
    return (view, tensors)
  }

  private func expandedEllipsis(_ indices: [TensorIndex]) -> [TensorIndex] {
    guard let place = indices.firstIndex(where: { if case .ellipsis = $0 { true } else { false } }) else {
      return indices
    }
    let used = indices.reduce(0) { count, index in
      if case .newAxis = index { count } else if case .ellipsis = index { count } else { count + 1 }
    }
    let rest = Array(repeating: TensorIndex.all, count: Swift.max(0, rank - used))
    return Array(indices[..<place]) + rest + Array(indices[(place + 1)...])
  }
}
