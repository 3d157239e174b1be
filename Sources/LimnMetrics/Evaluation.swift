// One evaluation: several metrics, and their baselines, over the same two sets.

import Foundation
import LimnTorch

/// What an evaluation found, ready to be printed, stored as JSON, or put on a page.
public struct Evaluation: Codable, Sendable, Equatable {
  /// The real and the generated set.
  public struct Set: Codable, Sendable, Equatable {
    /// What messages call the set, such as its folder.
    public let name: String
    /// All images of the set, whether they took part or not.
    public let count: Int
    /// 1 (grey) or 3 (RGB).
    public let channels: Int
    /// Pixels.
    public let height: Int
    /// Pixels.
    public let width: Int
  }

  /// The set that was measured against.
  public let real: Set
  /// The set that was measured.
  public let generated: Set
  /// Decided every random choice.
  public let seed: UInt64
  /// One for each metric, in the order in which they were asked for.
  public let results: [MetricResult]

  /// Measures `fake` against `real`; each baseline is measured once.
  /// - Parameters:
  ///   - real: the set that the generator learned from, or better one it has never seen.
  ///   - fake: the generated set, of the same size and number of channels.
  ///   - metrics: what to measure; those of features come from a ``Metrics``.
  ///   - count: at most this many images of each set; nil: all.
  ///   - seed: decides every random choice.
  ///   - batchSize: images fetched at a time; no value depends on it.
  ///   - resamples: half-samples that confidence intervals are estimated from; 0 for none.
  ///   - cache: where features are kept; nil: nowhere.
  ///   - progress: hears the name of each metric before its work starts.
  /// - Returns: one result for each metric, in the order of `metrics`.
  /// - Throws: ``MetricError`` where the images do not suit a metric, and what the sources throw.
  public static func run(
    real: any ImageSource, fake: any ImageSource, metrics: [any Metric] = Metrics.standardOfImages, count: Int? = nil,
    seed: UInt64 = 0, batchSize: Int = 64, resamples: Int = 100, cache: FeatureCache? = nil,
    progress: (String) -> Void = { _ in }
  ) throws -> Evaluation {
    let sets = try ImageSets(
      real: real, generated: fake, limit: count, seed: seed, batchSize: batchSize, resamples: resamples,
      cache: cache)
    var known: [String: MetricResult] = [:]
    func measure(_ metric: any Metric) throws -> MetricResult {
      if let result = known[metric.name] { return result }
      progress(metric.name)
      let result = try metric.measure(sets)
      known[metric.name] = result
      return result
    }
    let results = try metrics.map { metric in
      var result = try measure(metric)
      if let baseline = metric.baseline, sets.real.count > 1 {
        result.baseline = try measure(baseline).value
      }
      return result
    }
    return Evaluation(real: Set(real), generated: Set(fake), seed: seed, results: results)
  }

  /// Keys sorted, indented.
  public func json() throws -> Data {
    try JSONEncoder.readable.encode(self)
  }
}

extension Evaluation.Set {
  init(_ source: any ImageSource) {
    self.init(
      name: source.name, count: source.count, channels: source.channels, height: source.height,
      width: source.width)
  }
}

// MARK: - The table

extension Evaluation {
  /// The heads of ``rows``.
  public static let columns = ["metric", "value", "95% interval", "real-real", "N", "protocol"]

  /// One row of text for each metric, in the order of ``columns``.
  public var rows: [[String]] {
    results.map { result in
      [
        result.scale == 1 ? result.name : "\(result.name) x\(Int(result.scale))",
        result.text(result.value) + (result.standardDeviation.map { " ± " + result.text($0) } ?? ""),
        result.interval.map { "\(result.text($0.low))...\(result.text($0.high))" } ?? "n/a",
        result.baseline.map(result.text) ?? "n/a", result.countText, result.protocolSentence,
      ]
    }
  }

  /// The metrics as aligned columns, protocols and warnings below; the protocol column is too wide for a
  /// terminal.
  public var table: String {
    let cells = ([Self.columns] + rows).map { Array($0.dropLast()) }
    let widths = Self.columns.indices.dropLast().map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      row.indices.map { column in
        let isLast = column == row.count - 1
        return isLast
          ? row[column] : row[column].padding(toLength: widths[column], withPad: " ", startingAt: 0)
      }.joined(separator: "  ")
    }
    let notes = results.flatMap { result in
      ["", "\(result.name): \(result.protocolSentence)"] + result.warnings.map { "  warning: \($0)" }
    }
    return (lines + notes).joined(separator: "\n")
  }
}

extension MetricResult {
  fileprivate func text(_ value: Double) -> String {
    String(format: scale == 1 ? "%.4f" : "%.2f", value * scale)
  }

  fileprivate var countText: String {
    [realCount > 0 ? "\(realCount) real" : nil, generatedCount > 0 ? "\(generatedCount) generated" : nil]
      .compactMap { $0 }.joined(separator: ", ")
  }
}
