// The Fréchet distance between Gaussians (Dowson and Landau, "The Fréchet distance between multivariate normal
// distributions", 1982), from features or from their moments.

import LimnTorch

/// |μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½), squared as the literature's FID is.
///
/// With C = FᵀF for each set, the trace of (C₁C₂)^½, which is that of the symmetric root
/// (C₁^½C₂C₁^½)^½, is the sum of the singular values of F₁F₂ᵀ; where the covariances are conditioned well
/// enough for it, those are the roots of the eigenvalues of F₂C₁F₂ᵀ, which are found faster. No root of a
/// matrix that is not symmetric is ever taken.
public enum FrechetDistance {
  /// The distance between the Gaussians that have the moments of two sets of features.
  /// - Parameters:
  ///   - a: [N, D] of any floating-point type, N at least 2.
  ///   - b: [M, D], M at least 2.
  ///   - divisor: of the covariances.
  /// - Throws: ``MetricError`` for shapes that do not compare and values that are not finite.
  public static func between(
    _ a: Tensor, _ b: Tensor, divisor: CovarianceDivisor = .sampleCountLessOne
  ) throws -> Double {
    try check(a, b)
    return withoutGradients { between(Gaussian(of: a, divisor), Gaussian(of: b, divisor)) }
  }

  /// The distance between Gaussians from moments that streamed.
  /// - Throws: ``MetricError`` for statistics of different lengths, or of fewer than two vectors.
  public static func between(
    _ a: FeatureStatistics, _ b: FeatureStatistics, divisor: CovarianceDivisor = .sampleCountLessOne
  ) throws -> Double {
    guard a.dimension == b.dimension, min(a.count, b.count) > 1 else {
      throw MetricError(
        "statistics of \(a.count) vectors of \(a.dimension) and of \(b.count) of \(b.dimension); "
          + "at least two of one length each were expected")
    }
    return withoutGradients { between(Gaussian(a, divisor), Gaussian(b, divisor)) }
  }

  static func between(_ a: Gaussian, _ b: Gaussian) -> Double {
    let means = (a.mean - b.mean).square().sum().item()
    return means + a.totalVariance + b.totalVariance - 2 * traceOfRoot(a, b)
  }

  /// tr (C₁C₂)^½.
  private static func traceOfRoot(_ a: Gaussian, _ b: Gaussian) -> Double {
    guard a.isTriangular, b.isTriangular else {
      return singularValues(matmul(a.factor, b.factor.transposed(0, 1))).sum().item()
    }
    let product = triangularProduct(a.factor, b.factor)
    return sumOfRoots(symmetricSquare(product).eigenvaluesSymmetric()) ?? singularValues(product).sum().item()
  }

  /// The sum of the roots of eigenvalues in ascending order; nil where their errors, some units in the last
  /// place of the largest, could show in it: the root magnifies them in small eigenvalues.
  private static func sumOfRoots(_ eigenvalues: Tensor) -> Double? {
    let error = 8 * Double.ulpOfOne * eigenvalues[-1].item()
    guard eigenvalues[0].item() > error else { return nil }
    let roots = eigenvalues.sqrt()
    let sum = roots.sum().item()
    return (0.5 * error / roots).sum().item() < 1e-10 * sum ? sum : nil
  }

  static func check(_ a: Tensor, _ b: Tensor) throws {
    guard a.rank == 2, b.rank == 2, a.size(1) == b.size(1), min(a.size(0), b.size(0)) > 1 else {
      throw MetricError(
        "features \(a.shape) and \(b.shape); at least two vectors of one length each were expected")
    }
    guard a.isFinite().all().item() == 1, b.isFinite().all().item() == 1 else {
      throw MetricError("features hold NaN or infinite values; check the network's weights")
    }
  }
}

/// A Gaussian's mean [D], and a factor F [R, D] of its covariance FᵀF; float64.
struct Gaussian {
  let mean: Tensor
  let factor: Tensor
  /// Whether the factor is upper triangular.
  let isTriangular: Bool

  /// The moments of features [N, D]. Where there are no more of them than dimensions, they are a factor as
  /// they are, centred.
  init(of features: Tensor, _ divisor: CovarianceDivisor) {
    guard features.size(0) <= features.size(1) else {
      self.init(FeatureStatistics(of: features), divisor)
      return
    }
    let values = features.to(.float64)
    let mean = values.mean(dims: [0])
    self.init(
      mean: mean, factor: (values - mean) / divisor.value(features.size(0)).squareRoot(), isTriangular: false)
  }

  init(_ statistics: FeatureStatistics, _ divisor: CovarianceDivisor) {
    let covariance = statistics.covariance(divisor)
    let lower = choleskyIfDefinite(covariance)
    self.init(
      mean: statistics.mean, factor: lower?.transposed(0, 1) ?? Self.eigenFactor(of: covariance),
      isTriangular: lower != nil)
  }

  private init(mean: Tensor, factor: Tensor, isTriangular: Bool) {
    self.mean = mean
    self.factor = factor
    self.isTriangular = isTriangular
  }

  /// The trace of the covariance.
  var totalVariance: Double { factor.square().sum().item() }

  /// A factor of a covariance without full rank.
  private static func eigenFactor(of covariance: Tensor) -> Tensor {
    let (values, vectors) = covariance.eigh()
    let noise = values[-1].item() * Double(values.size(0)) * Double.ulpOfOne
    let significant = values.isGreater(than: noise)
    return (vectors * values.clamped(min: 0).sqrt())[.all, significant].transposed(0, 1)
  }
}

/// a · bᵀ of upper triangular matrices, by blocks of columns that leave out most zeros.
private func triangularProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  .cat(
    columnBlocks(a.size(0)).map { rows in
      matmul(a[.all, rows.lowerBound...], b[rows, rows.lowerBound...].transposed(0, 1))
    }, dim: 1)
}

/// The lower triangular factor of a symmetric matrix; nil where it is not positive definite.
func choleskyIfDefinite(_ matrix: Tensor) -> Tensor? {
  let results = try? Torch.call("aten::linalg_cholesky_ex", .tensor(matrix))
  guard let results, results.count == 2, results[1].item() == 0 else { return nil }
  return results[0]
}

/// Singular values, descending.
func singularValues(_ matrix: Tensor) -> Tensor {
  guard let values = try? Torch.call("aten::linalg_svdvals", .tensor(matrix)).first else {
    return matrix.svd().s
  }
  return values
}
