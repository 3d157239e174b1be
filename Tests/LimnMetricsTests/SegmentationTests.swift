// Properties of the measures of segmentations: identity, symmetry, bounds, order under corruption, empty masks.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

/// A smooth random blob: bool [size, size].
func blob(_ size: Int = 48, seed: UInt64, above level: Double = 0.5) -> Tensor {
  let coarse = Tensor.rand([1, 1, 6, 6], generator: Generator(seed: seed))
  return interpolate(coarse, size: [size, size], mode: .bilinear)[0, 0].isGreater(than: level)
}

/// A share of the pixels turned, the same ones at every share and more.
private func corrupted(_ mask: Tensor, _ share: Double) -> Tensor {
  let turned = Tensor.rand(mask.shape, generator: Generator(seed: 77)).isLess(than: share)
  return mask.isNotEqual(to: turned)
}

private func counts(_ truth: Tensor, _ prediction: Tensor) throws -> BinaryCounts {
  try ConfusionMatrix(truth: truth, prediction: prediction, classCount: 2).counts(of: 1)
}

@Suite struct OverlapTests {
  let mask = blob(seed: 1)
  let empty = Tensor.zeros([48, 48], dtype: .bool)

  @Test func identityAndSymmetry() throws {
    let other = blob(seed: 2)
    #expect(try counts(mask, mask).dice() == 1)
    #expect(try counts(mask, mask).iou() == 1)
    #expect(try counts(mask, other).dice() == counts(other, mask).dice())
    #expect(try counts(mask, other).sensitivity == counts(other, mask).precision)
  }

  @Test func diceAndIoUFollowEachOther() throws {
    let counts = try counts(mask, blob(seed: 2))
    #expect(abs(counts.dice() - 2 * counts.iou() / (1 + counts.iou())) < 1e-12)
  }

  @Test func corruptionLowersThemStepByStep() throws {
    let values = try [0, 0.05, 0.1, 0.2, 0.4].map { try counts(mask, corrupted(mask, $0)).dice() }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 }, "\(values)")
  }

  @Test func emptyMasksFollowTheRule() throws {
    #expect(try counts(empty, empty).dice().isNaN)
    #expect(try counts(empty, empty).dice(.perfect) == 1)
    #expect(try counts(mask, empty).dice() == 0)
    #expect(try counts(empty, mask).iou(.perfect) == 0)
    #expect(try counts(empty, mask).sensitivity.isNaN)
  }

  @Test func pooledIsNotTheMeanOfImages() throws {
    let large = BinaryCounts(truePositives: 90, falsePositives: 10, falseNegatives: 10, trueNegatives: 0)
    let small = BinaryCounts(truePositives: 0, falsePositives: 1, falseNegatives: 1, trueNegatives: 98)
    #expect((large.dice() + small.dice()) / 2 == 0.45)
    #expect((large + small).dice() == 180.0 / 202)
    var pooled = try ConfusionMatrix(truth: mask, prediction: mask, classCount: 2)
    pooled += try ConfusionMatrix(truth: empty, prediction: mask, classCount: 2)
    #expect(pooled.counts.reduce(0, +) == 2 * 48 * 48)
  }

  @Test func labelsOutsideTheClassesAreRefused() {
    let three = Tensor.full([4, 4], 3, dtype: .uint8)
    let error = #expect(throws: MetricError.self) {
      try ConfusionMatrix(truth: three, prediction: three, classCount: 3)
    }
    #expect(error?.description.contains("label 3 where classes 0 to 2") == true)
    #expect(throws: MetricError.self) {
      try ConfusionMatrix(truth: three, prediction: three[0..<2], classCount: 4)
    }
  }
}

