// The sums over pixels that the table of regions is made of.

/// Sums of all objects of an image, gathered in one pass.
struct RegionSums {
  private struct Sum {
    var area = 0
    var rows = 0
    var columns = 0
    var top = Int.max
    var left = Int.max
    var bottom = 0
    var right = 0
    var perimeter = 0.0
    var intensity = 0.0
    var least = Double.infinity
    var greatest = -Double.infinity
  }

  private let width: Int
  private var sums: [Int32: Sum] = [:]

  init(width: Int) { self.width = width }

  /// Adds runs of pixels of one label.
  mutating func add(_ labels: [Int32], intensities: [Double]?) {
    var start = 0
    while start < labels.count {
      let rowEnd = (start / width + 1) * width
      var end = start + 1
      while end < rowEnd, labels[end] == labels[start] { end += 1 }
      if labels[start] > 0 { add(start..<end, to: labels[start], intensities) }
      start = end
    }
  }

  private mutating func add(_ run: Range<Int>, to label: Int32, _ intensities: [Double]?) {
    let (row, first) = (run.lowerBound / width, run.lowerBound % width)
    var sum = sums[label, default: Sum()]
    sum.area += run.count
    sum.rows += row * run.count
    sum.columns += run.count * first + run.count * (run.count - 1) / 2
    (sum.top, sum.bottom) = (min(sum.top, row), row + 1)
    (sum.left, sum.right) = (min(sum.left, first), max(sum.right, first + run.count))
    for value in intensities?[run] ?? [] {
      sum.intensity += value
      (sum.least, sum.greatest) = (min(sum.least, value), max(sum.greatest, value))
    }
    sums[label] = sum
  }

  mutating func addPerimeters(of labels: [Int32]) {
    let border = labels.indices.map { isBorder($0, of: labels) }
    for place in labels.indices where border[place] {
      let edges = neighbours(of: place, labels, border, Self.edges)
      let corners = neighbours(of: place, labels, border, Self.corners)
      sums[labels[place]]?.perimeter += Self.length(edges: edges, corners: corners)
    }
  }

  /// Whether one of a pixel's four neighbours is not of its object; nor is what lies beyond the image.
  private func isBorder(_ place: Int, of labels: [Int32]) -> Bool {
    labels[place] > 0 && neighbours(of: place, labels, nil, Self.edges) < 4
  }

  private static let edges = [(-1, 0), (0, -1), (0, 1), (1, 0)]
  private static let corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]

  /// How many neighbours are of the pixel's object, and on its border where that is given.
  private func neighbours(
    of place: Int, _ labels: [Int32], _ border: [Bool]?, _ directions: [(down: Int, right: Int)]
  ) -> Int {
    directions.count { direction in
      let column = place % width + direction.right
      let other = place + direction.down * width + direction.right
      guard column >= 0, column < width, labels.indices.contains(other) else { return false }
      return labels[other] == labels[place] && border?[other] ?? true
    }
  }

  /// What a border pixel adds, by its neighbours on the border (Benkrid and Crookes 2000); other patterns add
  /// nothing.
  private static func length(edges: Int, corners: Int) -> Double {
    switch (edges, corners) {
    case (2...3, 0...2): 1
    case (0, 2), (1, 3): 2.0.squareRoot()
    case (1, 1...2): (1 + 2.0.squareRoot()) / 2
    default: 0
    }
  }

  func regions(pixelArea: Double?, hasImage: Bool) -> [RegionTable.Region] {
    sums.sorted { $0.key < $1.key }.map { label, sum in
      let area = Double(sum.area)
      return RegionTable.Region(
        label: Int(label), area: sum.area, areaInSquareMillimetres: pixelArea.map { $0 * area },
        centroidRow: Double(sum.rows) / area, centroidColumn: Double(sum.columns) / area,
        top: sum.top, left: sum.left, bottom: sum.bottom, right: sum.right, perimeter: sum.perimeter,
        intensity: hasImage
          ? RegionTable.Intensity(mean: sum.intensity / area, minimum: sum.least, maximum: sum.greatest)
          : nil)
    }
  }
}
