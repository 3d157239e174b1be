// Pixels whose change leaves the topology of a binary image as it is, and changing them in an order: Bertrand,
// "Simple points, topological numbers and geodesic neighborhoods in cubic grids" (1994), in two dimensions.

/// A binary image whose foreground is 4-connected and whose background is 8-connected; what lies outside it is
/// background.
struct SimplePointImage {
  /// The image with a frame of background.
  private var pixels: [Bool]
  private let stride: Int
  private let width: Int
  private let height: Int

  init(_ mask: [Bool], width: Int) {
    (self.width, height, stride) = (width, mask.count / width, width + 2)
    pixels = [Bool](repeating: false, count: stride * (height + 2))
    for row in 0..<height {
      for column in 0..<width { pixels[(row + 1) * stride + column + 1] = mask[row * width + column] }
    }
  }

  /// The image without its frame.
  var mask: [Bool] {
    (0..<height).flatMap { row -> ArraySlice<Bool> in
      let start = (row + 1) * stride + 1
      return pixels[start..<start + width]
    }
  }

  /// Whether the image has the same parts and holes after the pixel changes.
  func isSimple(_ place: Int) -> Bool { Self.table[pattern(around: framed(place))] }

  private func framed(_ place: Int) -> Int { (place / width + 1) * stride + place % width + 1 }

  /// The neighbours as bits, clockwise from the upper left.
  private func pattern(around center: Int) -> Int {
    let (above, below) = (center - stride, center + stride)
    func bit(_ place: Int, _ number: Int) -> Int { pixels[place] ? 1 << number : 0 }
    let upper = bit(above - 1, 0) | bit(above, 1) | bit(above + 1, 2)
    let lower = bit(below + 1, 4) | bit(below, 5) | bit(below - 1, 6)
    return upper | bit(center + 1, 3) | lower | bit(center - 1, 7)
  }

  /// Changes simple pixels, those of the least key first (the first in the image among equals), each at most
  /// once, until no candidate is simple.
  /// - Parameter key: of the pixels that may change; nil for all others.
  mutating func changeSimplePixels(key: [Double?]) {
    var queue = PixelQueue()
    for place in key.indices {
      if let value = key[place], isSimple(place) { queue.insert(place, key: value) }
    }
    var isChanged = [Bool](repeating: false, count: key.count)
    while let place = queue.removeFirst() {
      guard !isChanged[place], isSimple(place) else { continue }
      isChanged[place] = true
      pixels[framed(place)].toggle()
      forEachNeighbour(of: place) { other in
        if let value = key[other], !isChanged[other], isSimple(other) { queue.insert(other, key: value) }
      }
    }
  }

  private func forEachNeighbour(of place: Int, _ body: (Int) -> Void) {
    let (row, column) = (place / width, place % width)
    for y in max(row - 1, 0)...min(row + 1, height - 1) {
      for x in max(column - 1, 0)...min(column + 1, width - 1) where (y, x) != (row, column) {
        body(y * width + x)
      }
    }
  }

  /// For each pattern of neighbours: exactly one 4-connected part of foreground among them that touches the
  /// pixel by an edge, and exactly one 8-connected part of background.
  private static let table = (0..<256).map { pattern in
    parts(of: pattern, isEightConnected: false) == 1 && parts(of: ~pattern & 255, isEightConnected: true) == 1
  }

  /// The parts of a ring of eight neighbours. Even bits are corners; a run of 4-connected foreground counts if
  /// it has an edge neighbour, and 8-connected background goes on past a corner of the foreground.
  private static func parts(of ring: Int, isEightConnected: Bool) -> Int {
    var ring = ring
    for corner in Swift.stride(from: 0, to: 8, by: 2) {
      let (before, after) = (ring >> ((corner + 7) % 8) & 1, ring >> ((corner + 1) % 8) & 1)
      if isEightConnected {
        if before == 1 && after == 1 { ring |= 1 << corner }
      } else if before == 0 && after == 0 {
        ring &= ~(1 << corner)
      }
    }
    if ring == 255 { return 1 }
    return (0..<8).count { ring >> $0 & 1 == 1 && ring >> (($0 + 7) % 8) & 1 == 0 }
  }
}

/// Pixels by key, the least first, the lower number among equals: a binary heap.
private struct PixelQueue {
  private var heap: [(key: Double, place: Int)] = []

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (heap[a].key, heap[a].place) < (heap[b].key, heap[b].place)
  }

  mutating func insert(_ place: Int, key: Double) {
    heap.append((key, place))
    var child = heap.count - 1
    while child > 0, isBefore(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> Int? {
    guard let first = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while 2 * parent + 1 < heap.count {
      var child = 2 * parent + 1
      if child + 1 < heap.count, isBefore(child + 1, child) { child += 1 }
      guard isBefore(child, parent) else { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return first.place
  }
}
