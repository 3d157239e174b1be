// For each pixel the distances to the nearest and the second-nearest instance: the two passes of a separable
// Euclidean distance transform, along columns and along rows, with two different instances kept instead of
// one.

/// The nearest two of the instances met so far.
private struct NearestTwo {
  /// Far enough to be no distance, and small enough to be added to one.
  static let far = Int32.max / 2

  private(set) var first: Int32 = 0
  private(set) var second: Int32 = 0
  private(set) var firstSquare = far
  private(set) var secondSquare = far

  @inline(__always)
  mutating func meet(_ instance: Int32, at square: Int32) {
    guard square < secondSquare else { return }
    if instance == first {
      firstSquare = min(firstSquare, square)
    } else if square < firstSquare {
      (second, secondSquare) = (first, firstSquare)
      (first, firstSquare) = (instance, square)
    } else {
      (second, secondSquare) = (instance, square)
    }
  }

  /// Whether something so many columns away can be nearer than the second.
  func isSurpassed(by steps: Int) -> Bool { Int32(steps * steps) < secondSquare }

  /// Meets what the column so many steps away knows.
  @inline(__always)
  mutating func join(_ other: NearestTwo, steps: Int) {
    let square = Int32(steps * steps)
    meet(other.first, at: other.firstSquare + square)
    meet(other.second, at: other.secondSquare + square)
  }
}

/// The last two different instances of a walk along a column, and the steps since each was left.
private struct PassedInstances {
  private(set) var first: Int32 = 0
  private(set) var second: Int32 = 0
  private(set) var firstSteps: Int32 = NearestTwo.far
  private(set) var secondSteps: Int32 = NearestTwo.far

  @inline(__always)
  mutating func pass(_ instance: Int32) {
    firstSteps += 1
    secondSteps += 1
    guard instance > 0 else { return }
    if instance != first { (second, secondSteps) = (first, firstSteps) }
    (first, firstSteps) = (instance, 0)
  }
}

/// Exact distances to the two nearest instances, wherever they are at most `reach`.
///
/// It is enough to keep two instances for each pixel of a column: where two others are nearer within the
/// column, they are nearer to every pixel of that pixel's row, too.
struct NearestInstances {
  /// The squared distance to the nearest instance's nearest pixel; nil beyond the reach.
  func square(toFirst place: Int) -> Int? { known(nearest[place].firstSquare) }

  /// The squared distance to the second-nearest instance's nearest pixel; nil beyond the reach.
  func square(toSecond place: Int) -> Int? { known(nearest[place].secondSquare) }

  private func known(_ square: Int32) -> Int? { Int(square) <= reach * reach ? Int(square) : nil }

  private var nearest: [NearestTwo]
  private let width: Int
  private let reach: Int

  /// Measures the distances.
  /// - Parameters:
  ///   - instances: row by row, 0 for the background.
  ///   - width: pixels in a row.
  ///   - reach: distances above it are left out; the time grows with it. Pixels, below 23,170.
  init(_ instances: [Int32], width: Int, reach: Int) {
    (self.width, self.reach) = (width, min(reach, 23_169))
    nearest = [NearestTwo](repeating: NearestTwo(), count: instances.count)
    guard width > 0 else { return }
    let rows = 0..<instances.count / width
    walkColumns(of: instances, rows: rows)
    walkColumns(of: instances, rows: rows.reversed())
    let (width, reach) = (self.width, self.reach)
    nearest.withUnsafeMutableBufferPointer { places in
      for row in rows {
        Self.joinColumns(UnsafeMutableBufferPointer(rebasing: places[row * width..<(row + 1) * width]), reach)
      }
    }
  }

  private mutating func walkColumns(of instances: [Int32], rows: some Sequence<Int>) {
    var passed = [PassedInstances](repeating: PassedInstances(), count: width)
    for row in rows {
      for column in 0..<width {
        let place = row * width + column
        passed[column].pass(instances[place])
        let seen = passed[column]
        guard seen.firstSteps <= reach else { continue }
        nearest[place].meet(seen.first, at: seen.firstSteps * seen.firstSteps)
        guard seen.secondSteps <= reach else { continue }
        nearest[place].meet(seen.second, at: seen.secondSteps * seen.secondSteps)
      }
    }
  }

  /// Lets each pixel of a row meet what the columns beside it know, the near ones first, until none can be
  /// nearer.
  private static func joinColumns(_ places: UnsafeMutableBufferPointer<NearestTwo>, _ reach: Int) {
    let columns = Array(places)
    columns.withUnsafeBufferPointer { columns in
      for column in columns.indices {
        var found = columns[column]
        var step = 1
        while step <= reach, found.isSurpassed(by: step) {
          if column >= step { found.join(columns[column - step], steps: step) }
          if column + step < columns.count { found.join(columns[column + step], steps: step) }
          step += 1
        }
        places[column] = found
      }
    }
  }
}
