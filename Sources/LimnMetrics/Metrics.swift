// The registry of metrics.

/// All metrics by name.
public enum Metrics {
  /// Every metric, baselines included.
  public static let all: [any Metric] = [
    MSSSIMOfPairs(.generated), MSSSIMOfPairs(.generatedReal), MSSSIMOfPairs(.real),
    PatchSWD(.generatedReal), PatchSWD(.realHalves),
  ]

  /// What is measured unless metrics are named: those that say something about the generated images.
  public static var standard: [any Metric] { all.filter { $0.baseline != nil } }

  /// - Throws: ``MetricError`` for a name that no metric has.
  public static func named(_ name: String) throws -> any Metric {
    guard let metric = all.first(where: { $0.name == name }) else {
      throw MetricError("no metric '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
    }
    return metric
  }
}
