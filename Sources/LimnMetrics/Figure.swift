// Figures as lines of a CSV file.

import Foundation

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

/// Rows as RFC 4180 writes them.
func csvText(_ rows: [[String]]) -> String {
  rows.map { $0.map(\.quotedForCSV).joined(separator: ",") + "\r\n" }.joined()
}

extension String {
  /// RFC 4180: in quotes where it holds a comma, a quote or a line's end. What a spreadsheet would take for a
  /// formula is kept from being one by an apostrophe.
  var quotedForCSV: String {
    let isFormula = first.map { "=+@".contains($0) } ?? false
    let text = isFormula ? "'\(self)" : self
    return text.contains { ",\"\r\n".contains($0) || $0 == "\r\n" }
      ? "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\"" : text
  }
}
