// Evaluations of many maps of probabilities and of borders: pooled values, thresholds, groups.

import Foundation
import LimnTorch
import Testing

@testable import LimnMetrics

/// A truth, and a probability that is higher inside it; many scores are equal.
private func pair(_ seed: UInt64, masked: Bool = false, group: Int? = nil) -> ProbabilityPair {
  let generator = Generator(seed: seed)
  let truth = Tensor.rand([20, 24], generator: generator).isGreater(than: 0.7)
  let noise = Tensor.rand([20, 24], generator: generator)
  let probability = ((truth.to(.float32) * 0.4 + noise * 0.6) * 32).floor() / 32
  let mask = masked ? Tensor.rand([20, 24], generator: generator).isGreater(than: 0.3).to(.uint8) : nil
  return ProbabilityPair(
    name: "case \(seed)", truth: truth, probability: probability, mask: mask, group: group)
}

@Suite struct ProbabilityTests {
  @Test func pooledValuesAreThoseOfAllPixelsInOneImage() throws {
    let pairs = (1...5).map { pair(UInt64($0), masked: true) }
    let result = try ProbabilityEvaluation.run(count: pairs.count) { pairs[$0] }
    func joined(_ part: (ProbabilityPair) -> Tensor) -> Tensor { .cat(pairs.map(part), dim: 0) }
    let masks = joined { $0.mask ?? $0.truth }
    let curve = try RankCurve(scores: joined(\.probability), truth: joined(\.truth), mask: masks)
    let calibration = try Calibration.positive(
      probabilities: joined(\.probability), truth: joined(\.truth), mask: masks)
    for row in result.results {
      let whole = row.measure.value(curve, calibration, specificity: 0.95)
      #expect(abs(row.pooled.value - whole) <= 1e-12 * abs(whole), "\(row.measure)")
      #expect(row.pooled.value != row.perImage.mean, "\(row.measure): pooling changes nothing")
    }
    #expect(result.calibration.bins.map(\.count) == calibration.bins.map(\.count))
    #expect(result.curve.count == curve.thresholds.count)
    #expect(result.curve.last?.recall.value == 1 && result.curve.last?.falsePositiveRate.value == 1)
  }

  @Test func curvesAreThinnedToTheirEnds() throws {
    let scores = Tensor.rand([1000], generator: Generator(seed: 3))
    let one = ProbabilityPair(
      name: "a", truth: scores.isGreater(than: 0.5), probability: scores)
    let result = try ProbabilityEvaluation.run(count: 1) { _ in one }
    #expect(result.curve.count == 200)
    #expect(
      result.curve.first?.threshold == scores.max().item()
        && result.curve.last?.threshold == scores.min().item())
    #expect(result.results[0].pooled.value == 1 && result.results[0].perImage.low == nil)
  }

  @Test func intervalsResampleGroups() throws {
    let pairs = (1...6).map { pair(UInt64($0), group: 7) }
    let together = try ProbabilityEvaluation.run(count: 6) { pairs[$0] }
    #expect(together.results.allSatisfy { $0.perImage.low == nil })
    let alone = try ProbabilityEvaluation.run(count: 6) { pair(UInt64($0 + 1)) }
    #expect(alone.results.allSatisfy { $0.perImage.low != nil })
    #expect(together.results.map(\.pooled) == alone.results.map(\.pooled))
  }

  @Test func whatCannotBeMeasuredNamesTheCase() throws {
    let wrong = ProbabilityPair(
      name: "b7", truth: Tensor.ones([4, 4]), probability: Tensor.full([4, 4], 1.5))
    let error = #expect(throws: MetricError.self) { try ProbabilityEvaluation.run(count: 1) { _ in wrong } }
    #expect(error?.description.hasPrefix("b7: calibration takes probabilities") == true, "\(error!)")
  }

  // MARK: - Borders

  /// Squares with walls between, and a probability that is right at thresholds from 0.2 to 0.6.
  private func section(_ seed: UInt64, mask: Tensor? = nil) -> ProbabilityPair {
    let axis = Tensor.arange(32).to(.float64).remainder(8).isLess(than: 6).to(.float64)
    let truth = axis.unsqueezed(1) * axis
    let noise = Tensor.rand([32, 32], generator: Generator(seed: seed)).to(.float64)
    return ProbabilityPair(
      name: "s\(seed)", truth: truth, probability: truth * (0.65 + 0.2 * noise) + (1 - truth) * 0.2 * noise,
      mask: mask)
  }

  @Test func theBestThresholdIsThatOfTheMean() throws {
    let result = try BoundaryEvaluation.run(count: 3) { section(UInt64($0)) }
    #expect(result.images.map(\.name) == ["s0", "s1", "s2"])
    for row in result.results {
      let means = BoundaryScores.standardThresholds.indices.map { place in
        result.images.reduce(0) { $0 + row.measure.value($1.scores[place]) } / 3
      }
      let best = row.direction == .lowerIsBetter ? means.min() : means.max()
      #expect(abs((row.best.mean ?? .nan) - (best ?? .nan)) < 1e-12, "\(row.measure)")
      #expect((0.2...0.6).contains(row.bestThreshold), "\(row.measure): \(row.bestThreshold)")
      // Of equal thresholds the one that nothing was tuned for.
      #expect(row.atHalf.mean == row.best.mean ? row.bestThreshold == 0.5 : true)
    }
    #expect(result.results.first { $0.measure == .pixelError }?.best.mean == 0)
  }

  @Test func bordersAreNotMeasuredWithinAMask() throws {
    let error = #expect(throws: MetricError.self) {
      try BoundaryEvaluation.run(count: 1) { _ in section(0, mask: Tensor.ones([32, 32])) }
    }
    #expect(error?.description.contains("without one") == true)
  }
}
