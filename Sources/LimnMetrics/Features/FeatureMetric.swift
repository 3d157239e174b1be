// Metrics over a network's features: one struct for all of them, one file for each definition.

import LimnTorch

/// A metric of features, by one network: its name is `KIND_NETWORK`, such as `fid_inception-v3-fid`.
///
/// Vectors of real and of generated images are made once for all metrics of an evaluation.
public struct FeatureMetric: Metric {
  /// What is computed from the vectors.
  public enum Kind: String, Sendable, CaseIterable {
    /// Fréchet distance, covariances divided by N − 1.
    case fid
    /// Fréchet distance, covariances divided by N.
    case fidPopulation = "fid_n"
    /// Fréchet distance extrapolated to sets of any size.
    case fidInfinity = "fid_infinity"
    /// Kernel distance over random subsets.
    case kid
    /// Kernel distance over all images at once.
    case kidFull = "kid_full"
    /// Share of generated images within the real manifold, k = 3, ≤.
    case precision
    /// Share of real images within the generated manifold, k = 3, ≤.
    case recall
    /// Precision as in PRDC's code: k = 5, <.
    case precisionPRDC = "precision_prdc"
    /// Recall as in PRDC's code: k = 5, <.
    case recallPRDC = "recall_prdc"
    /// Real balls around a generated image, over k = 5.
    case density
    /// Share of real images with a generated one in their ball.
    case coverage
    /// Gaussian-kernel distance of CMMD.
    case cmmd
  }

  /// Which sets are compared.
  public enum Comparison: String, Sendable {
    /// Generated against real images.
    case generatedReal = ""
    /// Two random disjoint halves of the real images: what a perfect generator would reach.
    case realHalves = "_real_halves"
  }

  /// What is computed.
  public let kind: Kind
  /// What makes the vectors.
  public let network: any FeatureExtractor
  /// Which sets are compared.
  public let comparison: Comparison

  /// A metric of one kind over one network.
  public init(_ kind: Kind, _ network: any FeatureExtractor, _ comparison: Comparison = .generatedReal) {
    self.kind = kind
    self.network = network
    self.comparison = comparison
  }

  public var name: String { "\(kind.rawValue)_\(network.name)\(comparison.rawValue)" }

  public var baseline: (any Metric)? {
    comparison == .realHalves ? nil : FeatureMetric(kind, network, .realHalves)
  }

  public func measure(_ sets: ImageSets) throws -> MetricResult {
    let measure = kind.measure
    let pair = try sets.features(network, comparison)
    let found = try measure.measure(pair)
    let isAgainstGenerated = comparison == .generatedReal
    let (first, second) = (pair.real.size(0), pair.generated.size(0))
    return MetricResult(
      name: name, value: found.value, scale: measure.scale, standardDeviation: found.standardDeviation,
      realCount: isAgainstGenerated ? first : first + second,
      generatedCount: isAgainstGenerated ? second : 0, direction: measure.direction,
      protocolSentence: sentence(measure.definition), parts: found.parts,
      warnings: found.warnings + warnings(sets), interval: found.interval)
  }

  private func sentence(_ definition: String) -> String {
    let sets =
      comparison == .generatedReal
      ? "generated against real images" : "two disjoint halves of the real images, drawn with the seed"
    return "\(definition) Features of \(network.name) (weights \(network.weights), \(network.dimension) "
      + "numbers; \(network.preprocessing)), \(sets)."
  }

  private func warnings(_ sets: ImageSets) -> [String] {
    guard comparison == .realHalves, sets.realCount / 2 < sets.pairedCount else { return [] }
    return [
      "halves of \(sets.realCount / 2) images against \(sets.pairedCount) of each set: the baseline is that of "
        + "smaller sets"
    ]
  }
}

/// What one definition gives.
struct FeatureMeasurement {
  let value: Double
  var standardDeviation: Double?
  var parts: [MetricResult.Part] = []
  var interval: ConfidenceInterval?
  var warnings: [String] = []
}

/// A definition: from two sets of features to a value.
protocol FeatureMeasure: Sendable {
  /// A sentence with formula, constants and source.
  var definition: String { get }
  var direction: MetricDirection { get }
  var scale: Double { get }
  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement
}

extension FeatureMeasure {
  var direction: MetricDirection { .lowerIsBetter }
  var scale: Double { 1 }
}

extension FeatureMetric.Kind {
  var measure: any FeatureMeasure {
    switch self {
    case .fid: FID(divisor: .sampleCountLessOne)
    case .fidPopulation: FID(divisor: .sampleCount)
    case .fidInfinity: FIDInfinity()
    case .kid: KID(subsets: 100)
    case .kidFull: KID(subsets: 0)
    case .precision: PrecisionRecall(figure: .precision)
    case .recall: PrecisionRecall(figure: .recall)
    case .precisionPRDC: DensityCoverage(figure: .precision)
    case .recallPRDC: DensityCoverage(figure: .recall)
    case .density: DensityCoverage(figure: .density)
    case .coverage: DensityCoverage(figure: .coverage)
    case .cmmd: CMMD()
    }
  }
}
