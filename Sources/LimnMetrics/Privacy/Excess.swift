// Whether one sample has more small values than another: exact counts, and the tail extrapolated.

import Foundation

/// A test of whether synthetic images have too many small values (distances, or ratios of distances).
public struct ExcessTest: Codable, Sendable, Equatable {
  /// What was counted, in words that complete "N synthetic images …".
  public let what: String
  /// Synthetic images for which it holds.
  public let observed: Int
  /// How many were to be expected if synthetic images were like unseen real ones.
  public let expected: Double
  /// One-sided, of this test alone.
  public let pValue: Double
}

/// The values of unseen images, sorted, as the measure of what is usual.
struct UsualValues {
  private let sorted: [Double]
  private let values: [Double]
  private let patients: [Int]
  private let tail: Tail?

  /// - Parameters:
  ///   - values: of unseen images, at least one.
  ///   - patients: a number for each image's patient.
  init(_ values: [Double], patients: [Int]) {
    self.values = values
    self.patients = patients
    sorted = values.sorted()
    tail = Tail(sorted)
  }

  var count: Int { sorted.count }
  var median: Double { quantile(0.5) }
  func quantile(_ q: Double) -> Double { sorted[min(count - 1, Int(q * Double(count)))] }

  /// Counts values below the k-th smallest usual one, k = `fraction` of them.
  ///
  /// If all images were drawn alike, the share of drawn values below the k-th smallest of m would be
  /// Beta(k, m − k + 1) and their number beta-binomial, whatever the distribution of the values. Images of
  /// one patient are not drawn independently: k and m are divided by the design effect of the patients.
  func countTest(_ drawn: [Double], drawnPatients: [Int], fraction: Double, of what: String) -> ExcessTest {
    let k = max(1, Int((fraction * Double(count)).rounded(.down)))
    let excess = Excess(drawn, drawnPatients, below: k, of: self)
    return ExcessTest(
      what: "have a \(what) below the \(k == 1 ? "smallest" : "\(k) smallest") of \(count) unseen images",
      observed: excess.observed, expected: Double(drawn.count) * Double(k) / Double(count + 1),
      pValue: excess.pValue)
  }

  /// The number of drawn values in the usual ones' lowest tenth, and how deep in it they lie.
  ///
  /// In the tail the logarithms log(t/v) are exponential, so that the ratio of the drawn ones' mean to the usual
  /// ones' has an F distribution whatever their number; Fisher's method joins its p with that of the number.
  /// Several copies are found by it where each alone could be chance.
  func tailTest(_ drawn: [Double], drawnPatients: [Int], of what: String) -> ExcessTest? {
    guard let tail else { return nil }
    let excess = Excess(drawn, drawnPatients, below: tail.count + 1, of: self)
    let counts = (drawn: excess.observedAlone, usual: max(1, Int(Double(tail.count) / excess.usualEffect)))
    let depth = tail.depthProbability(drawn, counts)
    let joint = excess.pValue * depth
    return ExcessTest(
      what: "have a \(what) below the \(tail.count + 1) smallest of \(count) unseen images, the deeper the "
        + "more",
      observed: excess.observed,
      expected: Double(drawn.count) * Double(tail.count + 1) / Double(count + 1),
      pValue: joint > 0 ? min(1, joint * (1 - log(joint))) : 0)
  }

  /// How many drawn values lie below the k-th smallest usual one, and how improbable so many are.
  private struct Excess {
    let observed: Int
    /// As many as independent images would make.
    let observedAlone: Int
    let usualEffect: Double
    let pValue: Double

    init(_ drawn: [Double], _ drawnPatients: [Int], below k: Int, of usual: UsualValues) {
      let threshold = usual.sorted[k - 1]
      let below = drawn.map { $0 < threshold }
      observed = below.count { $0 }
      usualEffect = designEffect(usual.values.map { $0 <= threshold }, usual.patients)
      let own = designEffect(below, drawnPatients)
      let (kEffective, mEffective) = (Double(k) / usualEffect, Double(usual.count) / usualEffect)
      observedAlone = Int((Double(observed) / own).rounded(.down))
      pValue = betaBinomialTail(
        atLeast: observedAlone, of: Int((Double(drawn.count) / own).rounded()), alpha: kEffective,
        beta: mEffective - kEffective + 1)
    }
  }

  /// The smallest of the drawn values against the extrapolated tail, Bonferroni over the values.
  func extremeTest(_ drawn: [Double], of what: String) -> ExcessTest? {
    guard let least = drawn.min(), tail != nil else { return nil }
    let single = probability(below: least)
    return ExcessTest(
      what: "have a \(what) as small as the smallest, "
        + String(format: "%.3f (usually %.3f)", least, median),
      observed: drawn.count { $0 <= least }, expected: Double(drawn.count) * single,
      pValue: min(1, Double(drawn.count) * single))
  }

  /// How probable it is that an unseen image has a value as small.
  func probability(below value: Double) -> Double {
    if let tail, value < tail.threshold { return tail.probability(below: value) }
    return Double(1 + sorted.prefix { $0 <= value }.count) / Double(count + 1)
  }
}

/// The lower tail of positive values as a power law, P(v) = (k/m)(v/t)^a below a threshold t.
///
/// Distances to nearest neighbours have such a tail, whose power is the dimension of the data near by (Levina
/// & Bickel 2004). Then log(t/v) is exponential; with the mean y of k observed ones, a new one exceeds z with
/// probability (1 + z/(k·y))^−k exactly (the F distribution of 2 and 2k degrees), uncertainty of a included.
struct Tail {
  let threshold: Double
  /// Usual values in the tail.
  let count: Int
  private let share: Double
  private let meanLog: Double

