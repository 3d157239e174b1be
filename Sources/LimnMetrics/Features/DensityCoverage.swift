// Density and coverage: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models" (ICML 2020,
// arXiv 2002.09797), section 3; and precision and recall as their code has them.

import LimnTorch

/// Figures of real and generated manifolds with k = 5 and open balls.
struct DensityCoverage: FeatureMeasure {
  enum Figure: Sendable { case precision, recall, density, coverage }

  let figure: Figure
  static let comparison = ManifoldComparison(k: 5, isClosed: false)

  /// More than one means no better: generated images then crowd where real ones are dense.
  var direction: MetricDirection { figure == .density ? .closerToBaselineIsBetter : .higherIsBetter }

  var definition: String {
    let share =
      switch figure {
      case .precision: "Share of generated images in some real ball"
      case .recall: "Share of real images in some generated ball"
      case .density: "Mean number of real balls that a generated image lies in, over 5 (may exceed 1)"
      case .coverage: "Share of real balls that hold a generated image"
      }
    return "\(share); balls reach to the fifth neighbour, surface left out (Naeem et al. 2020)."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    let figures = try pair.manifold(Self.comparison)
    return switch figure {
    case .precision: figures.measurement(pair, \.precision, in: 0...1)
    case .recall: figures.measurement(pair, \.recall, in: 0...1)
    case .density: figures.measurement(pair, \.density, in: 0...(.infinity))
    case .coverage: figures.measurement(pair, \.coverage, in: 0...1)
    }
  }
}
