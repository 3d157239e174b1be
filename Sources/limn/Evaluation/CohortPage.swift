// The page of `limn evaluate --report`: real beside synthetic, sketches beside renders, figures, privacy.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// What a person should see of a synthetic cohort.
struct CohortPage {
  let result: EvaluationReport
  let sets: EvaluationSets
  /// A run whose curves and recipe belong on the page.
  let run: URL?

  func write(to url: URL) throws {
    var page = HTMLReport(
      title: "Real and synthetic: \(sets.real.name)", subtitle: "\(sets.fake.name), measured by Limn")
    page.section("", [.highlights(highlights)])
    page.section("Beware", result.allWarnings.isEmpty ? [] : [.warnings(result.allWarnings)])
    page.section("Real beside synthetic", try pictures())
    if let dataset = (sets.fake as? DatasetImages)?.dataset, dataset.layerNames.contains("sketches") {
      page.section("Sketches beside renders", try sketches(of: dataset))
    }
    page.section("Figures", PageParts.measured(Evaluation.columns, result.evaluation.rows))
    if let privacy = result.privacy {
      for section in try PrivacySection(privacy: privacy, sets: sets).sections() {
        page.section(section.heading, section.blocks)
      }
    }
    if let usefulness = result.usefulness {
      page.section("Usefulness for training", Self.blocks(of: usefulness))
    }
    for section in try run.map(RunReport.sections) ?? [] { page.section(section.heading, section.blocks) }
    try page.write(to: url)
  }

  private var highlights: [HTMLFact] {
    let privacy = result.privacy.map { report in
      HTMLFact("Privacy", Self.words[report.verdict] ?? "", note: "see below what that means")
    }
    let downstream = result.usefulness.map { report in
      HTMLFact(
        "Dice, trained on synthetic", String(format: "%.3f", report.arms[1].summary.mean),
        note: String(format: "on real: %.3f", report.arms[0].summary.mean))
    }
    return [
      HTMLFact("Real images", HumanReadable.count(sets.real.count)),
      HTMLFact("Synthetic images", HumanReadable.count(sets.fake.count)),
      HTMLFact("Size", "\(sets.real.width) × \(sets.real.height)"),
    ]
      + [("MS-SSIM of pairs", "ms_ssim_generated_pairs"), ("SWD × 1000", "swd_pggan"), ("FID", "fid_")]
      .compactMap(highlight) + [privacy, downstream].compactMap(\.self)
  }

  private static let words: [PrivacyReport.Verdict: String] = [
    .copies: "copies found", .noExcess: "no copies found", .undecided: "undecided",
  ]

  private func highlight(label: String, metric: String) -> HTMLFact? {
    result.evaluation.results.first { $0.name.hasPrefix(metric) }.map { result in
      HTMLFact(
        label, HumanReadable.number(result.value * result.scale),
        note: result.baseline.map { "real against real: \(HumanReadable.number($0 * result.scale))" } ?? "")
    }
  }

  private func pictures() throws -> [HTMLBlock] {
    [.figures([try sheet(sets.real, "Real"), try sheet(sets.fake, "Synthetic")])]
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
    let count = min(24, sets.fake.count)
    let layer = try dataset.layer("sketches")[0..<count].to(.float32)
    let bytes = dataset.bitDepth == 8 ? layer.to(.uint8) : (layer / 257).round().to(.uint8)
    let pixels = ContactSheet(columns: 12).image(
      ofRows: [bytes, try sets.fake.images(at: Array(0..<count))])
    return [
      .prose("Each sketch was drawn from noise; the image below it was rendered from that sketch."),
      .figure(
        HTMLFigure(
          png: try PNGFile.encode(pixels: pixels), caption: "Rows of sketches, each above its render",
          alt: "Generated sketches above the images rendered from them")),
    ]
  }

  private static func blocks(of usefulness: UsefulnessReport) -> [HTMLBlock] {
    [
      .prose(usefulness.sentence),
      .table(
        HTMLTable(
          caption:
            "Dice on \(usefulness.heldOutImages) images of \(usefulness.heldOutPatients) held-out patients",
          columns: usefulness.columns, rows: usefulness.rows)),
      .prose(usefulness.protocolSentence),
    ]
  }
}
