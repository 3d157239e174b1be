// The metrics of pairs, translation and segmentation, against the references of scripts/compare_metrics/pairs.py:
// a few small cases in every test run, the large ones by scripts/compare-metrics.

import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

extension MetricComparison {
  @Test(.enabled(if: MetricReference.has("pairs")))
  func pairs() throws {
    try compare("pairs") { try PairReferences(table: $0).compareAll() }
  }
}

@Suite struct PairFixtureTests {
  @Test func everyMetricOfPairsMatchesItsReference() throws {
    let table = try ComparisonTable(fixture("metrics/pairs.safetensors"))
    try PairReferences(table: table).compareAll()
  }
}

/// Limn's side of the table.
private struct PairReferences {
  let table: ComparisonTable
  /// For what both sides calculate in float64 from closed forms; only the order of summation differs.
  let closed = 1e-9

  func compareAll() throws {
    for name in table.cases {
      switch name.split(separator: "-").first {
      case "slices": try slices(name)
      case "classes": try classes(name)
      case "plane", "volume", "voxels": try surfaces(name)
      case "tables": try elementTables(name)
      case "membranes": try membranes(name)
      case "objects": try objects(name)
      default: Issue.record("no comparison of case \(name)")
      }
    }
    #expect(table.leftOver.isEmpty)
  }

  private func slices(_ name: String) throws {
    let real = try table.input(name, "real").to(.float64) / 32767.5 - 1
    let fake = try table.input(name, "fake").to(.float64) / 32767.5 - 1
    let setting = PairProtocol(unitLow: -1000, unitHigh: 2000, unit: "HU")
    for measure in PairMeasure.allCases {
      let values = try measure.perSlice(real: real, fake: fake, setting)
      try table.compare(name, measure.rawValue, values, within: closed)
    }
    for measure in [PairMeasure.nmaeForeground, .psnr, .psnrForeground, .nmi] {
      let value = try measure.pooled(real: real, fake: fake, setting)
      try table.compare(name, measure.rawValue + "_pooled", value, within: closed)
    }
  }

  private func classes(_ name: String) throws {
    let (truth, probabilities) = (try table.input(name, "truth"), try table.input(name, "probabilities"))
    let mask = try table.input(name, "mask")
    let (prediction, count) = (probabilities.argmax(dim: 1), probabilities.size(1))
    func matrix(_ image: Int? = nil) throws -> ConfusionMatrix {
      guard let image else {
        return try ConfusionMatrix(truth: truth, prediction: prediction, classCount: count, mask: mask)
      }
      return try ConfusionMatrix(
        truth: truth[image], prediction: prediction[image], classCount: count, mask: mask[image])
    }
    let pooled = try matrix()
    let perClass = (0..<count).map(pooled.counts)
    try table.compare(name, "confusion", pooled.counts.map(Double.init), within: 0)
    try table.compare(name, "accuracy", pooled.accuracy, within: closed)
    try table.compare(name, "dice_pooled", perClass.map { $0.dice() }, within: closed)
    try table.compare(name, "iou_pooled", perClass.map { $0.iou() }, within: closed)
    try table.compare(name, "sensitivity", perClass.map(\.sensitivity), within: closed)
    try table.compare(name, "specificity", perClass.map(\.specificity), within: closed)
    try table.compare(name, "precision", perClass.map(\.precision), within: closed)
    let images = try (0..<truth.size(0)).map { image in
      let matrix = try matrix(image)
      return (0..<count).map(matrix.counts)
    }.flatMap { $0 }
    try table.compare(name, "dice_per_image", images.map { $0.dice() }, within: closed)
    try table.compare(name, "iou_per_image", images.map { $0.iou() }, within: closed)
    try scores(name, truth, probabilities, mask)
  }

  private func scores(_ name: String, _ truth: Tensor, _ probabilities: Tensor, _ mask: Tensor) throws {
    let score = (probabilities[.all, 1] * 64).round() / 64
    let isPositive = truth.isEqual(to: 1)
    let curve = try RankCurve(scores: score, truth: isPositive, mask: mask)
    try table.compare(name, "roc_auc", curve.rocAUC, within: closed)
    try table.compare(name, "pr_auc_ap", curve.averagePrecision, within: closed)
    try table.compare(name, "pr_auc_trapezoid", curve.trapezoidPRAUC, within: closed)
    let read = [0.987, 0.9483, 0.7].map(curve.sensitivity)
    try table.compare(name, "sensitivity_at_specificity", read, within: closed)
    let positive = try Calibration.positive(probabilities: score, truth: isPositive, mask: mask)
    try table.compare(name, "ece_positive", positive.expectedError, within: closed)
    try table.compare(name, "brier_positive", positive.brier, within: closed)
    try table.compare(name, "reliability_frequency", positive.bins.compactMap(\.frequency), within: closed)
    try table.compare(name, "reliability_confidence", positive.bins.compactMap(\.confidence), within: closed)
    let top = try Calibration.topLabel(probabilities: probabilities, truth: truth, mask: mask)
    try table.compare(name, "ece_top", top.expectedError, within: closed)
    try table.compare(name, "brier_top", top.brier, within: closed)
  }

