// The statistics of privacy against scipy's values, direct counts and simulation.

import Foundation
import Testing

@testable import LimnMetrics

@Suite struct PrivacyStatisticsTests {
  /// `scipy.stats.betabinom.sf(x - 1, n, k, m - k + 1)`.
  @Test(arguments: [
    (22, 200, 1.0, 100.0, 8.872980321827928e-05), (30, 200, 5, 100, 0.002516137612249336),
    (3, 50, 2.5, 40.5, 0.5013956446200332), (1, 10, 1, 20, 0.3333333333333338), (0, 10, 1, 20, 1),
  ])
  func betaBinomialTailIsScipys(x: Int, n: Int, k: Double, m: Double, expected: Double) {
    let p = betaBinomialTail(atLeast: x, of: n, alpha: k, beta: m - k + 1)
    // lgamma of numbers in the hundreds loses eight of sixteen digits to cancellation.
    #expect(abs(p / expected - 1) < 1e-7)
  }

  /// `scipy.stats.false_discovery_control`.
  @Test func falseDiscoveryRatesAreScipys() {
    let rates = falseDiscoveryRates([0.001, 0.2, 0.03, 0.04, 0.9, 0.012])
    #expect(zip(rates, [0.006, 0.24, 0.06, 0.06, 0.9, 0.036]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func areaIsTheShareOfPairs() {
    let (members, others) = ([0.1, 0.4, 0.4, 0.9], [0.2, 0.4, 0.8])
    let pairs = members.flatMap { a in others.map { b in a < b ? 1.0 : a == b ? 0.5 : 0 } }
    let pooled = (members.map { ($0, true) } + others.map { ($0, false) }).sorted { $0.0 < $1.0 }
    let area = weightedArea(pooled.map(\.0), pooled.map(\.1), [Double](repeating: 1, count: 7))
    #expect(abs(area - pairs.reduce(0, +) / 12) < 1e-12)
    // Two equal weights are two equal samples.
    let twice = weightedArea([0.1, 0.2, 0.3], [true, false, true], [2, 1, 1])
    #expect(abs(twice - 2.0 / 3) < 1e-12)
  }

  @Test func designEffectIsOneForSinglesAndTheSizeForEqualTwins() {
    let holds = [true, false, false, true, false, false, false, false]
    #expect(designEffect(holds, Array(0..<8)) == 1)
    let twins = holds.flatMap { [$0, $0] }
    let effect = designEffect(twins, (0..<16).map { $0 / 2 })
    #expect(abs(effect - 2 * 8.0 / 7) < 1e-9)  // groups / (groups − 1) is the estimator's own
  }

  /// Distances with the tail of a d-dimensional neighbourhood: p-values must be uniform.
  @Test func tailProbabilitiesHoldUnderSimulation() throws {
    var random = SeedSequence(seed: 4)
    func draw() -> Double { pow(Double(1 + random.next(below: 1 << 30)) / Double(1 << 30), 1.0 / 6) }
    var below = 0
    let trials = 4000
    for _ in 0..<trials {
      let usual = UsualValues((0..<60).map { _ in draw() }, patients: Array(0..<60))
      if usual.probability(below: draw()) <= 0.01 { below += 1 }
    }
    // 40 expected; the bounds are 4 standard deviations.
    #expect((15...66).contains(below), "\(below)")
  }

  /// The depth in the tail joined with the number there: p-values must not be small too often.
  @Test func theTailTestHoldsItsRateUnderSimulation() throws {
    var random = SeedSequence(seed: 5)
    func draw() -> Double { pow(Double(1 + random.next(below: 1 << 30)) / Double(1 << 30), 1.0 / 6) }
    func test(copies: Int) throws -> (tail: Double, count: Double) {
      let usual = UsualValues((0..<67).map { _ in draw() }, patients: Array(0..<67))
      let drawn = (0..<copies).map { _ in 0.1 + 0.1 * draw() } + (copies..<67).map { _ in draw() }
      let patients = Array(0..<67)
      let tail = try #require(usual.tailTest(drawn, drawnPatients: patients, of: "x"))
      let count = usual.countTest(drawn, drawnPatients: patients, fraction: 0.05, of: "x")
      return (tail.pValue, count.pValue)
    }
    let alarms = try (0..<1000).count { _ in try test(copies: 0).tail <= 0.01 }
    // At most 10 expected, since counts are whole; 23 is four standard deviations above.
    #expect(alarms <= 23, "\(alarms)")
    let planted = try (0..<100).map { _ in try test(copies: 7) }
    let (found, counted) = (planted.count { $0.tail <= 0.005 }, planted.count { $0.count <= 0.005 })
    #expect(found >= 65 && found > counted + 20, "\(found), by counts alone \(counted)")
  }

