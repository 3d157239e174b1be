// KID and CMMD against NumPy, and what their definitions promise.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct KernelMetricTests {
  let fixtures: FeatureFixtures
  init() throws { fixtures = try FeatureFixtures() }

  @Test(arguments: ["wide", "tall", "dead"])
  func matchesTheReference(name: String) throws {
    let pair = try fixtures.pair(name)
    let kid = try KID(subsets: 0).measure(pair)
    #expect(relativeDifference(kid.value, try fixtures.value("\(name).kid_full")) < 1e-10)
    #expect(kid.standardDeviation == nil && kid.interval == nil)
    #expect(relativeDifference(try CMMD().measure(pair).value, try fixtures.value("\(name).cmmd")) < 1e-10)
  }

  @Test func givenSubsetsMatchTheReference() throws {
    let (a, b) = (try fixtures.tensor("tall.a")[0..<279], try fixtures.tensor("tall.b")[0..<279])
    let members = Tensor.stack(
      (0..<3).map { offset in Tensor((0..<279).map { $0 % 3 == offset ? 1.0 : 0 }) })
    let values = KernelDiscrepancy(kernel: .cubic, isUnbiased: true).values(
      a, b, SubsetPair(first: members, second: members))
    #expect(relativeError(Tensor(values), try fixtures.tensor("tall.kid_subsets")) < 1e-10)
  }

  @Test func subsetsAverageToAllImages() throws {
    let pair = featurePair(
      normalFeatures(2000, 8, seed: 1), normalFeatures(1500, 8, seed: 2, shift: 1), resamples: 50)
    let subsets = try KID(subsets: 100).measure(pair)
    let all = try KID(subsets: 0).measure(pair)
    let deviation = try #require(subsets.standardDeviation)
    #expect(deviation > 0 && abs(subsets.value - all.value) < deviation)
    #expect(subsets.warnings.isEmpty && KID.subsetSize(pair) == 1000)
    let interval = try #require(subsets.interval)
    #expect(interval.low < subsets.value && subsets.value < interval.high && interval.resamples == 50)
  }

  @Test func smallSetsAreHalvedAndWarnedOf() throws {
    let pair = featurePair(normalFeatures(90, 8, seed: 1), normalFeatures(147, 8, seed: 2))
    let kid = try KID(subsets: 100).measure(pair)
    #expect(KID.subsetSize(pair) == 45 && (kid.standardDeviation ?? 0) > 0)
    #expect(kid.warnings.contains { $0.contains("no more than 1,000 images (90), subsets of 45") })
  }

  @Test func equalDistributionsLieAroundZero() throws {
    let values = try (0..<20).map { seed in
      try KID(subsets: 0).measure(
        featurePair(normalFeatures(100, 4, seed: UInt64(seed)), normalFeatures(100, 4, seed: UInt64(seed + 50)))
      ).value
    }
    #expect(values.contains { $0 < 0 } && values.contains { $0 > 0 }, "\(values)")
  }

  @Test func identicalSetsGiveZeroForCMMDAndSidesMayBeSwapped() throws {
    let (a, b) = (try fixtures.tensor("tall.a"), try fixtures.tensor("tall.b"))
    #expect(abs(try CMMD().measure(featurePair(a, a)).value) < 1e-12)
    let forward = try CMMD().measure(featurePair(a, b)).value
    #expect(relativeDifference(try CMMD().measure(featurePair(b, a)).value, forward) < 1e-10)
    let kid = try KID(subsets: 0).measure(featurePair(a, b)).value
    #expect(relativeDifference(try KID(subsets: 0).measure(featurePair(b, a)).value, kid) < 1e-10)
  }

  @Test func corruptionRaisesBothStepByStep() throws {
    // Features like a network's, not below zero: about zero, the cubic kernel's odd moments are all scatter.
    let real = normalFeatures(300, 8, seed: 6).clamped(min: 0)
    let others = normalFeatures(300, 8, seed: 8)
    for measure in [KID(subsets: 0), KID(subsets: 100), CMMD()] as [any FeatureMeasure] {
      let values = try [0.0, 1, 2, 4].map {
        try measure.measure(featurePair(real, (others + $0).clamped(min: 0))).value
      }
      #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "\(values)")
    }
  }

  @Test func otherNetworksThanCLIPAreNamed() throws {
    let features = normalFeatures(10, 4, seed: 1)
    let warnings = try CMMD().measure(featurePair(features, features)).warnings
    #expect(warnings.contains { $0.contains("projection is not CLIP") })
  }

  @Test func distancesOfEqualVectorsAreZero() {
    let features = (normalFeatures(50, 32, seed: 9) * 100).to(.float64)
    let distances = squaredDistances(features, features)
    #expect(distances.diagonal().abs().max().item() == 0)
    #expect(distances.min().item() == 0)
  }
}
