// Precision, recall, density and coverage against NumPy, and what their definitions promise.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct ManifoldTests {
  let fixtures: FeatureFixtures
  init() throws { fixtures = try FeatureFixtures() }

  private func array(_ figures: ManifoldFigures) -> [Double] {
    [figures.precision, figures.recall, figures.density, figures.coverage]
  }

  @Test(arguments: ["wide", "tall", "dead"])
  func matchesTheReference(name: String) throws {
    let pair = try fixtures.pair(name)
    let closed = try ManifoldComparison(k: 3, isClosed: true).figures(pair)
    let open = try ManifoldComparison(k: 5, isClosed: false).figures(pair)
    #expect(closed.count == 1 && open.count == 1)
    #expect(relativeError(Tensor(array(closed[0])), try fixtures.tensor("\(name).closed.3")) < 1e-12)
    #expect(relativeError(Tensor(array(open[0])), try fixtures.tensor("\(name).open.5")) < 1e-12)
  }

  @Test func halvesAreMeasuredAsIfTheyWereAlone() throws {
    let pair = featurePair(
      normalFeatures(90, 4, seed: 1), normalFeatures(70, 4, seed: 2, shift: 0.8), resamples: 3)
    for comparison in [PrecisionRecall.comparison, DensityCoverage.comparison] {
      let figures = try comparison.figures(pair)
      #expect(figures.count == 4)
      let (real, generated) = (pair.halves.halves(of: 90, stream: 1), pair.halves.halves(of: 70, stream: 2))
      for half in 0..<3 {
        let alone = featurePair(pair.real[real[half]], pair.generated[generated[half]])
        #expect(array(figures[half + 1]) == array(try comparison.figures(alone)[0]))
      }
    }
  }

  @Test func surfacesCountInOneDefinitionOnly() throws {
    // Real points at 0, 1, 2, …, 9; the generated ones at 12 are at the rim of the ball about 9 (k = 3).
    let real = Tensor((0..<10).map { Float($0) }, shape: [10, 1])
    let generated = Tensor([Float](repeating: 12, count: 6), shape: [6, 1])
    let closed = try ManifoldComparison(k: 3, isClosed: true).figures(featurePair(real, generated))[0]
    let open = try ManifoldComparison(k: 3, isClosed: false).figures(featurePair(real, generated))[0]
    #expect(closed.precision == 1 && open.precision == 0)
    #expect(closed.coverage == 0.1 && open.coverage == 0)
    #expect(abs(closed.density - 1.0 / 3) < 1e-12 && open.density == 0)
  }

  @Test func identicalSetsAreWithinEachOther() throws {
    let features = normalFeatures(80, 8, seed: 1)
    let figures = try DensityCoverage.comparison.figures(featurePair(features, features))[0]
    #expect(figures.precision == 1 && figures.recall == 1 && figures.coverage == 1)
    let closed = try PrecisionRecall.comparison.figures(featurePair(features, features))[0]
    #expect(closed.precision == 1 && closed.recall == 1)
  }

  @Test func swappingTheSetsSwapsPrecisionAndRecall() throws {
    let (a, b) = (try fixtures.tensor("tall.a"), try fixtures.tensor("tall.b"))
    let forward = try PrecisionRecall.comparison.figures(featurePair(a, b))[0]
    let backward = try PrecisionRecall.comparison.figures(featurePair(b, a))[0]
    #expect(forward.precision == backward.recall && forward.recall == backward.precision)
    #expect(forward.precision != forward.recall)
  }

  @Test func collapseLowersRecallAndCoverageAlone() throws {
    let real = normalFeatures(200, 4, seed: 1)
    let collapsed =
      real[0..<1] + Tensor.randn([200, 4], generator: Generator(seed: 2)) * 0.01
    let figures = try DensityCoverage.comparison.figures(featurePair(real, collapsed))[0]
    #expect(figures.precision > 0.99 && figures.recall < 0.05 && figures.coverage < 0.1)
  }

  @Test func corruptionLowersThemStepByStep() throws {
    let real = normalFeatures(200, 4, seed: 1)
    let noise = Tensor.randn([200, 4], generator: Generator(seed: 2))
    let steps = try [0.0, 2, 5, 12].map {
      try DensityCoverage.comparison.figures(featurePair(real, normalFeatures(200, 4, seed: 3) + noise * $0))[0]
    }
    for (less, more) in zip(steps, steps.dropFirst()) {
      #expect(less.precision > more.precision && less.density > more.density && less.coverage > more.coverage)
    }
  }

  @Test func tooFewImagesAreNamed() throws {
    let pair = featurePair(normalFeatures(3, 4, seed: 1), normalFeatures(9, 4, seed: 2))
    let error = #expect(throws: MetricError.self) { try PrecisionRecall.comparison.figures(pair) }
    #expect(error?.description == "3 and 9 images; balls to the 3-th neighbour need 4 of each")
  }

  @Test func unequalAndSmallSetsAreWarnedOf() throws {
    let pair = featurePair(normalFeatures(30, 4, seed: 1), normalFeatures(20, 4, seed: 2))
    let warnings = try DensityCoverage(figure: .coverage).measure(pair).warnings
    #expect(warnings.contains { $0.contains("fewer than 1,000 images (30 and 20)") })
    #expect(warnings.contains { $0.contains("30 images against 20") })
  }
}

@Suite struct HalfSamplesTests {
  @Test func halvesHoldHalfAndNothingTwice() {
    let halves = HalfSamples(count: 20, seed: 3).halves(of: 31, stream: 0)
    #expect(halves.shape == [20, 15])
    for row in 0..<20 { #expect(Set(halves[row].array(of: Int.self)).count == 15) }
    let masks = HalfSamples(count: 20, seed: 3).masks(of: 31, stream: 0)
    #expect(masks.sum(dims: [1]).array(of: Double.self) == [Double](repeating: 15, count: 20))
    #expect(masks[4, halves[4]].sum().item() == 15)
    #expect(!HalfSamples(count: 20, seed: 3).halves(of: 31, stream: 1).isIdentical(to: halves))
    #expect(!HalfSamples(count: 20, seed: 4).halves(of: 31, stream: 0).isIdentical(to: halves))
  }

  @Test func intervalsOfMeansAreThoseOfTheTextbook() throws {
    let values = Tensor.randn([400], dtype: .float64, generator: Generator(seed: 1))
    let all = -Double.infinity...(.infinity)
    let interval = try #require(
      HalfSamples(count: 2000, seed: 0).interval(ofMean: values.array(of: Double.self), in: all))
    let mean = values.mean().item()
    let reach = 1.96 * values.std().item() / 20
    #expect(abs(interval.low - (mean - reach)) < 0.1 * reach)
    #expect(abs(interval.high - (mean + reach)) < 0.1 * reach)
  }

  @Test func intervalsStayInTheMetricsRange() throws {
    let interval = HalfSamples(count: 5, seed: 0).interval(around: 0.98, [0.9, 0.95, 1, 0.8, 1], in: 0...1)
    #expect(interval.high == 1 && interval.low < 0.98)
  }

  @Test func noResamplesGiveNoInterval() {
    #expect(HalfSamples(count: 0, seed: 0).interval(ofMean: [1, 2, 3, 4], in: 0...9) == nil)
    #expect(HalfSamples(count: 9, seed: 0).interval(ofMean: [1, 2], in: 0...9) == nil)
  }
}
