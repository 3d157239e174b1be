// What scripts/compare-metrics drives: Limn's values beside those of an independent reference, in rows.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

/// The folder that scripts/compare-metrics put the references into.
enum MetricReference {
  static let folder = ProcessInfo.processInfo.environment["LIMN_METRIC_REFERENCE"]
    .map { URL(fileURLWithPath: $0) }

  /// Whether the script made the reference of a part.
  static func has(_ name: String) -> Bool {
    guard let folder else { return false }
    return FileManager.default.fileExists(atPath: folder.appendingPathComponent("\(name).safetensors").path)
  }
}

/// The parts stand in extensions, one for each reference script `scripts/compare_metrics/NAME.py`.
@Suite(.enabled(if: MetricReference.folder != nil))
struct MetricComparison {
  /// Compares the part `name` and leaves its rows beside the reference.
  func compare(_ name: String, _ body: (ComparisonTable) throws -> Void) throws {
    let folder = try #require(MetricReference.folder)
    let table = try ComparisonTable(folder.appendingPathComponent("\(name).safetensors"))
    let rows = folder.appendingPathComponent("\(name).rows")
    defer { try? Data(table.text.utf8).write(to: rows) }
    try body(table)
  }
}

/// Inputs `in.CASE.X` and reference values `ref.CASE.METRIC` of one safetensors file, compared with Limn's
/// row by row.
final class ComparisonTable {
  private let tensors: [String: Tensor]
  private var rows: [[String]] = []
  private var compared: Set<String> = []

  init(_ url: URL) throws { tensors = try Safetensors.read(url).tensors }

  /// The names of the cases that have references, sorted.
  var cases: [String] {
    Set(tensors.keys.filter { $0.hasPrefix("ref.") }.map { String($0.split(separator: ".")[1]) }).sorted()
  }

  /// The metrics that a case has references of, sorted.
  func metrics(of name: String) -> [String] {
    tensors.keys.filter { $0.hasPrefix("ref.\(name).") }.map { String($0.dropFirst(name.count + 5)) }.sorted()
  }

  /// The input `in.CASE.X`, or nil.
  func optionalInput(_ name: String, _ key: String) -> Tensor? { tensors["in.\(name).\(key)"] }

  /// The input `in.CASE.X`.
  func input(_ name: String, _ key: String) throws -> Tensor {
    try #require(optionalInput(name, key), "no input in.\(name).\(key)")
  }

  /// Adds a row and expects the tolerance: the largest difference over the largest reference value.
  func compare(
    _ name: String, _ metric: String, _ value: Double, within tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try compare(name, metric, [value], within: tolerance, sourceLocation: sourceLocation)
  }

  /// The same for several values at once, such as one for each image; the row shows their means.
  func compare(
    _ name: String, _ metric: String, _ values: [Double], within tolerance: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let key = "ref.\(name).\(metric)"
    let reference = try #require(tensors[key], "no reference \(key)", sourceLocation: sourceLocation)
    let expected = reference.to(.float64).reshaped([-1]).array(of: Double.self)
    let difference = relativeDifference(values, expected)
    let isWithin = difference <= tolerance
    compared.insert(key)
    rows.append([
      metric, name, Self.text(Self.mean(expected)), Self.text(Self.mean(values)),
      String(format: "%.1e", difference), String(format: "%.0e", tolerance), isWithin ? "" : "above",
    ])
    #expect(
      isWithin, "\(metric) of \(name): \(values.prefix(8)), expected \(expected.prefix(8))",
      sourceLocation: sourceLocation)
  }

  /// The references that no row was made of.
  var leftOver: [String] { tensors.keys.filter { $0.hasPrefix("ref.") && !compared.contains($0) }.sorted() }

  /// The rows, cells separated by tabs.
  var text: String { rows.map { $0.joined(separator: "\t") + "\n" }.joined() }

  private static func text(_ value: Double) -> String { String(format: "%.7g", value) }
  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}

/// The largest absolute difference over the largest finite reference value; infinity where one side has a
/// value and the other has none (NaN), where infinities differ, and where counts differ.
func relativeDifference(_ values: [Double], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let scale = expected.filter(\.isFinite).map(abs).max() ?? 0
  let largest = zip(values, expected).map { value, reference in
    if value == reference || (value.isNaN && reference.isNaN) { return 0.0 }
    return value.isFinite && reference.isFinite ? abs(value - reference) : .infinity
  }.max() ?? 0
  return largest == 0 ? 0 : largest / max(scale, 1e-12)
}
