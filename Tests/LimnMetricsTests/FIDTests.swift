// Statistics of features and the Fréchet distance against NumPy and SciPy, and what their definitions promise.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct FeatureStatisticsTests {
  let fixtures: FeatureFixtures
  init() throws { fixtures = try FeatureFixtures() }

  @Test(arguments: ["wide", "tall", "dead"])
  func matchesNumPy(name: String) throws {
    let statistics = FeatureStatistics(of: try fixtures.tensor("\(name).a"))
    #expect(relativeError(statistics.mean, try fixtures.tensor("\(name).mean")) < 1e-12)
    #expect(relativeError(statistics.covariance(), try fixtures.tensor("\(name).covariance")) < 1e-12)
    let count = Double(statistics.count)
    let population = statistics.covariance() * ((count - 1) / count)
    #expect(relativeError(statistics.covariance(.sampleCount), population) < 1e-12)
  }

  @Test(arguments: [1, 7, 300])
  func batchesGiveWhatTheWholeGives(batch: Int) throws {
    let features = try fixtures.tensor("tall.a")
    var streamed = FeatureStatistics(dimension: 12)
    for block in features.split(size: batch) { streamed.add(block) }
    let whole = FeatureStatistics(of: features)
    #expect(streamed.count == 300)
    #expect(relativeError(streamed.mean, whole.mean) < 1e-13)
    #expect(relativeError(streamed.covariance(), whole.covariance()) < 1e-13)
  }

  @Test func largeOffsetsCostNoDigits() throws {
    let features = normalFeatures(200, 5, seed: 1).to(.float64)
    let moved = features + 1e8
    // The moved numbers themselves keep half of their digits; what they lost is not counted against the sums.
    let kept = moved - 1e8
    var streamed = FeatureStatistics(dimension: 5)
    for block in moved.split(size: 32) { streamed.add(block) }
    let expected = FeatureStatistics(of: kept).covariance()
    #expect(relativeError(streamed.covariance(), expected) < 1e-9)
    #expect(relativeError(FeatureStatistics(of: moved).covariance(), expected) < 1e-9)
  }

  @Test func valuesAreNotShared() {
    var first = FeatureStatistics(dimension: 3)
    first.add(normalFeatures(10, 3, seed: 1))
    let before = first.covariance()
    var second = first
    second.add(normalFeatures(10, 3, seed: 2))
    #expect(first.covariance().isIdentical(to: before) && second.count == 20)
  }

  @Test(arguments: [1, 65, 512, 700])
  func symmetricSquareIsTheProduct(columns: Int) {
    let x = normalFeatures(40, columns, seed: 3).to(.float64)
    #expect(relativeError(symmetricSquare(x), matmul(x.transposed(0, 1), x)) < 1e-13)
  }
}

@Suite struct FrechetDistanceTests {
  let fixtures: FeatureFixtures
  init() throws { fixtures = try FeatureFixtures() }

  @Test(arguments: ["wide", "tall", "dead"])
  func matchesTheReference(name: String) throws {
    let (a, b) = (try fixtures.tensor("\(name).a"), try fixtures.tensor("\(name).b"))
    // SciPy's own root leaves some 1e-9 in the singular cases; this is a closed form.
    let unbiased = try FrechetDistance.between(a, b)
    #expect(relativeDifference(unbiased, try fixtures.value("\(name).fid")) < 1e-9)
    let population = try FrechetDistance.between(a, b, divisor: .sampleCount)
    #expect(relativeDifference(population, try fixtures.value("\(name).fid_n")) < 1e-9)
  }

  @Test(arguments: ["wide", "tall", "dead"])
  func momentsGiveWhatFeaturesGive(name: String) throws {
    let (a, b) = (try fixtures.tensor("\(name).a"), try fixtures.tensor("\(name).b"))
    let moments = try FrechetDistance.between(FeatureStatistics(of: a), FeatureStatistics(of: b))
    #expect(relativeDifference(moments, try FrechetDistance.between(a, b)) < 1e-7)
  }

