// How often the values of two images meet, and the mutual information that follows: Studholme, Hill & Hawkes, "An
// overlap invariant entropy measure of 3D medical image alignment" (Pattern Recognition 1999).

import Foundation
import LimnTorch

/// Counts of pairs of values, each side's range in bins of one width. Histograms of slices add up to their volume's.
public struct JointHistogram: Sendable, Equatable {
  /// Bins of each side.
  public static let bins = 64
  /// The count of each pair of bins, the first image's bin being the slower index.
  private var counts: [Double]

  /// The joint histogram of each slice.
  /// - Parameters:
  ///   - first: [N, H, W].
  ///   - second: the same shape.
  ///   - low: where the first bin begins; values below are in it.
  ///   - range: the width of all bins together; values beyond are in the last one.
  /// - Returns: one for each of the N slices.
  static func slices(_ first: Tensor, _ second: Tensor, low: Double, range: Double) -> [JointHistogram] {
    func places(_ x: Tensor) -> Tensor {
      ((x - low) * (Double(bins) / range)).floor().clamped(min: 0, max: Double(bins - 1))
    }
    let cells = (places(first) * Double(bins) + places(second)).to(.int32)
    return (0..<cells.size(0)).map { slice in
      var counts = [Double](repeating: 0, count: bins * bins)
      for cell in cells[slice].flattened().array(of: Int32.self) { counts[Int(cell)] += 1 }
      return JointHistogram(counts: counts)
    }
  }

  /// (H(A) + H(B)) / H(A, B): 1 for images that tell nothing of each other, 2 where each value of one is a value of the
  /// other's own; NaN where both images have one value.
  public var normalizedMutualInformation: Double {
    let rows = (0..<Self.bins).map { row in counts[row * Self.bins..<(row + 1) * Self.bins].reduce(0, +) }
    let columns = (0..<Self.bins).map { column in
      stride(from: column, to: counts.count, by: Self.bins).reduce(0) { $0 + counts[$1] }
    }
    let joint = Self.entropy(counts)
    return joint > 0 ? (Self.entropy(rows) + Self.entropy(columns)) / joint : .nan
  }

  /// In nats.
  private static func entropy(_ counts: [Double]) -> Double {
    let total = counts.reduce(0, +)
    return counts.reduce(0) { sum, count in
      count > 0 ? sum - count / total * log(count / total) : sum
    }
  }

  static func + (a: JointHistogram, b: JointHistogram) -> JointHistogram {
    JointHistogram(counts: zip(a.counts, b.counts).map { $0 + $1 })
  }
}
