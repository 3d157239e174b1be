// How often each intensity occurs in images: counts that batches of a large set add up to.

import LimnTorch

/// Counts of values in bins of equal width, as NumPy's `histogram` makes them: each bin has its lower end, the
/// last one its upper end too.
public struct Histogram: Sendable, Codable, Equatable {
  /// From the lower end of the first bin to the upper end of the last.
  public let range: ClosedRange<Double>
  /// Values in each bin.
  public private(set) var counts: [Int]
  /// Values beyond the range, and those that are no numbers.
  public private(set) var outside: Int

  /// No values yet.
  public init(bins: Int, range: ClosedRange<Double>) {
    precondition(
      bins > 0 && range.upperBound > range.lowerBound, "a histogram has at least one bin of some width")
    self.range = range
    counts = Array(repeating: 0, count: bins)
    outside = 0
  }

  /// Counts values of any shape and type.
  public init(of values: Tensor, bins: Int, range: ClosedRange<Double>) {
    self = Self.counted(values, places: nil, groups: 1, bins: bins, range: range)[0]
  }

  /// One histogram for each class that occurs.
  /// - Parameters:
  ///   - images: [N, C, H, W], any type.
  ///   - labels: [N, H, W], integers from 0 to 65535.
  ///   - bins: of each histogram.
  ///   - range: of each histogram.
  /// - Returns: by label; all channels of a pixel count.
  public static func byClass(
    _ images: Tensor, labels: Tensor, bins: Int, range: ClosedRange<Double>
  ) -> [Int: Histogram] {
    let extent = [images.shape[0]] + images.shape.suffix(2)
    precondition(labels.shape == extent, "labels \(labels.shape) do not lie over images \(images.shape)")
    let places = labels.to(.cpu).to(.int64).unsqueezed(1).expanded(images.shape)
    let groups = labels.count == 0 ? 0 : Int(labels.to(.int64).max().item()) + 1
    precondition(groups <= 65536, "labels reach \(groups - 1), above 65535")
    let all = counted(images, places: places, groups: groups, bins: bins, range: range)
    return Dictionary(uniqueKeysWithValues: all.enumerated().filter { $0.element.total > 0 }.map { ($0, $1) })
  }

  /// All values, outside ones too.
  public var total: Int { counts.reduce(outside, +) }

  /// Adds the counts of another histogram of the same bins.
  public static func += (a: inout Histogram, b: Histogram) {
    precondition(
      a.range == b.range && a.counts.count == b.counts.count, "histograms of different bins do not add up")
    for bin in a.counts.indices { a.counts[bin] += b.counts[bin] }
    a.outside += b.outside
  }

  /// A histogram for each group; `places` has the group of each value (int64), all in one where nil.
  private static func counted(
    _ values: Tensor, places: Tensor?, groups: Int, bins: Int, range: ClosedRange<Double>
  ) -> [Histogram] {
    let numbers = values.to(.cpu).to(.float64)
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    let found = ((numbers - range.lowerBound) / width).floor().clamped(max: Double(bins - 1))
    let isInside = numbers.isAtLeast(range.lowerBound).logicalAnd(numbers.isAtMost(range.upperBound))
    // One more bin for what lies outside.
    let slot = Tensor.where(isInside, found, Tensor.full([], Double(bins), dtype: .float64))
    let slots = places.map { slot + ($0.to(.float64) * Double(bins + 1)) } ?? slot
    var tally = Array(repeating: 0, count: groups * (bins + 1))
    slots.to(.int64).withUnsafeBytes { bytes in
      for place in bytes.bindMemory(to: Int.self) { tally[place] += 1 }
    }
    return (0..<groups).map { group in
      var histogram = Histogram(bins: bins, range: range)
      let part = tally[group * (bins + 1)..<(group + 1) * (bins + 1)]
      (histogram.counts, histogram.outside) = (Array(part.dropLast()), part.last ?? 0)
      return histogram
    }
  }
}
