// What an evaluation of labels measured, in one of its three kinds: labels, probabilities, or borders.

import Foundation
import LimnMetrics
import LimnTorch
import LimnTraining

/// The results of `limn evaluate labels`.
enum MeasuredCases {
  case labels(LabelEvaluation)
  /// Probabilities, and the labels that a threshold makes of them.
  case probabilities(ProbabilityEvaluation, LabelEvaluation, threshold: Double)
  case borders(BoundaryEvaluation)

  /// The text that a terminal shows.
  var text: String {
    switch self {
    case .labels(let labels): labels.table
    case .probabilities(let probabilities, let labels, _): probabilities.table + "\n\n" + labels.table
    case .borders(let borders): borders.table
    }
  }

  func json() throws -> Data {
    switch self {
    case .labels(let labels): try labels.json()
    case .probabilities(let probabilities, let labels, let threshold):
      try JSONEncoder.readable.encode(
        Both(probabilities: probabilities, labels: labels, threshold: threshold))
    case .borders(let borders): try borders.json()
    }
  }

  private struct Both: Encodable {
    let probabilities: ProbabilityEvaluation
    let labels: LabelEvaluation
    let threshold: Double
  }

  var csv: String {
    switch self {
    case .labels(let labels): labels.csv
    case .probabilities(let probabilities, let labels, _): probabilities.csv(with: labels)
    case .borders(let borders): borders.csv
    }
  }

  var casesCSV: String {
    switch self {
    case .labels(let labels): labels.casesCSV
    case .probabilities(let probabilities, _, _): probabilities.casesCSV
    case .borders(let borders): borders.casesCSV
    }
  }

  /// What should not be believed, a line each.
  var warnings: [String] {
    switch self {
    case .labels(let labels), .probabilities(_, let labels, _): labels.warnings
    case .borders: []
    }
  }

  // MARK: - For the page

  /// Above which a probability counts as the class; nil of labels.
  var threshold: Double? {
    switch self {
    case .labels: nil
    case .probabilities(_, _, let threshold): threshold
    case .borders(let borders): borders.results[0].bestThreshold
    }
  }

  /// Whether numbers are objects, which a prediction numbers as it likes.
  var areObjects: Bool {
    if case .labels(let labels) = self { labels.setting.content == .objects } else { false }
  }

  /// What is stored, as labels.
  func labels(_ stored: Tensor) -> Tensor {
    threshold.map { stored.isGreater(than: $0).to(.int32) } ?? stored
  }

  var highlights: [HTMLFact] {
    switch self {
    case .labels(let labels):
      let measure: LabelMeasure = areObjects ? .seg : .dice
      return labels.results.filter { $0.measure == measure }.prefix(8).map {
        PageParts.fact("\(measure.rawValue), \($0.label)", $0.perImage)
      }
    case .probabilities(let probabilities, _, _):
      return probabilities.results.map {
        HTMLFact($0.measure.rawValue, HumanReadable.number($0.pooled.value), note: "all pixels together")
      }
    case .borders(let borders):
      return borders.results.map {
        PageParts.fact($0.measure.rawValue, $0.best)
      }
    }
  }

  var sections: [(heading: String, blocks: [HTMLBlock])] {
    switch self {
    case .labels(let labels): Self.sections(of: labels)
    case .probabilities(let probabilities, let labels, let threshold):
      [
        ("Ranking and calibration", Self.blocks(of: probabilities)),
        ("At the threshold \(threshold)", Self.sections(of: labels).flatMap(\.blocks)),
      ]
    case .borders(let borders):
      [("Figures", PageParts.measured(BoundaryEvaluation.columns, borders.rows) + [Self.curves(of: borders)])]
    }
  }

