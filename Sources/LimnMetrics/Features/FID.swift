// The Fréchet inception distance: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a
// Local Nash Equilibrium" (NIPS 2017, arXiv 1706.08500), section 3 and equation 6.

import LimnTorch

/// The Fréchet distance between the Gaussians of real and generated features.
struct FID: FeatureMeasure {
  let divisor: CovarianceDivisor

  var definition: String {
    "Fréchet distance |μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½) in float64, covariances divided by "
      + "\(divisor == .sampleCount ? "N" : "N − 1") (Heusel et al. 2017). Biased upwards, the more the smaller "
      + "the sets: compare equal numbers only."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    let value = try FrechetDistance.between(pair.real, pair.generated, divisor: divisor)
    return FeatureMeasurement(
      value: value, interval: try FIDInterval.around(value, of: pair, divisor), warnings: Self.warnings(pair))
  }

  static func warnings(_ pair: FeaturePair) -> [String] {
    let (real, generated) = (pair.real.size(0), pair.generated.size(0))
    let counts = "\(real) and \(generated) images"
    var warnings: [String] = []
    if min(real, generated) < fewImages {
      warnings.append(
        "fewer than 2,048 images (\(counts)): strongly biased upwards; give kid_\(pair.network.name) beside it")
    }
    if min(real, generated) <= pair.network.dimension {
      warnings.append(
        "no more images than the \(pair.network.dimension) features (\(counts)): the covariance cannot have "
          + "full rank, so the distance depends on the number of images")
    }
    return warnings
  }

  private static let fewImages = 2048
}
