// Where a shape is thickest: the regional maxima of its distance transform, which become watershed's markers.

/// Plateaus of a distance map that no neighbour surpasses.
struct DistanceMaxima {
  private let heights: [Int32]
  private let width: Int
  /// The pixels of each maximum, row by row, in the order of first pixels.
  private let maxima: [[Int]]

  /// Finds the maxima.
  /// - Parameters:
  ///   - heights: row by row; 0 outside the shape.
  ///   - width: pixels in a row.
  init(_ heights: [Int32], width: Int) {
    (self.heights, self.width) = (heights, width)
    let plateaus = ConnectedComponents(of: heights, width: width, connectivity: .eight)
    var isMaximum = [Bool](repeating: true, count: plateaus.count + 1)
    for place in heights.indices where heights[place] > 0 {
      let isSurpassed = Self.square(around: place, radius: 1, heights.count, width: width)
        .contains { heights[$0] > heights[place] }
      if isSurpassed { isMaximum[Int(plateaus.labels[place])] = false }
    }
    var pixels = [[Int]](repeating: [], count: plateaus.count + 1)
    for place in heights.indices where heights[place] > 0 && isMaximum[Int(plateaus.labels[place])] {
      pixels[Int(plateaus.labels[place])].append(place)
    }
    maxima = pixels.filter { !$0.isEmpty }
  }

  /// The highest maxima that are at least so many pixels apart.
  /// - Returns: for each pixel 0, or the number of its marker from 1.
  func markers(apart minimumDistance: Double) -> [Int32] {
    var markers = [Int32](repeating: 0, count: heights.count)
    var isNear = [Bool](repeating: false, count: heights.count)
    var count: Int32 = 0
    let order = maxima.sorted { (-heights[$0[0]], $0[0]) < (-heights[$1[0]], $1[0]) }
    for maximum in order where !maximum.contains(where: { isNear[$0] }) {
      count += 1
      for place in maximum {
        markers[place] = count
        markNear(place, minimumDistance, in: &isNear)
      }
    }
    return markers
  }

  private func markNear(_ place: Int, _ distance: Double, in isNear: inout [Bool]) {
    let radius = Int(min(max(distance, 0), Double(heights.count)).rounded(.up))
    for other in Self.square(around: place, radius: radius, heights.count, width: width) {
      let (down, right) = (other / width - place / width, other % width - place % width)
      if Double(down * down + right * right) < distance * distance { isNear[other] = true }
    }
  }

  /// The places of a square, as far as it lies in the image.
  private static func square(around place: Int, radius: Int, _ count: Int, width: Int) -> [Int] {
    let (row, column) = (place / width, place % width)
    let columns = max(0, column - radius)...min(width - 1, column + radius)
    return (max(0, row - radius)...min(count / width - 1, row + radius)).flatMap { row in
      columns.map { row * width + $0 }
    }
  }
}
