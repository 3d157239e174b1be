// What many images' values come to: mean, spread, and how sure the mean is.

import Foundation
import LimnTorch

/// The mean of the values that are finite, its bootstrap interval, and how many values were not.
///
/// An infinite value (a distance to an object that was missed, the PSNR of equal images) and an undefined one
/// (a class that neither side has) are left out of the mean and counted, since one of them would hide all
/// others.
public struct ScoreSummary: Codable, Sendable, Equatable {
  /// Finite values.
  public let count: Int
  public let infiniteCount: Int
  public let undefinedCount: Int
  /// nil without a finite value.
  public let mean: Double?
  /// The sample standard deviation (n − 1); nil of fewer than two values.
  public let standardDeviation: Double?
  /// The 2.5th and the 97.5th percentile of the mean over bootstrap resamples of the groups; nil of fewer
  /// than two groups.
  public let low: Double?
  public let high: Double?

  /// Resamples that intervals are made of.
  public static let resamples = 2000

  /// Summarises values.
  /// - Parameters:
  ///   - values: one for each image, or slice.
  ///   - groups: what each value belongs to, such as the volume of a slice: resampling takes whole groups,
  ///     because values of one group vary together. nil: each value is its own group.
  ///   - seed: decides the resamples.
  public init(_ values: [Double], groups: [Int]? = nil, seed: UInt64 = 0) {
    let finite = values.indices.filter { values[$0].isFinite }
    count = finite.count
    undefinedCount = values.count { $0.isNaN }
    infiniteCount = values.count - finite.count - undefinedCount
    let sum = finite.reduce(0) { $0 + values[$1] }
    let mean = finite.isEmpty ? nil : sum / Double(finite.count)
    self.mean = mean
    standardDeviation = mean.flatMap { mean in
      guard finite.count > 1 else { return nil }
      let squares = finite.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) }
      return (squares / Double(finite.count - 1)).squareRoot()
    }
    let members = Dictionary(grouping: finite) { groups?[$0] ?? $0 }.sorted { $0.key < $1.key }.map(\.value)
    let sums = members.map { places -> PairSum in
      let sum = places.reduce(0.0) { $0 + values[$1] }
      return PairSum(sum: sum, count: Double(places.count))
    }
    (low, high) = Self.interval(sums, seed: seed)
  }

  private static func interval(_ groups: [PairSum], seed: UInt64) -> (Double?, Double?) {
    guard groups.count > 1 else { return (nil, nil) }
    let means = (0..<UInt64(resamples)).map { resample -> Double in
      var drawn = PairSum(sum: 0, count: 0)
      for draw in groups.indices {
        drawn = drawn + groups[Int(Seed.derive(seed, resample, UInt64(draw)) % UInt64(groups.count))]
      }
      return drawn.sum / drawn.count
    }.sorted()
    return (means[resamples / 40], means[resamples - 1 - resamples / 40])
  }

  /// `0.8412 ± 0.0533`, or `n/a`.
  public var text: String {
    guard let mean else { return "n/a" }
    return Self.text(mean) + (standardDeviation.map { " ± " + Self.text($0) } ?? "")
  }

  /// `0.8120-0.8630`, or `n/a`.
  public var intervalText: String {
    guard let low, let high else { return "n/a" }
    return "\(Self.text(low))-\(Self.text(high))"
  }

  /// Such as `28 (2 infinite, 1 undefined)`.
  public var countText: String {
    let rest = [
      infiniteCount > 0 ? "\(infiniteCount) infinite" : nil,
      undefinedCount > 0 ? "\(undefinedCount) undefined" : nil,
    ].compactMap { $0 }
    return rest.isEmpty ? "\(count)" : "\(count) (\(rest.joined(separator: ", ")))"
  }

  static func text(_ value: Double) -> String { String(format: "%.4f", value) }

  /// A pooled value; empty where the measure has none.
  static func text(of pooled: MeasuredValue?) -> String {
    guard let value = pooled?.value else { return "" }
    return value.isNaN ? "n/a" : text(value)
  }
}

/// A table as a terminal shows it: aligned columns without the last one, which is too long for one and follows
/// below, once for each measure; then warnings.
/// - Parameters:
///   - columns: the heads.
///   - rows: a cell for each head.
///   - measure: the column that holds the measure's name.
///   - warnings: follow at the end.
/// - Returns: lines of text.
func terminalTable(_ columns: [String], _ rows: [[String]], measure: Int, warnings: [String]) -> String {
  let cells = ([columns] + rows).map { Array($0.dropLast()) }
  var seen: Set<String> = []
  let notes = rows.filter { seen.insert($0[measure]).inserted }.map { "\($0[measure]): \($0[$0.count - 1])" }
  return ([alignedColumns(cells), ""] + notes + warnings.map { "warning: \($0)" }).joined(separator: "\n")
}

/// Rows of text as aligned columns.
func alignedColumns(_ rows: [[String]]) -> String {
  let columns = rows.first?.indices ?? 0..<0
  let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = row.indices.map { row[$0].padding(toLength: widths[$0], withPad: " ", startingAt: 0) }
    let line = cells.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }.joined(separator: "\n")
}
