// Figures as lines of a CSV file.

/// A line of the CSV file.
struct Figure {
  var name: String
  var value: Double
  var standardDeviation: Double?
  var interval: (low: Double, high: Double)?
  var baseline: Double?
  var realCount: Int
  var generatedCount: Int
  var direction: MetricDirection
  var protocolSentence: String
  var warnings: [String] = []

  static let columns = [
    "name", "value", "standard_deviation", "interval_low", "interval_high", "real_real", "real_count",
    "generated_count", "direction", "protocol", "warnings",
  ]

  /// In the order of ``columns``; empty where there is no number.
  var cells: [String] {
    func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
    return [
      name, "\(value)", text(standardDeviation), text(interval?.low), text(interval?.high), text(baseline),
      "\(realCount)", "\(generatedCount)", direction.rawValue, protocolSentence,
      warnings.joined(separator: "; "),
    ]
  }
}