  /// Nil for fewer than 20 values, or where the small ones are all alike.
  init?(_ sorted: [Double]) {
    guard sorted.count >= 20 else { return nil }
    let k = max(5, sorted.count / 10)
    let threshold = max(sorted[k], 1e-9)
    let logs = sorted.prefix(k).map { log(threshold / max($0, 1e-9)) }
    (self.count, self.threshold, share) = (k, threshold, Double(k) / Double(sorted.count))
    meanLog = logs.reduce(0, +) / Double(logs.count)
    guard meanLog > 1e-6 else { return nil }
  }

  func probability(below value: Double) -> Double {
    let z = log(threshold / max(value, 1e-9))
    return share * pow(1 + z / (Double(count) * meanLog), -Double(count))
  }

  /// How improbable it is that values in the tail lie as deep in it, given their number: the mean of log(t/v)
  /// over the usual one exceeds r with the probability of an F distribution of 2n and 2k degrees.
  func depthProbability(_ values: [Double], _ counts: (drawn: Int, usual: Int)) -> Double {
    let logs = values.filter { $0 < threshold }.map { log(threshold / max($0, 1e-9)) }
    guard counts.drawn > 0, !logs.isEmpty else { return 1 }
    let ratio = logs.reduce(0, +) / Double(logs.count) / meanLog
    let (n, k) = (Double(counts.drawn), Double(counts.usual))
    return betaTail(above: n * ratio / (n * ratio + k), counts.drawn, counts.usual)
  }
}

/// P(X ≥ x) for X beta-binomial(n, α, β).
func betaBinomialTail(atLeast x: Int, of n: Int, alpha: Double, beta: Double) -> Double {
  guard x > 0 else { return 1 }
  guard x <= n else { return 0 }
  func logBeta(_ a: Double, _ b: Double) -> Double { lgamma(a) + lgamma(b) - lgamma(a + b) }
  let whole = logBeta(alpha, beta)
  let sum = (x...n).reduce(0.0) { sum, i in
    let (hits, misses) = (Double(i), Double(n - i))
    let choose = -log(Double(n + 1)) - logBeta(hits + 1, misses + 1)
    return sum + exp(choose + logBeta(hits + alpha, misses + beta) - whole)
  }
  return min(1, sum)
}

/// One p-value of several, dependent or not: the Cauchy combination of Liu & Xie (2020, JASA 115, 393), whose
/// small values are right whatever the tests have to do with each other, and which several small ones strengthen.
/// Values near 1, which exact tests of counts give, are taken as 0.9, or one would outweigh all others.
func combinedProbability(_ pValues: [Double]) -> Double {
  guard !pValues.isEmpty else { return 1 }
  // Where p is tiny, tan((½ − p)π) is 1 / (π p), without its loss of digits.
  let terms = pValues.map { p in
    p < 1e-12 ? 1 / (.pi * max(p, 1e-300)) : tan((0.5 - min(p, 0.9)) * .pi)
  }
  let mean = terms.reduce(0, +) / Double(terms.count)
  return mean > 1e12 ? 1 / (.pi * mean) : 0.5 - atan(mean) / .pi
}

/// P(X ≥ x) for X Beta(a, b) with whole a and b: that of fewer than a successes in a + b − 1 trials of chance x.
func betaTail(above x: Double, _ a: Int, _ b: Int) -> Double {
  guard x > 0 else { return 1 }
  guard x < 1 else { return 0 }
  let trials = a + b - 1
  return min(
    1,
    (0..<a).reduce(0.0) { sum, successes in
      let choose =
        lgamma(Double(trials + 1)) - lgamma(Double(successes + 1)) - lgamma(Double(trials - successes + 1))
      return sum + exp(choose + Double(successes) * log(x) + Double(trials - successes) * log1p(-x))
    })
}

/// How much the variance of a share grows because images come by patients: the variance of the ratio
/// estimator over clusters (Cochran 1977, §11.7) over the binomial one; never below 1.
func designEffect(_ holds: [Bool], _ patients: [Int]) -> Double {
  var clusters: [Int: (hits: Double, size: Double)] = [:]
  for (holds, patient) in zip(holds, patients) {
    clusters[patient, default: (0, 0)].hits += holds ? 1 : 0
    clusters[patient, default: (0, 0)].size += 1
  }
  let (n, groups) = (Double(holds.count), Double(clusters.count))
  let share = Double(holds.count { $0 }) / n
  guard clusters.count > 1, clusters.count < holds.count, share > 0, share < 1 else { return 1 }
  let residuals = clusters.values.reduce(0.0) { sum, cluster in
    let residual = cluster.hits - share * cluster.size
    return sum + residual * residual
  }
  return max(1, residuals * groups / (groups - 1) / (n * share * (1 - share)))
}

/// The adjusted p-values of Benjamini & Hochberg (1995): where they are at most q, the share of false
/// discoveries is expected to be at most q.
func falseDiscoveryRates(_ pValues: [Double]) -> [Double] {
  let order = pValues.indices.sorted { pValues[$0] > pValues[$1] }
  var adjusted = pValues
  var least = 1.0
  for (place, index) in order.enumerated() {
    least = min(least, pValues[index] * Double(pValues.count) / Double(pValues.count - place))
    adjusted[index] = least
  }
  return adjusted
}
