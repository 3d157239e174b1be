// What `limn translate` has made, with what can be measured of it.

import Foundation
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTranslation

/// Translations, and figures where their true targets are known.
struct TranslationResult {
  let cases: [TranslatedCase]
  let consistency: SliceConsistency
  /// What a careful person would want to know, a line each.
  let notes: [String]
  let translator: Translator

  /// Cases with a true target.
  var measurable: [TranslatedCase] { cases.filter(\.hasTarget) }

  /// The target's numbers, as far as one window gave them to all images.
  private var units: TargetUnits { TargetUnits(translator.target, storedBits: 16) }

  /// The figures of `limn evaluate pairs`; values beyond the target's window are cut off, as no network draws them.
  /// - Returns: nil without true targets.
  func measured(seed: UInt64) throws -> PairEvaluation? {
    let (cases, units) = (measurable, units)
    guard !cases.isEmpty else { return nil }
    let groups = PatientGroups.numbers(cases.map(\.patient))
    let setting = PairProtocol(
      range: units.low...units.high, unit: units.unit == .hounsfield ? units.unit.rawValue : nil)
    return try PairEvaluation.run(count: cases.count, setting: setting, seed: seed) { place in
      let slices = try cases[place].open()
      func values(_ images: Tensor) -> Tensor {
        units.values(of: images.to(.float64)).flattened(from: 0, to: 1)
      }
      return ImagePair(
        name: cases[place].name, real: values(slices.target ?? slices.result), fake: values(slices.result),
        group: groups[place])
    }
  }

  /// What a terminal shows.
  func text(_ figures: PairEvaluation?) -> String {
    let blocks = [
      figures?.table, consistency.rows.isEmpty ? nil : consistencyTable,
      notes.isEmpty ? nil : notes.map { "warning: \($0)" }.joined(separator: "\n"),
    ]
    return blocks.compactMap(\.self).map { "\n\($0)\n" }.joined()
  }

  /// Rows of text under ``SliceConsistency``'s names.
  static let consistencyColumns = ["neighbouring slices", "correlation", "|difference|", "pairs"]

  var consistencyRows: [[String]] {
    consistency.rows.map {
      [
        $0.series, String(format: "%.4f", $0.correlation), String(format: "%.4f", $0.difference),
        "\($0.pairs)",
      ]
    }
  }

  private var consistencyTable: String {
    let lines = [Self.consistencyColumns] + consistencyRows
    let widths = Self.consistencyColumns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        .trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n")
  }

  private struct Document: Encodable {
    let figures: PairEvaluation?
    let consistency: [SliceConsistency.Row]
  }

  /// Figures and consistency; keys sorted, indented.
  func json(_ figures: PairEvaluation?) throws -> Data {
    try JSONEncoder.readable.encode(Document(figures: figures, consistency: consistency.rows))
  }
}
