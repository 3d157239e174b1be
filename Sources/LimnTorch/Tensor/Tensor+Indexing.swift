// Indexing and slicing that reads well: x[0], x[.all, 2..<5], x[.ellipsis, .stride(by: 2)], x[indices].

/// One place in `x[…]`.
public struct TensorIndex: Sendable {
  enum Place {
    case all, ellipsis, newAxis
    case at(Int)
    /// `end` nil stands for the end of the axis.
    case slice(start: Int, end: Int?, step: Int)
    case tensor(Tensor)
  }

  let place: Place

  /// Positions from `start` up to but not including `end`; a slice that begins before the end of an axis
  /// (`-3 ..< 0`) and stops at zero reaches the end.
  static func slice(_ start: Int, _ end: Int?, step: Int = 1) -> TensorIndex {
    TensorIndex(place: .slice(start: start, end: start < 0 && end == 0 ? nil : end, step: step))
  }
}

/// What may stand in `x[…]`: integers, ranges, tensors, and the places that ``TensorIndex`` names.
///
/// Negative positions count from the end of the axis. A tensor is a list of positions (integers), or chooses
/// the positions where it is true (booleans).
public protocol TensorIndexable { var tensorIndex: TensorIndex { get } }

extension TensorIndexable where Self == TensorIndex {
  /// The whole axis.
  public static var all: TensorIndex { TensorIndex(place: .all) }
  /// As many whole axes as the other places leave.
  public static var ellipsis: TensorIndex { TensorIndex(place: .ellipsis) }
  /// A new axis of length one.
  public static var newAxis: TensorIndex { TensorIndex(place: .newAxis) }
  /// Every `step`-th position from `start` up to but not including `end` (nil: the end).
  public static func stride(from start: Int = 0, to end: Int? = nil, by step: Int) -> TensorIndex {
    .slice(start, end, step: step)
  }
}

extension TensorIndex: TensorIndexable { public var tensorIndex: TensorIndex { self } }
extension Int: TensorIndexable { public var tensorIndex: TensorIndex { TensorIndex(place: .at(self)) } }
extension Tensor: TensorIndexable {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { TensorIndex(place: .tensor(self)) }
}
extension Range: TensorIndexable where Bound == Int {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { .slice(lowerBound, upperBound) }
}
extension ClosedRange: TensorIndexable where Bound == Int {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { .slice(lowerBound, upperBound + 1) }
}
extension PartialRangeFrom: TensorIndexable where Bound == Int {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { .slice(lowerBound, nil) }
}
extension PartialRangeUpTo: TensorIndexable where Bound == Int {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { .slice(0, upperBound) }
}
extension PartialRangeThrough: TensorIndexable where Bound == Int {
  /// The places that this value selects along one axis.
  public var tensorIndex: TensorIndex { .slice(0, upperBound == -1 ? nil : upperBound + 1) }
}

extension Tensor {
  /// A part of the tensor; a view unless a tensor stands among the indices. Assigning writes into it.
  ///
  /// An integer removes its axis, a range keeps it; axes not named are whole. There is a subscript for each
  /// number of places because Swift 6.3 cannot compile a settable one over a parameter pack.
  public subscript(_ a: some TensorIndexable) -> Tensor {
    get { selected([a]) }
    set { assign(newValue, to: [a]) }
  }

  /// A part of the tensor, see the subscript with one place.
  public subscript(_ a: some TensorIndexable, _ b: some TensorIndexable) -> Tensor {
    get { selected([a, b]) }
    set { assign(newValue, to: [a, b]) }
  }

  /// A part of the tensor, see the subscript with one place.
  public subscript(
    _ a: some TensorIndexable, _ b: some TensorIndexable, _ c: some TensorIndexable
  ) -> Tensor {
    get { selected([a, b, c]) }
    set { assign(newValue, to: [a, b, c]) }
  }

  /// A part of the tensor, see the subscript with one place.
  public subscript(
    _ a: some TensorIndexable, _ b: some TensorIndexable, _ c: some TensorIndexable, _ d: some TensorIndexable
  ) -> Tensor {
    get { selected([a, b, c, d]) }
    set { assign(newValue, to: [a, b, c, d]) }
  }

  /// A part of the tensor, see the subscript with one place.
  public subscript(
    _ a: some TensorIndexable, _ b: some TensorIndexable, _ c: some TensorIndexable,
    _ d: some TensorIndexable,
    _ e: some TensorIndexable
  ) -> Tensor {
    get { selected([a, b, c, d, e]) }
    set { assign(newValue, to: [a, b, c, d, e]) }
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

  private func selected(_ indices: [any TensorIndexable]) -> Tensor {
    let (view, tensors) = sliced(indices.map(\.tensorIndex.place))
    guard tensors.contains(where: { $0 != nil }) else { return view }
    return torch("index.Tensor", .tensor(view), .optionalTensors(tensors))
  }

  private func assign(_ value: Tensor, to indices: [any TensorIndexable]) {
    let (view, tensors) = sliced(indices.map(\.tensorIndex.place))
    if tensors.contains(where: { $0 != nil }) {
      let value = value.to(view.dtype).to(view.device)
      torchEffect("index_put_", .tensor(view), .optionalTensors(tensors), .tensor(value))
    } else if !view.isSame(as: value) {
      view.copy(from: value)
    }
  }

  /// Applies everything but the tensor indices, which are returned in their places.
  private func sliced(_ places: [TensorIndex.Place]) -> (view: Tensor, tensors: [Tensor?]) {
    var view = self
    var dim = 0
    var tensors: [Tensor?] = []
    for place in withoutEllipsis(places) {
      switch place {
      case .at(let position):
        view = torch("select.int", .tensor(view), .int(dim), .int(position))
        continue
      case .tensor(let positions):
        tensors.append(positions)
        dim += axes(of: place)
        continue
      case .newAxis: view = view.unsqueezed(dim)
      case .slice(let start, let end, let step):
        view = torch("slice.Tensor", .tensor(view), .int(dim), .int(start), .int(end), .int(step))
      case .all, .ellipsis: break
      }
      tensors.append(nil)
      dim += 1
    }
    return (view, tensors)
  }

  private func withoutEllipsis(_ places: [TensorIndex.Place]) -> [TensorIndex.Place] {
    guard let gap = places.firstIndex(where: { if case .ellipsis = $0 { true } else { false } }) else {
      return places
    }
    let rest = rank - places.reduce(0) { $0 + axes(of: $1) }
    return places[..<gap] + Array(repeating: .all, count: Swift.max(0, rest)) + places[(gap + 1)...]
  }
}

/// The number of the tensor's axes that a place stands for; a boolean mask has its own.
private func axes(of place: TensorIndex.Place) -> Int {
  switch place {
  case .newAxis, .ellipsis: 0
  case .tensor(let mask) where mask.dtype == .bool: mask.rank
  case .all, .at, .slice, .tensor: 1
  }
}