  @Test func ofASetToItselfIsZeroAndSidesMayBeSwapped() throws {
    let (a, b) = (try fixtures.tensor("tall.a"), try fixtures.tensor("tall.b"))
    #expect(abs(try FrechetDistance.between(a, a)) < 1e-10)
    let forward = try FrechetDistance.between(a, b)
    #expect(relativeDifference(try FrechetDistance.between(b, a), forward) < 1e-12)
  }

  @Test(arguments: [40, 12])
  func equalShapesAtADistanceGiveItsSquare(count: Int) throws {
    let features = normalFeatures(count, 16, seed: 2).to(.float64)
    let delta = Tensor.randn([16], dtype: .float64, generator: Generator(seed: 3))
    let distance = try FrechetDistance.between(features, features + delta)
    #expect(relativeDifference(distance, delta.square().sum().item()) < 1e-10)
  }

  @Test func scaledCopiesHaveAClosedForm() throws {
    // tr(C + 4 C − 2 · 2 C) = tr C where the means agree.
    let features = normalFeatures(100, 8, seed: 4).to(.float64)
    let centred = features - features.mean(dims: [0])
    let expected = FeatureStatistics(of: centred).covariance().trace().item()
    #expect(relativeDifference(try FrechetDistance.between(centred, centred * 2), expected) < 1e-10)
  }

  @Test func illConditionedCovariancesKeepTheirDigits() throws {
    // Deviations from 1 to 1e-7: the roots of eigenvalues alone would be off by some 1e-8 each.
    let scales = Tensor((0..<16).map { Double.pow10(-7 * Double($0) / 15) })
    let features = Tensor.randn([200, 16], dtype: .float64, generator: Generator(seed: 5)) * scales
    #expect(abs(try FrechetDistance.between(features, features)) < 1e-12)
  }

  @Test func corruptionRaisesItStepByStep() throws {
    let real = normalFeatures(400, 8, seed: 6)
    let noise = Tensor.randn([400, 8], generator: Generator(seed: 7))
    let values = try [0, 0.2, 0.5, 1, 2].map { try FrechetDistance.between(real, real + noise * $0) }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "\(values)")
  }

  @Test func featuresThatDoNotCompareAreNamed() throws {
    let error = #expect(throws: MetricError.self) {
      try FrechetDistance.between(.zeros([4, 3]), .zeros([4, 2]))
    }
    #expect(error?.description.contains("[4, 3] and [4, 2]") == true)
    let notFinite = #expect(throws: MetricError.self) {
      try FrechetDistance.between(.zeros([4, 3]), Tensor.zeros([4, 3]) / Tensor.zeros([4, 3]))
    }
    #expect(notFinite?.description.contains("NaN") == true)
    #expect(throws: MetricError.self) {
      try FrechetDistance.between(FeatureStatistics(dimension: 3), FeatureStatistics(of: .zeros([4, 3])))
    }
  }
}

@Suite struct FIDTests {
  @Test func fewImagesAreWarnedOf() throws {
    let pair = featurePair(normalFeatures(16, 16, seed: 1), normalFeatures(40, 16, seed: 2))
    let warnings = try FID(divisor: .sampleCountLessOne).measure(pair).warnings
    #expect(warnings.contains { $0.contains("fewer than 2,048 images (16 and 40 images)") })
    #expect(warnings.contains { $0.contains("no more images than the 16 features") })
    let many = featurePair(normalFeatures(2048, 16, seed: 1), normalFeatures(2100, 16, seed: 2))
    #expect(try FID(divisor: .sampleCountLessOne).measure(many).warnings.isEmpty)
  }