@Suite struct ScoreTests {
  @Test func ranksDecideAlone() throws {
    let truth = blob(seed: 3)
    let noise = Tensor.rand([48, 48], dtype: .float64, generator: Generator(seed: 4))
    let scores = noise + truth.to(.float64) * 0.3
    let curve = try RankCurve(scores: scores, truth: truth)
    let steeper = try RankCurve(scores: (scores * 3).exp(), truth: truth)
    #expect(curve.rocAUC == steeper.rocAUC && curve.averagePrecision == steeper.averagePrecision)
    let turned = try RankCurve(scores: -scores, truth: truth)
    #expect(abs(curve.rocAUC + turned.rocAUC - 1) < 1e-12)
  }

  /// The curve through (0, 0), (0, 1/4), (1/4, 1/2), (1/2, 1), (1, 1), false positive rate first.
  @Test func sensitivityIsReadFromTheCurve() throws {
    let scores = Tensor([9, 8, 8, 7, 7, 7, 1, 1] as [Float])
    let truth = Tensor([1, 1, 0, 1, 1, 0, 0, 0] as [Float])
    let curve = try RankCurve(scores: scores, truth: truth)
    for (specificity, expected) in [(1.0, 0.25), (0.75, 0.5), (0.875, 0.375), (0.6, 0.8), (0.5, 1), (0, 1)] {
      #expect(abs(curve.sensitivity(atSpecificity: specificity) - expected) < 1e-12, "\(specificity)")
    }
    let none = try RankCurve(scores: scores, truth: truth * 0)
    #expect(none.sensitivity(atSpecificity: 0.9).isNaN)
  }

  @Test func perfectTiedAndMissing() throws {
    let truth = blob(seed: 3)
    #expect(try RankCurve(scores: truth.to(.float32), truth: truth).rocAUC == 1)
    #expect(try RankCurve(scores: truth.to(.float32), truth: truth).trapezoidPRAUC == 1)
    let flat = try RankCurve(scores: .zeros([48, 48]), truth: truth)
    #expect(flat.rocAUC == 0.5)
    #expect(abs(flat.averagePrecision - truth.to(.float64).mean().item()) < 1e-12)
    #expect(try RankCurve(scores: .zeros([4]), truth: .zeros([4])).rocAUC.isNaN)
    #expect(throws: MetricError.self) { try RankCurve(scores: .full([4], .nan), truth: .zeros([4])) }
  }

  @Test func onlyTheMaskCounts() throws {
    let (truth, mask) = (blob(seed: 3), blob(seed: 5))
    let scores = Tensor.rand([48, 48], generator: Generator(seed: 4))
    let spoilt = Tensor.where(mask, scores, scores * 0 + 7)
    let values = try [scores, spoilt].map { try RankCurve(scores: $0, truth: truth, mask: mask).rocAUC }
    #expect(values[0] == values[1])
  }

  @Test func certainAndRightIsCalibrated() throws {
    let truth = blob(seed: 3)
    let calibration = try Calibration.positive(probabilities: truth.to(.float32), truth: truth)
    #expect(calibration.expectedError == 0 && calibration.brier == 0 && calibration.bins.count == 15)
    let wrong = try Calibration.positive(probabilities: truth.logicalNot().to(.float32), truth: truth)
    #expect(wrong.expectedError == 1 && wrong.maximumError == 1 && wrong.brier == 1)
    #expect(throws: MetricError.self) {
      try Calibration.positive(probabilities: .full([48, 48], 1.5), truth: truth)
    }
  }

  @Test func boundsBelongToTheLowerBin() throws {
    let calibration = try Calibration.positive(
      probabilities: Tensor([0, 0.2, 0.2000001, 1] as [Double]), truth: .ones([4]), binCount: 5)
    #expect(calibration.bins.map(\.count) == [2, 1, 0, 0, 1])
  }
}

@Suite struct SurfaceTests {
  let mask = blob(seed: 1)
  let other = blob(seed: 2)
  let empty = Tensor.zeros([48, 48], dtype: .bool)

