// How much a volume's slices hang together: translated one by one, they may flicker.

import LimnTorch

/// How alike neighbouring slices of a volume are, for its source, its translation and, where known, its target.
///
/// Looked at are the pixels in which the source is above black in either slice. A translation whose slices are less
/// alike than those of source and target was drawn unevenly along the volume.
public struct SliceConsistency: Sendable {
  /// Whose slices these are.
  public enum Series: String, Sendable, CaseIterable {
    case source, translation, target
  }

  /// Means over pairs of neighbouring slices.
  public struct Row: Sendable, Codable, Equatable {
    /// Whose slices.
    public let series: String
    /// Pearson's correlation of the pixels of both slices.
    public let correlation: Double
    /// Mean |difference| of the pixels, over the range from black to white.
    public let difference: Double
    /// How many pairs of slices.
    public let pairs: Int
  }

  private var last: [Series: Tensor] = [:]
  private var sums: [Series: (correlation: Double, difference: Double, pairs: Int)] = [:]

  /// Nothing seen yet.
  public init() {}

  /// What comes next is the first slice of another volume.
  public mutating func restart() { last = [:] }

  /// Adds a slice.
  /// - Parameter slices: images [C, H, W] in [−1, 1], `source` among them.
  public mutating func add(_ slices: [Series: Tensor]) {
    let values = slices.mapValues { $0.to(.float64).mean(dims: [0]) }
    defer { last = values }
    guard let source = values[.source], let before = last[.source], before.shape == source.shape else {
      return
    }
    let seen = maximum(source, before).isGreater(than: -1 + 1e-6).to(.float64)
    for (series, own) in values {
      guard let before = last[series] else { continue }
      add(own, before, seen, to: series)
    }
  }

  private mutating func add(_ a: Tensor, _ b: Tensor, _ seen: Tensor, to series: Series) {
    let count = seen.sum().item()
    func mean(_ x: Tensor) -> Double { (x * seen).sum().item() / count }
    let (x, y) = (a - mean(a), b - mean(b))
    let spread = (mean(x * x) * mean(y * y)).squareRoot()
    // Even slices have no correlation.
    guard count > 1, spread > 1e-12 else { return }
    var sum = sums[series] ?? (0, 0, 0)
    sum.correlation += mean(x * y) / spread
    sum.difference += mean((a - b).abs()) / 2
    sum.pairs += 1
    sums[series] = sum
  }

  /// Takes in what was seen of other volumes.
  public mutating func merge(_ other: SliceConsistency) {
    sums.merge(other.sums) {
      ($0.correlation + $1.correlation, $0.difference + $1.difference, $0.pairs + $1.pairs)
    }
  }

  /// Source, translation, target, as far as there are neighbouring slices.
  public var rows: [Row] {
    Series.allCases.compactMap { series in
      sums[series].map {
        let count = Double($0.pairs)
        return Row(
          series: series.rawValue, correlation: $0.correlation / count, difference: $0.difference / count,
          pairs: $0.pairs)
      }
    }
  }
}
