// Outlines of regions along the edges of pixels, so that filling them gives the very same pixels back.

/// The border of a region as closed polygons in pixel-edge coordinates: (0, 0) is the upper left corner of the
/// image, (W, H) the lower right one, pixel (x, y) covers x to x + 1 and y to y + 1.
///
/// Vertices are whole numbers and edges run along rows and columns, so a pixel is inside just where its centre
/// is, by the even-odd rule and by the non-zero rule alike.
public struct RegionOutline: Sendable, Equatable {
  /// The outer border, clockwise as seen on a screen; the last vertex is joined to the first.
  public let outer: [SIMD2<Int>]
  /// Borders of the holes, counterclockwise.
  public let holes: [[SIMD2<Int>]]

  /// One polygon that goes round the holes too, by cuts of no width from the border to each hole: for formats
  /// whose polygons know no holes.
  public var joined: [SIMD2<Int>] {
    holes.reduce(outer) { path, hole in
      let entry = hole[0]
      let distances = path.map { ($0 &- entry) }.map { $0.x * $0.x + $0.y * $0.y }
      let near = distances.indices.min { distances[$0] < distances[$1] } ?? 0
      return Array(path[...near]) + hole + [entry] + Array(path[near...])
    }
  }
}

extension LabelRegion {
  /// The region's border.
  public var outline: RegionOutline {
    var tracer = BorderTracer(mask: mask, width: width, height: height)
    let loops = tracer.loops().map { loop in loop.map { $0 &+ SIMD2(left, top) } }
    return RegionOutline(outer: loops[0], holes: Array(loops.dropFirst()))
  }
}

/// Follows the edges between inside and outside, with the inside always on the right hand.
private struct BorderTracer {
  /// East, south, west, north; one more is a turn to the right.
  private static let steps: [SIMD2<Int>] = [[1, 0], [0, 1], [-1, 0], [0, -1]]
  private let columns: Int
  /// For each corner of a pixel: the directions, as bits, in which border edges leave it.
  private var leaving: [UInt8]

  init(mask: [Bool], width: Int, height: Int) {
    columns = width + 1
    leaving = [UInt8](repeating: 0, count: (width + 1) * (height + 1))
    func isInside(_ x: Int, _ y: Int) -> Bool {
      x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x]
    }
    for place in mask.indices where mask[place] {
      let (x, y) = (place % width, place / width)
      if !isInside(x, y - 1) { leaving[y * columns + x] |= 1 }
      if !isInside(x + 1, y) { leaving[y * columns + x + 1] |= 2 }
      if !isInside(x, y + 1) { leaving[(y + 1) * columns + x + 1] |= 4 }
      if !isInside(x - 1, y) { leaving[(y + 1) * columns + x] |= 8 }
    }
  }

  /// All borders, the outer one first: its first corner comes before every other's, row by row.
  mutating func loops() -> [[SIMD2<Int>]] {
    var loops: [[SIMD2<Int>]] = []
    for corner in leaving.indices {
      while leaving[corner] != 0 { loops.append(loop(from: corner)) }
    }
    return loops
  }

  private mutating func loop(from start: Int) -> [SIMD2<Int>] {
    var corner = start
    var direction = leaving[start].trailingZeroBitCount
    var vertices = [point(start)]
    while true {
      leaving[corner] &= ~(1 << UInt8(direction))
      corner += Self.steps[direction].x + Self.steps[direction].y * columns
      // Where two pixels touch by a corner, the turn to the left goes on to the other one: both are one region.
      let left = (direction + 3) % 4
      let turnsLeft = leaving[corner] >> UInt8(left) & 1 == 1
      if corner == start && !turnsLeft { return vertices }
      let next = turnsLeft ? left : leaving[corner].trailingZeroBitCount
      if next != direction { vertices.append(point(corner)) }
      direction = next
    }
  }

  private func point(_ corner: Int) -> SIMD2<Int> { [corner % columns, corner / columns] }
}
