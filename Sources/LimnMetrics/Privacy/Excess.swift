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
  /// One-sided, not corrected for the number of tests.
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
    let threshold = sorted[k - 1]
    let below = drawn.map { $0 < threshold }
    let observed = below.count { $0 }
    let usual = designEffect(values.map { $0 <= threshold }, patients)
    let own = designEffect(below, drawnPatients)
    let (kEffective, mEffective) = (Double(k) / usual, Double(count) / usual)
    let p = betaBinomialTail(
      atLeast: Int((Double(observed) / own).rounded(.down)), of: Int((Double(drawn.count) / own).rounded()),
      alpha: kEffective, beta: mEffective - kEffective + 1)
    return ExcessTest(
      what: "have a \(what) below the \(k == 1 ? "smallest" : "\(k) smallest") of \(count) unseen images",
      observed: observed, expected: Double(drawn.count) * Double(k) / Double(count + 1), pValue: p)
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
  private let k: Int
  private let share: Double
  private let meanLog: Double

  /// Nil for fewer than 20 values, or where the small ones are all alike.
  init?(_ sorted: [Double]) {
    guard sorted.count >= 20 else { return nil }
    let k = max(5, sorted.count / 10)
    let threshold = max(sorted[k], 1e-9)
    let logs = sorted.prefix(k).map { log(threshold / max($0, 1e-9)) }
    (self.k, self.threshold, share) = (k, threshold, Double(k) / Double(sorted.count))
    meanLog = logs.reduce(0, +) / Double(logs.count)
    guard meanLog > 1e-6 else { return nil }
  }

  func probability(below value: Double) -> Double {
    let z = log(threshold / max(value, 1e-9))
    return share * pow(1 + z / (Double(k) * meanLog), -Double(k))
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
