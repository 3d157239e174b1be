// Improved precision and recall: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing
// Generative Models" (NeurIPS 2019, arXiv 1904.06991), section 2.

import LimnTorch

/// Precision or recall with k = 3 and closed balls.
struct PrecisionRecall: FeatureMeasure {
  enum Figure: Sendable { case precision, recall }

  let figure: Figure
  static let comparison = ManifoldComparison(k: 3, isClosed: true)

  var direction: MetricDirection { .higherIsBetter }
  var definition: String {
    let share =
      figure == .precision
      ? "Share of generated images within the real manifold" : "Share of real images within the generated manifold"
    return "\(share): in a ball about some image of the other set that reaches to its third neighbour, surface "
      + "included (Kynkäänniemi et al. 2019)."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    try pair.manifold(Self.comparison).measurement(
      pair, figure == .precision ? \.precision : \.recall, in: 0...1)
  }
}

extension FeaturePair {
  /// The figures of these sets, worked out once.
  func manifold(_ comparison: ManifoldComparison) throws -> [ManifoldFigures] {
    try store.once("manifold \(comparison.k) \(comparison.isClosed) \(key)") { try comparison.figures(self) }
  }
}

extension [ManifoldFigures] {
  /// One of the figures, the first element's, with the interval that the others tell.
  func measurement(
    _ pair: FeaturePair, _ figure: KeyPath<ManifoldFigures, Double>, in range: ClosedRange<Double>
  ) -> FeatureMeasurement {
    let value = self[0][keyPath: figure]
    let halves = dropFirst().map { $0[keyPath: figure] }
    return FeatureMeasurement(
      value: value, interval: halves.isEmpty ? nil : pair.halves.interval(around: value, halves, in: range),
      warnings: warnings(pair))
  }

  private func warnings(_ pair: FeaturePair) -> [String] {
    let (real, generated) = (pair.real.size(0), pair.generated.size(0))
    var warnings: [String] = []
    if Swift.min(real, generated) < 1000 {
      warnings.append(
        "fewer than 1,000 images (\(real) and \(generated)): balls are large and overlap; read the real-real "
          + "value beside it")
    }
    if real != generated {
      warnings.append(
        "\(real) images against \(generated): the larger set has the smaller balls, compare equal numbers only")
    }
    return warnings
  }
}