  @Test func intervalHoldsTheValueAndShrinksWithTheSets() throws {
    func interval(_ count: Int) throws -> (FeatureMeasurement, ConfidenceInterval) {
      let pair = featurePair(
        normalFeatures(count, 6, seed: 1), normalFeatures(count, 6, seed: 2, shift: 1), resamples: 100)
      let found = try FID(divisor: .sampleCountLessOne).measure(pair)
      return (found, try #require(found.interval))
    }
    let (small, narrow) = (try interval(60), try interval(960))
    for (found, range) in [small, narrow] {
      #expect(range.low < found.value && found.value < range.high && range.level == 0.95)
    }
    let ratio = (small.1.high - small.1.low) / (narrow.1.high - narrow.1.low)
    #expect(ratio > 2.5 && ratio < 6.5, "a sixteenth of the images, four times the width: \(ratio)")
  }

  @Test func linearisedHalvesVaryAsMeasuredOnesDo() throws {
    let pair = featurePair(
      normalFeatures(1500, 6, seed: 3), normalFeatures(1200, 6, seed: 4, shift: 0.5, scale: 1.2),
      resamples: 100)
    let measured = Tensor(try FIDInterval.measured(pair, .sampleCount))
    let linearised = Tensor(try #require(FIDInterval.linearised(pair)))
    let (a, b) = (measured - measured.mean(), linearised - linearised.mean())
    // The same halves, so the deviations agree one by one, not only in size.
    let correlation = (a * b).sum() / (a.norm() * b.norm())
    #expect(correlation.item() > 0.98)
    #expect(abs(a.std().item() / b.std().item() - 1) < 0.1)
  }

  @Test func extrapolationComesNearerToTheTruth() throws {
    // Equal distributions: the truth is 0, and FID lies above it by about a constant over N.
    var (plain, extrapolated) = (0.0, 0.0)
    for seed in UInt64(0)..<10 {
      let pair = featurePair(normalFeatures(600, 16, seed: seed), normalFeatures(600, 16, seed: seed + 50))
      plain += try FID(divisor: .sampleCountLessOne).measure(pair).value / 10
      extrapolated += try FIDInfinity().measure(pair).value / 10
    }
    #expect(plain > 0.5 && abs(extrapolated) < plain / 4, "\(plain), \(extrapolated)")
  }

  @Test func extrapolationNamesItsPoints() throws {
    let pair = featurePair(normalFeatures(300, 8, seed: 1), normalFeatures(340, 8, seed: 2), resamples: 20)
    let found = try FIDInfinity().measure(pair)
    #expect(found.parts.count == 17 && found.parts[0].name == "fid_at_60")
    #expect(found.parts[14].name == "fid_at_300")
    let plain = try FID(divisor: .sampleCountLessOne).measure(pair)
    #expect(relativeDifference(found.parts[14].value, plain.value) < 1e-9)
    let (wide, narrow) = (try #require(found.interval), try #require(plain.interval))
    #expect(wide.high - wide.low > narrow.high - narrow.low)
    let again = try FIDInfinity().measure(pair)
    #expect(again.value == found.value)
  }

  @Test func linesAreFittedByLeastSquares() {
    let exact = Line([(0.0, 1.0), (1, 3), (2, 5)].map { Line.Point(x: $0.0, y: $0.1) })
    #expect(abs(exact.intercept - 1) < 1e-12 && abs(exact.slope - 2) < 1e-12 && exact.interceptError < 1e-6)
    // scipy.stats.linregress([0, 1, 2, 3], [1, 2, 2, 4]): 0.9, 0.9, r² 0.85263, error of the intercept 0.49497.
    let rough = Line([(0.0, 1.0), (1, 2), (2, 2), (3, 4)].map { Line.Point(x: $0.0, y: $0.1) })
    #expect(abs(rough.slope - 0.9) < 1e-12 && abs(rough.intercept - 0.9) < 1e-12)
    #expect(abs(rough.rSquared - 0.852632) < 1e-6 && abs(rough.interceptError - 0.494975) < 1e-6)
  }
}

extension Double {
  fileprivate static func pow10(_ exponent: Double) -> Double { Tensor(10.0).pow(exponent).item() }
}
