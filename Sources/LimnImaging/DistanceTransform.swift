// The exact Euclidean distance transform in time linear in the number of elements: Felzenszwalb and
// Huttenlocher, "Distance Transforms of Sampled Functions" (Theory of Computing 8, 2012).

import LimnTorch

/// Distances from every element of a grid to the nearest of some of its elements.
public enum DistanceTransform {
  /// The distance of each element to the nearest one that is not zero.
  /// - Parameters:
  ///   - targets: [H, W] or [D, H, W], any element type.
  ///   - spacing: the distance of neighbours along each axis, in the order of the axes; nil: 1 everywhere.
  /// - Returns: float64 of the same shape on the CPU, in the unit of `spacing`; infinite where there is no
  ///   target at all.
  public static func distances(to targets: Tensor, spacing: [Double]? = nil) -> Tensor {
    let squared = squaredDistances(
      to: targets.isNotEqual(to: 0).array(of: Bool.self), shape: targets.shape,
      spacing: spacing ?? targets.shape.map { _ in 1 })
    return Tensor(squared, shape: targets.shape).sqrt()
  }

  /// The squares of the distances, exact for whole-number spacing.
  /// - Parameters:
  ///   - targets: the elements to measure from, last axis fastest.
  ///   - shape: the length of each axis.
  ///   - spacing: the distance of neighbours along each axis.
  /// - Returns: as many numbers, infinite where there is no target at all.
  public static func squaredDistances(to targets: [Bool], shape: [Int], spacing: [Double]) -> [Double] {
    alongAxes(targets, shape: shape, spacing: spacing, count: shape.count)
  }

  /// The squares of the distances of some elements: where they are few, such as a surface's, much faster than
  /// those of all.
  /// - Parameters:
  ///   - targets: the elements to measure from, last axis fastest.
  ///   - shape: the length of each axis, two at least.
  ///   - spacing: the distance of neighbours along each axis.
  ///   - places: the elements whose distances are wanted.
  /// - Returns: a number for each of `places`, infinite where there is no target at all.
  public static func squaredDistances(
    to targets: [Bool], shape: [Int], spacing: [Double], at places: [Int]
  ) -> [Double] {
    precondition(shape.count > 1, "elements of \(shape) have no lines to be sought along")
    let across = alongAxes(targets, shape: shape, spacing: spacing, count: shape.count - 1)
    let (length, scale) = (shape[shape.count - 1], spacing[spacing.count - 1] * spacing[spacing.count - 1])
    return across.withUnsafeBufferPointer { across in
      places.map { nearest(across, place: $0, length: length, scale: scale) }
    }
  }

  /// The least f(q) + (x − q)² · scale of the element's line, sought outwards from the element until farther
  /// ones cannot be nearer.
  private static func nearest(
    _ values: UnsafeBufferPointer<Double>, place: Int, length: Int, scale: Double
  ) -> Double {
    let x = place % length
    var least = values[place]
    for step in 1..<max(length, 2) {
      let own = Double(step) * Double(step) * scale
      guard own < least else { break }
      if step <= x { least = min(least, values[place - step] + own) }
      if x + step < length { least = min(least, values[place + step] + own) }
    }
    return least
  }

  /// The squares of the distances within the first `count` axes: to targets that lie at the same place of the others.
  private static func alongAxes(
    _ targets: [Bool], shape: [Int], spacing: [Double], count: Int
  ) -> [Double] {
    precondition(
      shape.count == spacing.count && spacing.allSatisfy { $0 > 0 },
      "a distance transform needs a positive spacing for each axis of \(shape), not \(spacing)")
    guard !targets.isEmpty else { return [] }
    var distances = alongFirstAxis(targets, rows: shape[0], spacing: spacing[0])
    for axis in 1..<max(count, 1) {
      var lines = ParabolaLines(length: shape[axis], spacing: spacing[axis])
      let stride = shape[(axis + 1)...].reduce(1, *)
      distances.withUnsafeMutableBufferPointer { lines.run(over: $0, stride: stride) }
    }
    return distances
  }

  /// Two sweeps over whole rows: the steps to the nearest target above, then to the nearest of both sides.
  private static func alongFirstAxis(_ targets: [Bool], rows: Int, spacing: Double) -> [Double] {
    let inner = targets.count / rows
    var steps = targets.map { $0 ? 0 : Double.infinity }
    steps.withUnsafeMutableBufferPointer { steps in
      for place in Swift.stride(from: inner, to: steps.count, by: 1) {
        steps[place] = min(steps[place], steps[place - inner] + 1)
      }
      for place in Swift.stride(from: steps.count - inner - 1, through: 0, by: -1) {
        steps[place] = min(steps[place], steps[place + inner] + 1)
      }
      for place in steps.indices { steps[place] *= steps[place] * spacing * spacing }
    }
    return steps
  }
}

/// Lower envelopes of the parabolas f(q) + (x − q)² · spacing² over lines of one length.
private struct ParabolaLines {
  private let length: Int
  /// The square of the spacing.
  private let scale: Double
  private var heights: [Double]
  /// The places of the parabolas of the envelope, and where each begins to be the lowest.
  private var places: [Int]
  private var starts: [Double]

  init(length: Int, spacing: Double) {
    self.length = length
    scale = spacing * spacing
    heights = [Double](repeating: 0, count: length)
    places = [Int](repeating: 0, count: length)
    starts = [Double](repeating: 0, count: length)
  }

  mutating func run(over values: UnsafeMutableBufferPointer<Double>, stride: Int) {
    for block in Swift.stride(from: 0, to: values.count, by: length * stride) {
      for offset in 0..<stride { transform(values, from: block + offset, stride: stride) }
    }
  }

  private mutating func transform(
    _ values: UnsafeMutableBufferPointer<Double>, from start: Int, stride: Int
  ) {
    for x in 0..<length { heights[x] = values[start + x * stride] }
    let count = envelope()
    guard count > 0 else { return }
    var current = 0
    for x in 0..<length {
      while current + 1 < count, starts[current + 1] < Double(x) { current += 1 }
      let step = Double(x - places[current])
      values[start + x * stride] = heights[places[current]] + step * step * scale
    }
  }

  /// Collects the parabolas that are the lowest somewhere; those of infinite height are none.
  private mutating func envelope() -> Int {
    var count = 0
    for q in 0..<length where heights[q] < .infinity {
      var start = -Double.infinity
      while count > 0 {
        start = crossing(places[count - 1], q)
        if start > starts[count - 1] { break }
        count -= 1
      }
      places[count] = q
      starts[count] = count == 0 ? -.infinity : start
      count += 1
    }
    return count
  }

  /// Where the parabola of `q` goes below that of `p` on its left.
  private func crossing(_ p: Int, _ q: Int) -> Double {
    ((heights[q] - heights[p]) / scale + Double(q * q - p * p)) / Double(2 * (q - p))
  }
}
