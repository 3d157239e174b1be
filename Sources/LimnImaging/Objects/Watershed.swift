// The watershed by flooding from markers, in the order of a priority queue: Beucher and Meyer, "The
// morphological approach to segmentation: the watershed transformation" (1993).

import LimnTorch

/// Divides a surface into the basins of its markers.
public enum Watershed {
  /// Floods a surface from markers, the lowest pixels first, and among equals those that were reached first.
  ///
  /// A pixel belongs to the basin that first reaches one of its eight neighbours and becomes the queue's
  /// lowest. Basins meet without a line between them. Which of two basins takes a plateau's middle is decided
  /// by the order of arrival: markers count row by row, neighbours on edges before those on corners.
  /// - Parameters:
  ///   - elevation: [H, W], real numbers.
  ///   - markers: [H, W], integers; what is above 0 is a basin's number.
  ///   - mask: [H, W]; where it is 0 no water goes, and markers there do not count.
  /// - Returns: int32 [H, W], a basin's number for each pixel of the mask that one reaches, 0 elsewhere.
  public static func flooded(_ elevation: Tensor, from markers: Tensor, within mask: Tensor) -> Tensor {
    precondition(
      elevation.rank == 2 && markers.shape == elevation.shape && mask.shape == elevation.shape,
      "elevation, markers and mask are of one shape [H, W], not \(elevation.shape), \(markers.shape), "
        + "\(mask.shape)")
    var flood = Flood(
      elevation: elevation.to(.float64).array(of: Double.self),
      markers: markers.to(.int32).array(of: Int32.self),
      mask: mask.isNotEqual(to: 0).array(of: Bool.self), width: elevation.shape[1])
    return Tensor(flood.run(), shape: elevation.shape)
  }

  /// Divides one connected shape into the basins of the distance to what surrounds it.
  ///
  /// Markers are the regional maxima of the Euclidean distance to the nearest pixel outside: 8-connected
  /// plateaus that no neighbour surpasses. From the highest to the lowest, the first in the image among
  /// equals, a maximum is left out if one of its pixels is nearer than `minimumDistance` to a marker.
  /// - Parameters:
  ///   - mask: the shape, row by row.
  ///   - width: pixels in a row.
  ///   - minimumDistance: between markers, in pixels.
  /// - Returns: numbers from 1 on the shape, 0 elsewhere.
  static func parts(of mask: [Bool], width: Int, minimumDistance: Double) -> [Int32] {
    let squares = DistanceTransform.squaredDistances(
      to: mask.map { !$0 }, shape: [mask.count / width, width], spacing: [1, 1])
    // Squares of whole numbers are exact, so that plateaus are found; infinity is one, too.
    let heights = squares.map { Int32(min($0, Double(Int32.max))) }
    let markers = DistanceMaxima(heights, width: width).markers(apart: minimumDistance)
    var flood = Flood(elevation: squares.map { -$0 }, markers: markers, mask: mask, width: width)
    return flood.run()
  }
}

/// A pixel that water has reached; the lowest comes first, and among equals the one reached first.
private struct ReachedPixel: Comparable {
  let level: Double
  let arrival: Int32
  let place: Int32

  static func < (a: ReachedPixel, b: ReachedPixel) -> Bool {
    a.level == b.level ? a.arrival < b.arrival : a.level < b.level
  }
}

/// One surface being flooded.
private struct Flood {
  private let elevation: [Double]
  private let mask: [Bool]
  private let width: Int
  private var basins: [Int32]
  private var queue = MinimumHeap<ReachedPixel>()
  private var arrivals: Int32 = 0

  init(elevation: [Double], markers: [Int32], mask: [Bool], width: Int) {
    (self.elevation, self.mask, self.width) = (elevation, mask, width)
    basins = zip(markers, mask).map { $1 ? max($0, 0) : 0 }
  }

  mutating func run() -> [Int32] {
    for place in basins.indices where basins[place] > 0 { reach(place) }
    while let pixel = queue.removeFirst() { spread(from: Int(pixel.place)) }
    return basins
  }

  private mutating func reach(_ place: Int) {
    arrivals += 1
    queue.insert(ReachedPixel(level: elevation[place], arrival: arrivals, place: Int32(place)))
  }

  private mutating func spread(from place: Int) {
    let (row, column) = (place / width, place % width)
    for (down, right) in Self.neighbours {
      let (y, x) = (row + down, column + right)
      let other = y * width + x
      guard y >= 0, x >= 0, x < width, other < mask.count, mask[other], basins[other] == 0 else { continue }
      basins[other] = basins[place]
      reach(other)
    }
  }

  private static let neighbours = [
    (-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1),
  ]
}
