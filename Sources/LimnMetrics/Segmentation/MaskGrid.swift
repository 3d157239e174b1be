// Two masks cut down to the box that holds both, as the surface measures need them.

import LimnTorch

/// A mask in memory with three axes; an image [H, W] is a volume of one plane.
struct MaskGrid: Sendable {
  /// [D, H, W].
  let shape: [Int]
  let values: [Bool]

  subscript(_ z: Int, _ y: Int, _ x: Int) -> Bool { values[(z * shape[1] + y) * shape[2] + x] }

  var isEmpty: Bool { !values.contains(true) }

  /// Two masks of one shape, cut to the least box with every true element of either, and nothing at all where
  /// both are empty.
  static func cropped(_ a: Tensor, _ b: Tensor) throws -> (MaskGrid, MaskGrid)? {
    try checkSameShape(a, b)
    guard a.rank == 2 || a.rank == 3 else {
      throw MetricError("surfaces are measured on masks [H, W] or [D, H, W], not \(a.shape)")
    }
    let shape = a.rank == 3 ? a.shape : [1] + a.shape
    let (first, second) = (
      MaskGrid(shape: shape, values: a.maskValues), MaskGrid(shape: shape, values: b.maskValues)
    )
    guard let box = box(first, second) else { return nil }
    return (first.part(box), second.part(box))
  }

  private static func box(_ a: MaskGrid, _ b: MaskGrid) -> [Range<Int>]? {
    let shape = a.shape
    var (low, high) = (shape, [-1, -1, -1])
    for z in 0..<shape[0] {
      for y in 0..<shape[1] {
        let row = (z * shape[1] + y) * shape[2]
        let places = row..<row + shape[2]
        guard let first = places.first(where: { a.values[$0] || b.values[$0] }),
          let last = places.last(where: { a.values[$0] || b.values[$0] })
        else { continue }
        low = [min(low[0], z), min(low[1], y), min(low[2], first - row)]
        high = [max(high[0], z), max(high[1], y), max(high[2], last - row)]
      }
    }
    return high[0] < 0 ? nil : zip(low, high).map { $0..<$1 + 1 }
  }

  private func part(_ box: [Range<Int>]) -> MaskGrid {
    var part: [Bool] = []
    part.reserveCapacity(box.reduce(1) { $0 * $1.count })
    for z in box[0] {
      for y in box[1] {
        let row = (z * shape[1] + y) * shape[2]
        part += values[row + box[2].lowerBound..<row + box[2].upperBound]
      }
    }
    return MaskGrid(shape: box.map(\.count), values: part)
  }
}
