// The page of `limn evaluate pairs --report`: figures, their distributions, and pairs beside their differences.

import Foundation
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// What a person should see of translated images.
struct PairsPage {
  let result: PairEvaluation
  let pairs: PairedImages
  let warnings: [String]
  /// What the pictures are ranked by.
  private static let ranking = PairMeasure.ssim

  func write(to url: URL) throws {
    var page = HTMLReport(
      title: "Real images and what was made in their places",
      subtitle: "\(result.volumes.count) pairs, measured by Limn")
    page.section("", [.highlights(highlights)])
    page.section("Beware", warnings.isEmpty ? [] : [.warnings(warnings)])
    page.section("Figures", PageParts.measured(PairEvaluation.columns, result.rows))
    page.section("Distributions", [.histograms(histograms)])
    page.section("From best to worst", try pictures())
    page.section("Every pair", [PageParts.cases(result)])
    try page.write(to: url)
  }

  private var highlights: [HTMLFact] {
    let slices = result.volumes.reduce(0) { $0 + $1.sliceCount }
    return [
      HTMLFact("Pairs", HumanReadable.count(result.volumes.count)),
      HTMLFact("Slices", HumanReadable.count(slices)),
    ]
      + [PairMeasure.psnr, .ssim, .nmae, .mae].compactMap { measure in
        result.results.first { $0.measure == measure }.map {
          PageParts.fact(measure.rawValue, $0.perSlice)
        }
      }
  }

  private var histograms: [HistogramChart] {
    [PairMeasure.psnr, .ssim, .mae].map { measure in
      HistogramChart(
        title: "\(measure.rawValue) of each pair", xLabel: measure.rawValue,
        samples: [.init(name: "pairs", values: values(measure))], binCount: 30)
    }
  }

  private func values(_ measure: PairMeasure) -> [Double] {
    result.volumes.map { $0.values[measure.rawValue]?.value ?? .nan }
  }

  private func pictures() throws -> [HTMLBlock] {
    let values = values(Self.ranking)
    let figures = try PageParts.ranked(values, lowerIsBetter: false).map { name, cases in
      let shown = try cases.map { try picture($0) }
      let texts = cases.map { "\(pairs.names[$0]) (\(HumanReadable.number(values[$0])))" }
      return try PageParts.sheet(
        (0..<3).map { row in shown.map { $0[row] } }, caption: "\(name): \(texts.joined(separator: ", "))",
        alt: "\(name) pairs: real, made, difference")
    }
    return [
      .prose(
        "The middle slice of pairs in the order of their SSIM: the real image, below it what was made, below that "
          + "the difference, white from a quarter of the value range on."), .figures(figures),
    ]
  }

  /// Real, made and difference of the middle slice, uint8 [1, H, W].
  private func picture(_ place: Int) throws -> [Tensor] {
    let pair = try pairs.pair(place)
    func middle(_ x: Tensor) -> Tensor { x[x.size(0) / 2].to(.float64) }
    let (real, fake) = (middle(pair.real), middle(pair.fake))
    let setting = result.setting
    let shares = [
      (real - setting.low) / setting.range, (fake - setting.low) / setting.range,
      (fake - real).abs() * (4 / setting.range),
    ]
    return shares.map { ($0.clamped(min: 0, max: 1) * 255).round().to(.uint8).unsqueezed(0) }
  }
}
