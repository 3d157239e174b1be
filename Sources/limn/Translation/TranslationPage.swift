// The page of `limn translate --report`: source, translation, target, difference and flow side by side, with figures.

import Foundation
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining
import LimnTranslation

/// What a person should see of translations.
struct TranslationPage {
  let result: TranslationResult
  /// nil where true targets are not known.
  let figures: PairEvaluation?
  /// What the pictures are ranked by.
  private static let ranking = PairMeasure.ssim
  /// Pictures of a page without a ranking.
  private static let shown = 12

  func write(to url: URL) throws {
    var page = HTMLReport(
      title: "Translations", subtitle: "\(result.cases.count) images, \(result.translator.statement)")
    page.section("", [.highlights(highlights)])
    let warnings = result.notes + (figures?.warnings ?? [])
    page.section("Beware", warnings.isEmpty ? [] : [.warnings(warnings)])
    page.section("Side by side", try pictures())
    page.section("Figures", figures.map { PageParts.measured(PairEvaluation.columns, $0.rows) } ?? [])
    page.section("From slice to slice", consistency)
    page.section("Distributions", figures.map { [.histograms(histograms($0))] } ?? [])
    page.section("Every pair", figures.map { [PageParts.cases($0)] } ?? [])
    try page.write(to: url)
  }

  private var highlights: [HTMLFact] {
    [HTMLFact("Translations", HumanReadable.count(result.cases.count))]
      + [PairMeasure.psnr, .ssim, .nmae, .mae].compactMap { measure in
        figures?.results.first { $0.measure == measure }.map { PageParts.fact(measure.rawValue, $0.perSlice) }
      }
  }

  private var consistency: [HTMLBlock] {
    guard !result.consistencyRows.isEmpty else { return [] }
    return [
      .prose(
        "How alike neighbouring slices are where the source is above black in either of them: the correlation of "
          + "their pixels, and the mean of their absolute differences, black to white being 1. A translation whose "
          + "slices are less alike than those of source and target flickers."),
      .table(HTMLTable(columns: TranslationResult.consistencyColumns, rows: result.consistencyRows)),
    ]
  }

  private func histograms(_ figures: PairEvaluation) -> [HistogramChart] {
    [PairMeasure.psnr, .ssim, .mae].map { measure in
      HistogramChart(
        title: "\(measure.rawValue) of each pair", xLabel: measure.rawValue,
        samples: [.init(name: "pairs", values: values(figures, measure))], binCount: 30)
    }
  }

  private func values(_ figures: PairEvaluation, _ measure: PairMeasure) -> [Double] {
    figures.volumes.map { $0.values[measure.rawValue]?.value ?? .nan }
  }

  // MARK: - Pictures

  /// Cases in groups, each with what is said of it.
  private var groups: [(name: String, cases: [(case: TranslatedCase, text: String)])] {
    guard let figures else {
      let count = min(Self.shown, result.cases.count)
      let cases = (0..<count).map { result.cases[$0 * result.cases.count / count] }
      return [("Translations", cases.map { ($0, $0.name) })]
    }
    let (values, cases) = (values(figures, Self.ranking), result.measurable)
    return PageParts.ranked(values, lowerIsBetter: false).map { name, places in
      (name, places.map { (cases[$0], "\(cases[$0].name) (\(HumanReadable.number(values[$0])))") })
    }
  }

  private func pictures() throws -> [HTMLBlock] {
    let slices = try groups.map { group in
      (
        name: group.name, texts: group.cases.map(\.text),
        slices: try group.cases.map { try $0.case.open().middle }
      )
    }
    let flows = try slices.map { try $0.slices.map(flow) }
    let largest = max(1, flows.flatMap { $0.compactMap { $0?.abs().max().item() } }.max() ?? 1)
    let sheets = try zip(slices, flows).map { group, flows in
      let columns = zip(group.slices, flows).map { picture($0, $1, largest) }
      return try PageParts.sheet(
        columns[0].indices.map { row in columns.map { $0[row] } },
        caption: "\(group.name): \(group.texts.joined(separator: ", "))",
        alt: "\(group.name): \(legend(hasFlow: flows.contains { $0 != nil }))")
    }
    let hasFlow = flows.joined().contains { $0 != nil }
    let key = hasFlow ? [HTMLBlock.strip([try wheel(largest)])] : []
    return [.prose("From above: \(legend(hasFlow: hasFlow))."), .figures(sheets)] + key
  }

  private func legend(hasFlow: Bool) -> String {
    let target =
      figures == nil
      ? ""
      : ", the true target, their difference (from black over red and yellow to white, which is a quarter of the "
        + "range and more)"
    let flow =
      hasFlow
      ? ", what the registration network would move the translation by to bring it onto the target" : ""
    return "the source's middle slice, its translation\(target)\(flow)"
  }

  /// [2, H, W] in pixels.
  private func flow(_ slices: TranslatedSlices) throws -> Tensor? {
    guard let target = slices.target else { return nil }
    let match = try result.translator.target.spacingMatch(
      size: Array(target.shape.suffix(2)), spacing: slices.spacing, path: "a target")
    return result.translator.displacement(moving: slices.result, fixed: target, match: match)?[0]
  }

  /// uint8 [C, H, W] each, from above.
  private func picture(_ slices: TranslatedSlices, _ flow: Tensor?, _ largest: Double) -> [Tensor] {
    var rows = [slices.source[0], slices.result[0]].map { $0.quantized(bitDepth: 8) }
    guard let target = slices.target else { return rows }
    let difference = (slices.result[0] - target[0]).abs().mean(dims: [0], keepDim: true) / 2
    rows += [target[0].quantized(bitDepth: 8), HeatColours.image(of: difference, range: 0...0.25)[0]]
    return rows + (flow.map { [FlowColours.image(of: $0, largest: largest)] } ?? [])
  }

  private func wheel(_ largest: Double) throws -> HTMLFigure {
    HTMLFigure(
      png: try PNGFile.encode(pixels: FlowColours.wheel(side: 96)),
      caption: String(format: "Directions of the flow; full colour is %.1f pixels", largest),
      alt:
        "a wheel of colours: red to the right, yellow to green below, cyan to the left, blue to violet above")
  }
}
