// Connected components of masks and label maps, by two passes and disjoint sets (Rosenfeld and Pfaltz 1966).

/// Numbers for the connected parts of an image.
public struct ConnectedComponents: Sendable, Equatable {
  /// Which pixels are neighbours.
  public enum Connectivity: Int, Sendable, Codable {
    /// Along rows and columns.
    case four = 4
    /// Corners too.
    case eight = 8
  }

  /// For each pixel, row by row: 0 where the value is 0 or below, else the number of its component. Components
  /// are numbered from 1 in the order of their first pixels.
  public let labels: [Int32]
  /// The number of components.
  public let count: Int

  /// Finds the connected parts of equal value above 0.
  /// - Parameters:
  ///   - values: a mask of zeros and ones or a label map, row by row.
  ///   - width: pixels in a row.
  ///   - connectivity: which pixels are neighbours.
  public init(of values: [Int32], width: Int, connectivity: Connectivity) {
    precondition(width > 0 ? values.count % width == 0 : values.isEmpty, "rows of \(width) pixels")
    var provisional = [Int32](repeating: 0, count: values.count)
    var sets = DisjointLabels()
    values.withUnsafeBufferPointer { values in
      provisional.withUnsafeMutableBufferPointer { labels in
        sets.scan(values, into: labels, width: width, isEight: connectivity == .eight)
      }
    }
    let numbers = sets.consecutiveNumbers()
    labels = provisional.map { numbers[Int($0)] }
    count = Int(numbers.max() ?? 0)
  }
}

/// Provisional labels and which of them are one; the root of a set is its least label, and label 0 is the
/// background's.
private struct DisjointLabels {
  private var parents: [Int32] = [0]

  mutating func scan(
    _ values: UnsafeBufferPointer<Int32>, into labels: UnsafeMutableBufferPointer<Int32>, width: Int,
    isEight: Bool
  ) {
    for place in values.indices where values[place] > 0 {
      let column = place % width
      var label: Int32 = 0
      func meet(_ other: Int) {
        guard other >= 0, values[other] == values[place] else { return }
        label = label == 0 ? labels[other] : united(label, labels[other])
      }
      if column > 0 { meet(place - 1) }
      meet(place - width)
      if isEight {
        if column > 0 { meet(place - width - 1) }
        if column + 1 < width { meet(place - width + 1) }
      }
      labels[place] = label == 0 ? added() : label
    }
  }

  private mutating func added() -> Int32 {
    parents.append(Int32(parents.count))
    return Int32(parents.count - 1)
  }

  private mutating func united(_ a: Int32, _ b: Int32) -> Int32 {
    if a == b { return a }
    let (a, b) = (root(of: a), root(of: b))
    parents[Int(max(a, b))] = min(a, b)
    return min(a, b)
  }

  private mutating func root(of label: Int32) -> Int32 {
    var label = label
    while parents[Int(label)] != label {
      parents[Int(label)] = parents[Int(parents[Int(label)])]
      label = parents[Int(label)]
    }
    return label
  }

  /// The number of each provisional label's set, counted from 1.
  mutating func consecutiveNumbers() -> [Int32] {
    var numbers = [Int32](repeating: 0, count: parents.count)
    var last: Int32 = 0
    for label in parents.indices.dropFirst() {
      // A parent is less than its child, so its number is known.
      if parents[label] == Int32(label) {
        last += 1
        numbers[label] = last
      } else {
        numbers[label] = numbers[Int(parents[label])]
      }
    }
    return numbers
  }
}
