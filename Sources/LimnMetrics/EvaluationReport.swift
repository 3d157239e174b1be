// Everything that one `limn evaluate` found: figures, privacy, usefulness, and what to beware of.

import Foundation
import LimnTorch

/// An evaluation with what was looked at beside the metrics.
public struct EvaluationReport: Encodable, Sendable {
  /// The metrics.
  public var evaluation: Evaluation
  /// Whether training images were copied; nil where that was not looked at.
  public var privacy: PrivacyReport?
  /// What synthetic images are worth for training; nil where that was not measured.
  public var usefulness: UsefulnessReport?
  /// Why figures should not be believed, and what could not be measured; a line each.
  public var warnings: [String]

  /// A report of metrics alone unless more is given.
  public init(
    _ evaluation: Evaluation, privacy: PrivacyReport? = nil, usefulness: UsefulnessReport? = nil,
    warnings: [String] = []
  ) {
    self.evaluation = evaluation
    self.privacy = privacy
    self.usefulness = usefulness
    self.warnings = warnings
  }

  private enum Key: String, CodingKey { case privacy, usefulness, warnings }

  /// The evaluation's own keys, and those of what was looked at besides.
  public func encode(to encoder: any Encoder) throws {
    try evaluation.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(privacy, forKey: .privacy)
    try container.encodeIfPresent(usefulness, forKey: .usefulness)
    try container.encode(warnings, forKey: .warnings)
  }

  /// Keys sorted, indented.
  public func json() throws -> Data { try JSONEncoder.readable.encode(self) }

  /// General warnings, and those of every figure after its name.
  public var allWarnings: [String] {
    warnings + (privacy?.warnings.map { "privacy: \($0)" } ?? [])
      + evaluation.results.flatMap { result in result.warnings.map { "\(result.name): \($0)" } }
  }
}

// MARK: - Tables

extension EvaluationReport {
  /// The text that a terminal shows.
  public var text: String {
    let notes = warnings.map { "warning: \($0)" }.joined(separator: "\n")
    let parts = [evaluation.table, privacy?.text ?? "", usefulness?.text ?? "", notes]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  /// One line for each figure: those of the metrics, of privacy and of usefulness.
  public var csv: String {
    let figures = evaluation.results.map(Figure.init) + (privacy?.figures ?? []) + (usefulness?.figures ?? [])
    return csvText([Figure.columns] + figures.map(\.cells))
  }
}

extension Figure {
  fileprivate init(_ result: MetricResult) {
    self.init(
      name: result.name, value: result.value, standardDeviation: result.standardDeviation,
      interval: result.interval.map { ($0.low, $0.high) }, baseline: result.baseline,
      realCount: result.realCount, generatedCount: result.generatedCount, direction: result.direction,
      protocolSentence: result.protocolSentence, warnings: result.warnings)
  }
}
