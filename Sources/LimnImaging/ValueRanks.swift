// Percentiles of values that come in parts: integers are counted, other numbers sorted.

import LimnTorch

/// Gathers values and finds their percentiles.
struct ValueRanks {
  /// How often each value from −32,768 to 65,535 occurs; empty until one of 8 or 16 bits comes.
  private var counts: [Int] = []
  private var counted = 0
  /// Values of other types.
  private var others: [Tensor] = []
  private let padding: Double?

  private static let least = -32_768
  private static let size = 65_536 + 32_768

  /// - Parameter padding: a value that is left out.
  init(except padding: Double?) { self.padding = padding }

  /// Takes values of any shape and type; those that are not finite are left out.
  mutating func add(_ values: Tensor) {
    switch values.dtype {
    case .uint8: count(values, UInt8.self)
    case .uint16: count(values, UInt16.self)
    case .int16: count(values, Int16.self)
    default: keep(values)
    }
  }

  private mutating func count<Level: FixedWidthInteger>(_ values: Tensor, _ type: Level.Type) {
    // Neighbours are often equal, and a count must not wait for the one before it: four tables, turn by turn.
    let reach = Int(Level.max) - Int(Level.min) + 1
    var tables = [UInt32](repeating: 0, count: 4 * reach)
    values.contiguous().withUnsafeBytes { bytes in
      let levels = bytes.bindMemory(to: type)
      tables.withUnsafeMutableBufferPointer { tables in
        func take(_ index: Int, _ turn: Int) {
          tables[Int(levels[index]) - Int(Level.min) + turn * reach] &+= 1
        }
        let even = levels.count / 4 * 4
        for index in stride(from: 0, to: even, by: 4) {
          take(index, 0)
          take(index + 1, 1)
          take(index + 2, 2)
          take(index + 3, 3)
        }
        for index in even..<levels.count { take(index, 0) }
      }
    }
    if counts.isEmpty { counts = [Int](repeating: 0, count: Self.size) }
    let missing = padding.flatMap(Level.init(exactly:))
    for level in Level.min...Level.max where level != missing {
      let place = Int(level) - Int(Level.min)
      let found = (0..<4).reduce(0) { $0 + Int(tables[place + $1 * reach]) }
      counts[Int(level) - Self.least] += found
      counted += found
    }
  }

  private mutating func keep(_ values: Tensor) {
    var kept = values.to(.float32).flattened()
    if values.dtype.isFloatingPoint { kept = kept[kept.isFinite().nonzero().squeezed(1)] }
    if let padding { kept = kept[kept.isEqual(to: padding).isEqual(to: 0).nonzero().squeezed(1)] }
    if kept.count > 0 { others.append(kept) }
  }

  /// Two percentiles, 0 to 100, linearly interpolated; (0, 0) where there is no value.
  func percentiles(_ percents: (Double, Double)) -> (low: Double, high: Double) {
    guard !others.isEmpty else { return (countedPercentile(percents.0), countedPercentile(percents.1)) }
    let values = Tensor.cat(others + (counted > 0 ? [Tensor(expandedCounts)] : []), dim: 0)
    if percents == (0, 100) { return (values.min().item(), values.max().item()) }
    let sorted = values.sorted(dim: 0).values
    func value(_ rank: Int) -> Double { sorted[rank].item() }
    return (
      Self.percentile(percents.0, of: values.count, value),
      Self.percentile(percents.1, of: values.count, value)
    )
  }

  private var expandedCounts: [Float] {
    counts.indices.flatMap { [Float](repeating: Float($0 + Self.least), count: counts[$0]) }
  }

  private func countedPercentile(_ percent: Double) -> Double {
    guard counted > 0 else { return 0 }
    return Self.percentile(percent, of: counted) { rank in
      var passed = 0
      let place = counts.firstIndex { count in
        passed += count
        return passed > rank
      }
      return Double((place ?? 0) + Self.least)
    }
  }

  /// Between the values of the two ranks next to it.
  private static func percentile(_ percent: Double, of count: Int, _ value: (Int) -> Double) -> Double {
    let place = min(max(percent, 0), 100) / 100 * Double(count - 1)
    let below = Int(place)
    let (a, b) = (value(below), value(min(below + 1, count - 1)))
    return a + (b - a) * (place - Double(below))
  }
}
