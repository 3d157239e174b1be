// The page's part about privacy: verdict, tests, distributions of distances, and the closest pairs.

import Foundation
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// What a person should see of the search for copies.
struct PrivacySection {
  let privacy: PrivacyReport
  let sets: EvaluationSets
  /// Pairs that are shown of each set.
  private static let pairCount = 9
  /// Pictures of the best, the typical and the worst.
  private static let rankCount = 12

  init(privacy: PrivacyReport, sets: EvaluationSets) { (self.privacy, self.sets) = (privacy, sets) }

  func sections() throws -> [(heading: String, blocks: [HTMLBlock])] {
    let pairs = try privacy.comparisons.flatMap(self.pairs)
    return [("Privacy", verdict + tables), ("Closest pairs", pairs), ("From best to worst", try ranks())]
  }

  private var verdict: [HTMLBlock] {
    [.prose(privacy.sentence), .histograms(privacy.comparisons.flatMap(histograms))]
  }

  private func histograms(_ comparison: PrivacyComparison) -> [HistogramChart] {
    let usual = privacy.baseline == .heldOut ? "unseen real images" : "training images, to other patients'"
    func histogram(_ title: String, _ label: String, _ value: (NearestImage) -> Double) -> HistogramChart {
      HistogramChart(
        title: "\(title), \(comparison.name)", xLabel: label,
        samples: [
          .init(name: "synthetic", values: comparison.synthetic.map(value)),
          .init(name: usual, values: comparison.baseline.map(value)),
        ])
    }
    return [
      histogram("Distance to the nearest training image", "distance", \.distance),
      histogram("Nearest over next patient's", "ratio of distances", \.ratio),
    ]
  }

  private var tables: [HTMLBlock] {
    let columns = PrivacyReport.columns
    let facts = columns.indices.map { column in
      [columns[column]] + privacy.rows.map { $0[column] }
    }
    return [
      .table(
        HTMLTable(
          caption: "Distances to the nearest training image", columns: facts[0],
          rows: Array(facts.dropFirst()))),
      .table(
        HTMLTable(
          caption: "Is there an excess of small values? One-sided tests, each before correction",
          columns: ["distance", "counted", "observed", "expected", "p"], rows: privacy.testRows)),
      .details(
        summary: "How the distances are defined",
        text: privacy.comparisons.map { "\($0.name): \($0.definition)" }.joined(separator: "\n\n")),
    ]
  }

  // MARK: - Pictures

  /// The synthetic images that lie nearest to a training image, and for comparison the unseen ones that do.
  private func pairs(_ comparison: PrivacyComparison) throws -> [HTMLBlock] {
    let suspects = Set(comparison.suspects.map(\.image))
    let drawn = try figures(
      comparison.synthetic, of: sets.fake, at: privacy.syntheticImages, comparison, kind: "synthetic",
      marked: suspects)
    let source = privacy.baseline == .heldOut ? sets.heldOut ?? sets.training : sets.training
    let usual = try figures(
      comparison.baseline, of: source, at: privacy.baselineImages, comparison, kind: "unseen", marked: [])
    let words = suspects.isEmpty ? "" : " Suspects: \(suspects.count)."
    return [
      .prose("By \(comparison.name): synthetic images, each left of its nearest training image.\(words)"),
      .figures(drawn),
      .prose(
        "For comparison, real images that were not trained on, each left of its nearest training image."),
      .figures(usual),
    ]
  }

  private func figures(
    _ nearest: [NearestImage], of source: any ImageSource, at positions: [Int],
    _ comparison: PrivacyComparison,
    kind: String, marked: Set<Int>
  ) throws -> [HTMLFigure] {
    let order = nearest.indices.sorted { (nearest[$0].distance, $0) < (nearest[$1].distance, $1) }
    return try order.prefix(Self.pairCount).map { place in
      let (near, position) = (nearest[place], positions[place])
      let pair = Tensor.cat([
        try source.images(at: [position]), try sets.training.images(at: [near.index]),
      ])
      let pixels = ContactSheet(columns: 2).image(of: PageParts.small(pair))
      let times = comparison.usualDistance / max(near.distance, 1e-9)
      let note = marked.contains(position) ? ", a likely copy" : ""
      let caption = String(
        format: "%d and training %d: %.3f, %.1f × nearer than usual", position, near.index, near.distance,
        times)
      return HTMLFigure(
        png: try PNGFile.encode(pixels: pixels), caption: caption + note,
        alt: "Image \(position), \(kind), beside training image \(near.index)")
    }
  }

  /// Synthetic images by their likeness to real ones; likely copies are left out.
  private func ranks() throws -> [HTMLBlock] {
    guard let comparison = privacy.comparisons.last else { return [] }
    let suspects = Set(comparison.suspects.map(\.image))
    let order = comparison.synthetic.indices.filter { !suspects.contains(privacy.syntheticImages[$0]) }
      .sorted { comparison.synthetic[$0].distance < comparison.synthetic[$1].distance }
    let count = min(Self.rankCount, order.count / 3)
    guard count > 0 else { return [] }
    let middle = (order.count - count) / 2
    let figures = try [
      ("Best", order.prefix(count)), ("Typical", order[middle..<middle + count]),
      ("Worst", order.suffix(count)),
    ].map { name, places in try row(name, Array(places), comparison) }
    return [
      .prose(
        "Synthetic images in the order of their distance to the nearest real one by \(comparison.name), likely "
          + "copies left out: the nearest, those in the middle, and the farthest."), .figures(figures),
    ]
  }

  private func row(_ name: String, _ places: [Int], _ comparison: PrivacyComparison) throws -> HTMLFigure {
    let images = try sets.fake.images(at: places.map { privacy.syntheticImages[$0] })
    let distances = places.map { comparison.synthetic[$0].distance }
    return HTMLFigure(
      png: try PNGFile.encode(pixels: ContactSheet(columns: 4).image(of: PageParts.small(images))),
      caption: name
        + String(format: ": distances %.3f to %.3f", distances.min() ?? 0, distances.max() ?? 0),
      alt: "\(name) synthetic images")
  }
}