  private static func sections(of labels: LabelEvaluation) -> [(heading: String, blocks: [HTMLBlock])] {
    var sections = [
      ("Figures", PageParts.measured(LabelEvaluation.columns, labels.rows, measure: 1))
    ]
    guard let confusion = labels.confusion, case .classes(let names) = labels.setting.content else {
      return sections
    }
    let rows = names.indices.map { truth in
      let total = max(1, names.indices.reduce(0) { $0 + confusion[truth, $1] })
      return [names[truth]]
        + names.indices.map { String(format: "%.2f %%", 100 * Double(confusion[truth, $0]) / Double(total)) }
    }
    sections.append(
      (
        "Confusion",
        [
          .table(
            HTMLTable(
              caption: "Shares of each true class (rows) by what it was taken for (columns)",
              columns: ["truth"] + names, rows: rows))
        ]
      ))
    return sections
  }

  private static func blocks(of result: ProbabilityEvaluation) -> [HTMLBlock] {
    func chart(
      _ title: String, _ label: String, _ points: [(x: Double, y: Double)],
      diagonal: String?
    ) -> LineChart {
      let line = diagonal.map { LineChart.Series(name: $0, points: [(0, 0), (1, 1)]) }
      return LineChart(
        title: title, xLabel: label,
        series: [.init(name: "measured", points: points)] + [line].compactMap(\.self))
    }
    let bins = result.calibration.bins.compactMap { bin in
      bin.confidence.flatMap { confidence in bin.frequency.map { (x: confidence, y: $0) } }
    }
    return PageParts.measured(ProbabilityEvaluation.columns, result.rows) + [
      .charts([
        chart(
          "True positive rate", "false positive rate",
          result.curve.map { ($0.falsePositiveRate.value, $0.recall.value) }, diagonal: "by chance"),
        chart(
          "Precision", "recall", result.curve.map { ($0.recall.value, $0.precision.value) }, diagonal: nil),
        chart("How often it came true", "predicted probability", bins, diagonal: "calibrated"),
      ])
    ]
  }

  private static func curves(of borders: BoundaryEvaluation) -> HTMLBlock {
    let thresholds = BoundaryScores.standardThresholds
    return .charts(
      BoundaryMeasure.allCases.map { measure in
        let points = thresholds.indices.map { place in
          (
            x: thresholds[place],
            y: borders.images.reduce(0) { $0 + measure.value($1.scores[place]) }
              / Double(borders.images.count)
          )
        }
        return LineChart(
          title: measure.rawValue, xLabel: "threshold",
          series: [.init(name: "mean over sections", points: points)])
      })
  }

  /// What cases are ranked by: one value for each pair.
  var ranking: (name: String, values: [Double], lowerIsBetter: Bool) {
    switch self {
    case .labels(let labels), .probabilities(_, let labels, _):
      let measure: LabelMeasure = areObjects ? .seg : .dice
      let values = labels.images.map { image in
        let all = image.values.values.compactMap { $0[measure.rawValue]?.value }.filter(\.isFinite)
        return all.isEmpty ? Double.nan : all.reduce(0, +) / Double(all.count)
      }
      return (areObjects ? "SEG" : "the mean Dice of their classes", values, false)
    case .borders(let borders):
      let place = BoundaryScores.standardThresholds.firstIndex(of: borders.results[0].bestThreshold) ?? 0
      return ("V^Rand after thinning", borders.images.map { $0.scores[place].vRandThinned }, false)
    }
  }

  /// The values of every case.
  func cases(_ names: [String]) -> HTMLBlock {
    let ranking = ranking
    switch self {
    case .labels(let labels), .probabilities(_, let labels, _):
      let classes = labels.results.reduce(into: [String]()) { all, result in
        if !all.contains(result.label) { all.append(result.label) }
      }
      let measure: LabelMeasure = areObjects ? .seg : .dice
      return .table(
        HTMLTable(
          caption: measure.rawValue, columns: ["case"] + classes,
          rows: labels.images.map { image in
            [image.name]
              + classes.map { PageParts.number(image.values[$0]?[measure.rawValue]?.value) }
          }))
    case .borders(let borders):
      return .table(
        HTMLTable(
          caption: ranking.name, columns: ["section", "value"],
          rows: zip(borders.images, ranking.values).map { [$0.name, HumanReadable.number($1)] }))
    }
  }
}