  @Test func identityAndSymmetry() throws {
    let same = try SurfaceDistances(truth: mask, prediction: mask)
    #expect(same.hausdorff() == 0 && same.average == 0 && same.surfaceDice(tolerance: 0) == 1)
    let there = try SurfaceDistances(truth: mask, prediction: other)
    let back = try SurfaceDistances(truth: other, prediction: mask)
    #expect(there.hausdorff() == back.hausdorff())
    #expect(abs(there.surfaceDice(tolerance: 2) - back.surfaceDice(tolerance: 2)) < 1e-12)
    let borders = try BorderDistances(truth: mask, prediction: other)
    #expect(try borders.hausdorff() == BorderDistances(truth: other, prediction: mask).hausdorff())
  }

  @Test func emptyMasks() throws {
    let none = try SurfaceDistances(truth: empty, prediction: empty)
    #expect(none.hausdorff().isNaN && none.surfaceDice(tolerance: 1).isNaN && none.average.isNaN)
    #expect(none.surfaceDice(tolerance: 1, rule: .perfect) == 1)
    #expect(try BorderDistances(truth: empty, prediction: empty).hausdorff().isNaN)
    for (truth, prediction) in [(mask, empty), (empty, mask)] {
      let missed = try SurfaceDistances(truth: truth, prediction: prediction)
      #expect(missed.hausdorff() == .infinity && missed.average == .infinity)
      #expect(missed.surfaceDice(tolerance: 1) == 0)
      let borders = try BorderDistances(truth: truth, prediction: prediction)
      #expect(borders.hausdorff() == .infinity && borders.average == .infinity)
    }
  }

  @Test func spacingScalesDistances() throws {
    let plain = try SurfaceDistances(truth: mask, prediction: other).hausdorff()
    let scaled = try SurfaceDistances(truth: mask, prediction: other, spacing: [0.5, 0.5]).hausdorff()
    #expect(abs(scaled / plain - 0.5) < 1e-12)
    #expect(throws: MetricError.self) {
      try SurfaceDistances(truth: mask, prediction: other, spacing: [1, 1, 1])
    }
    #expect(throws: MetricError.self) {
      try SurfaceDistances(truth: mask, prediction: other, spacing: [0, 1])
    }
  }

  @Test func placeInTheImageDoesNotMatter() throws {
    func moved(_ x: Tensor) -> Tensor { pad(x.to(.float32), [5, 3, 7, 2]) }
    #expect(
      try SurfaceDistances(truth: mask, prediction: other).hausdorff()
        == SurfaceDistances(truth: moved(mask), prediction: moved(other)).hausdorff())
  }

  @Test func shiftIsTheHausdorffDistance() throws {
    let square = Tensor.zeros([32, 32])
    square[8..<16, 8..<16] = Tensor.ones([8, 8])
    let shifted = square.rolled([3], dims: [1])
    #expect(try SurfaceDistances(truth: square, prediction: shifted).hausdorff(percentile: 100) == 3)
    #expect(try BorderDistances(truth: square, prediction: shifted).hausdorff(percentile: 100) == 3)
    #expect(try SurfaceDistances(truth: square, prediction: shifted).surfaceDice(tolerance: 3) == 1)
  }

  /// Surface elements follow the steps of the grid, so that a sphere's area is a little above the smooth one.
  @Test(arguments: [[1.0, 1, 1], [0.5, 1, 2]])
  func sphereHasItsArea(spacing: [Double]) throws {
    let radius = 10.0
    let axes = spacing.map { step in
      let count = Int(24 / step)
      return (Tensor.arange(count).to(.float64) - Double(count - 1) / 2) * step
    }
    let squares =
      axes[0].square().reshaped([-1, 1, 1]) + axes[1].square().reshaped([-1, 1]) + axes[2].square()
    let ball = squares.isLess(than: radius * radius)
    let area = try SurfaceDistances(truth: ball, prediction: ball, spacing: spacing).truth.areas.reduce(0, +)
    let excess = area / (4 * Double.pi * radius * radius) - 1
    #expect(0..<0.2 ~= excess, "\(excess)")
  }
}