  private func surfaces(_ name: String) throws {
    let (truth, prediction) = (try table.input(name, "truth"), try table.input(name, "prediction"))
    let spacing = try table.input(name, "spacing").array(of: Double.self)
    let tolerance = try table.input(name, "tolerance").item()
    let surfaces = try SurfaceDistances(truth: truth, prediction: prediction, spacing: spacing)
    try table.compare(name, "hd95_deepmind", surfaces.hausdorff(), within: closed)
    try table.compare(name, "hd_deepmind", surfaces.hausdorff(percentile: 100), within: closed)
    let averages = surfaces.averages
    try table.compare(
      name, "asd", [averages.truthToPrediction, averages.predictionToTruth], within: closed)
    try table.compare(name, "assd_deepmind", surfaces.average, within: closed)
    try table.compare(name, "nsd", surfaces.surfaceDice(tolerance: tolerance), within: closed)
    let borders = try BorderDistances(truth: truth, prediction: prediction, spacing: spacing)
    try table.compare(name, "hd95_medpy", borders.hausdorff(), within: closed)
    try table.compare(name, "hd_medpy", borders.hausdorff(percentile: 100), within: closed)
    try table.compare(name, "assd_medpy", borders.average, within: closed)
    let distances = DistanceTransform.distances(to: truth, spacing: spacing).sum(dims: [-1]).flattened()
    try table.compare(name, "distances", distances.array(of: Double.self), within: closed)
  }

  private func elementTables(_ name: String) throws {
    let spacing = try table.input(name, "spacing").array(of: Double.self)
    try table.compare(name, "areas", SurfaceElementTable.areas(spacing: spacing), within: closed)
    try table.compare(
      name, "lengths", SurfaceElementTable.lengths(spacing: Array(spacing.prefix(2))), within: closed)
  }

  private func membranes(_ name: String) throws {
    let truth = try table.input(name, "truth")
    let prediction = try table.input(name, "percent").to(.float64) / 100
    let thresholds = try table.input(name, "thresholds").array(of: Double.self)
    let scores = try BoundaryScores.measure(truth: truth, prediction: prediction, thresholds: thresholds)
    try table.compare(name, "vrand_fg", scores.map(\.vRand), within: closed)
    try table.compare(name, "vinfo_fg", scores.map(\.vInfo), within: closed)
    try table.compare(name, "vrand_fg_thin", scores.map(\.vRandThinned), within: closed)
    try table.compare(name, "vinfo_fg_thin", scores.map(\.vInfoThinned), within: closed)
    try table.compare(name, "rand_error_fg", scores.map(\.randError), within: closed)
    try table.compare(name, "pixel_error", scores.map(\.pixelError), within: closed)
    try table.compare(name, "warping_error", scores.map(\.warpingError), within: closed)
    try partitions(name, truth, prediction.isGreater(than: thresholds[thresholds.count / 2]))
  }

  private func partitions(_ name: String, _ truth: Tensor, _ proposal: Tensor) throws {
    func components(_ mask: Tensor, _ connectivity: ConnectedComponents.Connectivity) -> ConnectedComponents {
      ConnectedComponents(
        of: mask.to(.int32).array(of: Int32.self), width: mask.size(1), connectivity: connectivity)
    }
    let objects = components(truth, .four)
    let overlap = PartitionOverlap(
      truth: objects.labels, proposal: components(proposal, .four).labels, isForegroundRestricted: false)
    try table.compare(name, "rand_error", overlap.randError, within: closed)
    try table.compare(name, "variation_of_information", overlap.variationOfInformation, within: closed)
    try table.compare(name, "components4", Double(objects.count), within: 0)
    try table.compare(name, "components8", Double(components(truth, .eight).count), within: 0)
  }

  private func objects(_ name: String) throws {
    let matching = try ObjectMatching(
      truth: table.input(name, "truth"), prediction: table.input(name, "prediction"))
    try table.compare(name, "seg", matching.seg, within: closed)
    try table.compare(name, "seg_scores", matching.segScores, within: closed)
    try table.compare(name, "seg_touching", matching.segOfTouching, within: closed)
    try table.compare(name, "precisions", matching.precisions(), within: closed)
    try table.compare(name, "map_dsb2018", matching.meanAveragePrecision(), within: closed)
  }
}
