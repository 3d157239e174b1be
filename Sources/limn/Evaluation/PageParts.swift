// What the pages of all evaluations share: tables with their protocols, pictures of bearable size, ranked cases.

import Foundation
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

enum PageParts {
  /// The values, and below them how each was measured, which is too long for a column beside them.
  /// - Parameters:
  ///   - columns: the heads, the protocol last.
  ///   - rows: a cell for each head.
  ///   - measure: the column with the measure's name.
  /// - Returns: two tables.
  static func measured(_ columns: [String], _ rows: [[String]], measure: Int = 0) -> [HTMLBlock] {
    var seen: Set<String> = []
    let protocols = rows.filter { seen.insert($0[measure]).inserted }.map { [$0[measure], $0[$0.count - 1]] }
    return [
      .table(HTMLTable(columns: columns.dropLast(), rows: rows.map { $0.dropLast() })),
      .table(HTMLTable(columns: [columns[measure], columns[columns.count - 1]], rows: protocols)),
    ]
  }

  /// A value as tables show it; `n/a` where it is not defined.
  static func number(_ value: Double?) -> String {
    guard let value, !value.isNaN else { return "n/a" }
    return HumanReadable.number(value)
  }

  /// A mean as a large number, its spread and interval below.
  static func fact(_ name: String, _ summary: ScoreSummary) -> HTMLFact {
    let spread = summary.standardDeviation.map { "± \(number($0))" }
    let interval = summary.low == nil ? nil : "95%: \(summary.intervalText)"
    return HTMLFact(
      name, number(summary.mean), note: [spread, interval].compactMap(\.self).joined(separator: ", "))
  }

  /// The values of every pair.
  static func cases(_ result: PairEvaluation) -> HTMLBlock {
    let measures = result.results.map(\.measure.rawValue)
    return .table(
      HTMLTable(
        columns: ["pair", "slices"] + measures,
        rows: result.volumes.map { volume in
          [volume.name, "\(volume.sliceCount)"] + measures.map { number(volume.values[$0]?.value) }
        }))
  }

  /// Large images would make a page too heavy to send.
  /// - Parameters:
  ///   - images: uint8 [N, C, H, W].
  ///   - side: the longest that is kept.
  /// - Returns: the images, as they are or smaller.
  static func small(_ images: Tensor, side: Int = 192) -> Tensor {
    let longer = max(images.size(2), images.size(3))
    guard longer > side else { return images }
    let size = [2, 3].map { max(1, images.size($0) * side / longer) }
    return interpolate(images.to(.float32), size: size, mode: .bilinear, antialias: true)
      .round().clamped(min: 0, max: 255).to(.uint8)
  }

  /// Three groups of cases: those of the best, of the middle and of the worst values.
  /// - Parameters:
  ///   - values: one for each case; what is not finite ranks nowhere.
  ///   - lowerIsBetter: where the best lie.
  ///   - count: cases of each group, fewer where there are not enough.
  /// - Returns: the groups with their names, best first.
  static func ranked(
    _ values: [Double], lowerIsBetter: Bool, count: Int = 4
  ) -> [(name: String, cases: [Int])] {
    let order = values.indices.filter { values[$0].isFinite }
      .sorted { lowerIsBetter ? values[$0] < values[$1] : values[$0] > values[$1] }
    guard order.count > 3 else { return order.isEmpty ? [] : [("All", order)] }
    let count = min(count, order.count / 3)
    let middle = (order.count - count) / 2
    return [
      ("Best", Array(order.prefix(count))), ("Typical", Array(order[middle..<middle + count])),
      ("Worst", Array(order.suffix(count))),
    ]
  }

  /// Rows of images under each other, a column for each case.
  /// - Parameters:
  ///   - rows: for each row a list of uint8 [C, H, W]; cases may differ in size, and are then brought to that of
  ///     the first.
  ///   - caption: stands below.
  ///   - alt: what is to be seen.
  /// - Returns: the figure.
  /// - Throws: where the sheet cannot be encoded.
  static func sheet(_ rows: [[Tensor]], caption: String, alt: String) throws -> HTMLFigure {
    let size = small(rows[0][0].unsqueezed(0)).shape.suffix(2)
    let groups = rows.map { row in
      Tensor.stack(
        row.map { image in
          let channels = row.map { $0.size(0) }.max() ?? 1
          let shown = small(image.expanded([channels] + image.shape.suffix(2)).unsqueezed(0))
          return shown.shape.suffix(2) == size
            ? shown[0]
            : interpolate(shown.to(.float32), size: Array(size), mode: .nearest).to(.uint8)[0]
        })
    }
    let pixels = ContactSheet(columns: rows[0].count).image(ofRows: groups)
    return HTMLFigure(png: try PNGFile.encode(pixels: pixels), caption: caption, alt: alt)
  }
}
