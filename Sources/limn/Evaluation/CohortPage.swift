// The page of `limn evaluate --report`: real beside synthetic, sketches beside renders, figures.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// What a person should see of a synthetic cohort.
struct CohortPage {
  let evaluation: Evaluation
  let real: any ImageSource
  let fake: any ImageSource
  /// A run whose curves and recipe belong on the page.
  let run: URL?

  func write(to url: URL) throws {
    var page = HTMLReport(title: "Real and synthetic: \(real.name)", subtitle: "\(fake.name), drawn by Limn")
    page.section("", [.highlights(highlights)])
    page.section("Real beside synthetic", try pictures())
    if let dataset = (fake as? DatasetImages)?.dataset, dataset.layerNames.contains("sketches") {
      page.section("Sketches beside renders", try sketches(of: dataset))
    }
    page.section("Figures", figures)
    for section in try run.map(RunReport.sections) ?? [] { page.section(section.heading, section.blocks) }
    try page.write(to: url)
  }

  private var highlights: [HTMLFact] {
    [
      HTMLFact("Real images", HumanReadable.count(real.count)),
      HTMLFact("Synthetic images", HumanReadable.count(fake.count)),
      HTMLFact("Size", "\(real.width) × \(real.height)"),
    ]
      + [("MS-SSIM of pairs", "ms_ssim_generated_pairs"), ("SWD × 1000", "swd_pggan")].compactMap(highlight)
  }

  private func highlight(label: String, metric: String) -> HTMLFact? {
    evaluation.results.first { $0.name == metric }.map { result in
      HTMLFact(
        label, HumanReadable.number(result.value * result.scale),
        note: result.baseline.map { "real against real: \(HumanReadable.number($0 * result.scale))" } ?? "")
    }
  }

  private func pictures() throws -> [HTMLBlock] {
    [.figures([try sheet(real, "Real"), try sheet(fake, "Synthetic")])]
  }

  /// 36 images spread over a set.
  private func sheet(_ set: any ImageSource, _ caption: String) throws -> HTMLFigure {
    let count = min(36, set.count)
    let pixels = ContactSheet().image(of: try set.images(at: (0..<count).map { $0 * set.count / count }))
    return HTMLFigure(
      png: try PNGFile.encode(pixels: pixels), caption: "\(caption): \(count) of \(set.count) images",
      alt: "Sheet of \(count) images, \(caption.lowercased())")
  }

  private func sketches(of dataset: Dataset) throws -> [HTMLBlock] {
    let count = min(24, fake.count)
    let layer = try dataset.layer("sketches")[0..<count].to(.float32)
    let bytes = dataset.bitDepth == 8 ? layer.to(.uint8) : (layer / 257).round().to(.uint8)
    let pixels = ContactSheet(columns: 12).image(ofRows: [bytes, try fake.images(at: Array(0..<count))])
    return [
      .prose("Each sketch was drawn from noise; the image below it was rendered from that sketch."),
      .figure(
        HTMLFigure(
          png: try PNGFile.encode(pixels: pixels), caption: "Rows of sketches, each above its render",
          alt: "Generated sketches above the images rendered from them")),
    ]
  }

  private var figures: [HTMLBlock] {
    let warnings = evaluation.results.flatMap { result in result.warnings.map { "\(result.name): \($0)" } }
    return [.table(HTMLTable(columns: Evaluation.columns, rows: evaluation.rows))]
      + (warnings.isEmpty ? [] : [.details(summary: "Warnings", text: warnings.joined(separator: "\n"))])
  }
}