  @Test func combinedProbabilitiesAreCauchys() {
    #expect(abs(combinedProbability([0.03]) - 0.03) < 1e-12)
    #expect(abs(combinedProbability([0.2, 0.2, 0.2]) - 0.2) < 1e-12)
    // scipy.stats.cauchy.sf(numpy.mean(numpy.tan((0.5 - p) * pi))) of 0.01, 0.2, 0.9
    #expect(abs(combinedProbability([0.01, 0.2, 1]) - 0.03160077028981248) < 1e-12)
    #expect(abs(combinedProbability([1e-20, 0.5]) / 2e-20 - 1) < 1e-9)
    #expect(combinedProbability([0.004, 0.004]) < 2 * 0.004 && combinedProbability([]) == 1)
  }

  /// `scipy.stats.beta.sf`.
  @Test func theBetaTailIsThatOfSciPy() {
    #expect(abs(betaTail(above: 0.3, 4, 7) - 0.6496107184000001) < 1e-12)
    #expect(abs(betaTail(above: 0.9, 12, 6) - 0.004667476124389415) < 1e-12)
    #expect(betaTail(above: 0, 2, 3) == 1 && betaTail(above: 1, 2, 3) == 0)
  }

  /// Sets alike in distribution: the corrected tests may call at most 1 % of them copied.
  @Test func falseAlarmsStayBelowTheirRate() throws {
    var random = SeedSequence(seed: 9)
    func distance() -> Double {
      let normal = (0..<12).reduce(-6.0) { sum, _ in
        sum + Double(random.next(below: 1 << 20)) / Double(1 << 20)
      }
      return 0.6 * exp(0.2 * normal)
    }
    func near() -> NearestImage {
      let pair = [distance(), distance()].sorted()
      return NearestImage(index: 0, distance: pair[0], otherDistance: pair[1])
    }
    func comparison(copies: Int) -> PrivacyComparison {
      let copied = (0..<copies).map { _ in NearestImage(index: 0, distance: 0.06, otherDistance: 0.5) }
      return PrivacyComparison(
        search: AlignedSearch(),
        synthetic: .init(nearest: copied + (copies..<150).map { _ in near() }, patients: Array(0..<150)),
        baseline: .init(nearest: (0..<100).map { _ in near() }, patients: Array(0..<100)),
        membership: nil, falseAlarmRate: 0.01)
    }
    let alarms = (0..<600).count { _ in comparison(copies: 0).pValue <= 0.01 }
    // At most 6 expected; 14 is more than three standard deviations above.
    #expect(alarms <= 14, "\(alarms)")
    let found = comparison(copies: 15)
    #expect(found.pValue < 1e-3 && Set(found.suspects.map(\.image)).isSuperset(of: 0..<15))
    #expect(found.suspects.count <= 25)
  }

  @Test func membershipIsSeenWhereMembersAreNearer() {
    var random = SeedSequence(seed: 1)
    func samples(_ count: Int, shift: Double) -> [MembershipSample] {
      (0..<count).map {
        MembershipSample(distance: shift + Double(random.next(below: 1000)) / 1000, patient: $0)
      }
    }
    let none = MembershipScore(training: samples(120, shift: 0), unseen: samples(80, shift: 0), seed: 1)
    #expect(none.interval[0] < 0.5 && none.interval[1] > 0.5 && !none.tellsMembers)
    let some = MembershipScore(training: samples(120, shift: 0), unseen: samples(80, shift: 0.3), seed: 1)
    #expect(some.tellsMembers && some.auc > 0.6 && some.interval[0] < some.auc && some.auc < some.interval[1])
  }

  /// z of `scipy.stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False)`.
  @Test func dataCopyingIsTheMannWhitneyStatistic() {
    let z = dataCopyingStatistic(synthetic: [0.1, 0.2, 0.35], unseen: [0.3, 0.4, 0.5, 0.6])
    // U = 1 of 12 for the synthetic ones being greater; (1 − 6) / √(12 · 8 / 12).
    #expect(abs(z - (-5 / 8.0.squareRoot())) < 1e-12)
  }
}
