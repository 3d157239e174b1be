// How far the Fréchet distance would move with other images: from halves, or, for large sets, from each image's
// share.

import LimnTorch

/// The interval of the Fréchet distance of two sets.
///
/// Halves are measured as they are while that is cheap. For larger sets with covariances of full rank, the
/// distance is linearised in the images: image x of the first set has the share
/// 2 (μ₁ − μ₂)ᵀ(x − μ₁) + (x − μ₁)ᵀ(I − T)(x − μ₁) with T = C₁^-½(C₁^½C₂C₁^½)^½C₁^-½, the derivative of the
/// distance by its weight.
enum FIDInterval {
  /// Nil where neither can be done.
  static func around(
    _ value: Double, of pair: FeaturePair, _ divisor: CovarianceDivisor
  ) throws -> ConfidenceInterval? {
    let counts = [pair.real.size(0), pair.generated.size(0)]
    guard pair.halves.isPossible(counts) else { return nil }
    let isCheap = min(counts.min() ?? 0, 2 * pair.network.dimension) <= 2 * cheapRank
    guard let resampled = isCheap ? try measured(pair, divisor) : linearised(pair) else { return nil }
    return pair.halves.interval(around: value, resampled, in: 0...(.infinity))
  }

  /// A hundred times so many singular values are found in a minute or so.
  private static let cheapRank = 1024

  static func measured(_ pair: FeaturePair, _ divisor: CovarianceDivisor) throws -> [Double] {
    let real = pair.halves.halves(of: pair.real.size(0), stream: 1)
    let generated = pair.halves.halves(of: pair.generated.size(0), stream: 2)
    return try (0..<pair.halves.count).map { half in
      try FrechetDistance.between(
        pair.real[real[half]], pair.generated[generated[half]], divisor: divisor)
    }
  }

  /// The halves' deviations to first order; nil where a covariance has no full rank.
  static func linearised(_ pair: FeaturePair) -> [Double]? {
    guard let shares = shares(pair.real, pair.generated) else { return nil }
    let real = shares.0[pair.halves.halves(of: pair.real.size(0), stream: 1)].mean(dims: [1])
    let generated = shares.1[pair.halves.halves(of: pair.generated.size(0), stream: 2)].mean(dims: [1])
    return (real + generated).array(of: Double.self)
  }

  /// Each image's share, of the first and of the second set: float64 [N] and [M].
  private static func shares(_ first: Tensor, _ second: Tensor) -> (Tensor, Tensor)? {
    let (a, b) = (FeatureStatistics(of: first), FeatureStatistics(of: second))
    guard let lower = choleskyIfDefinite(a.covariance(.sampleCount)),
      choleskyIfDefinite(b.covariance(.sampleCount)) != nil
    else { return nil }
    let upper = lower.transposed(0, 1)
    let (values, vectors) = matmul(matmul(upper, b.covariance(.sampleCount)), lower).eigh()
    let roots = values.clamped(min: values[-1].item() * Double.ulpOfOne).sqrt()
    let (centredA, centredB) = (first.to(.float64) - a.mean, second.to(.float64) - b.mean)
    // The transport maps: T = L⁻ᵀ V √Λ Vᵀ L⁻¹ from the first set to the second, its inverse back.
    let whitened = matmul(solveLower(lower, centredA.transposed(0, 1)).transposed(0, 1), vectors)
    let transported = (whitened.square() * roots).sum(dims: [1])
    let back = (matmul(matmul(centredB, lower), vectors).square() / roots).sum(dims: [1])
    let delta = a.mean - b.mean
    return (
      (centredA * (2 * delta + centredA)).sum(dims: [1]) - transported,
      (centredB * (centredB - 2 * delta)).sum(dims: [1]) - back
    )
  }

  /// L⁻¹ · x.
  private static func solveLower(_ lower: Tensor, _ x: Tensor) -> Tensor {
    let solution = try? Torch.call("aten::linalg_solve_triangular", .tensor(lower), .tensor(x), .bool(false))
    return solution?.first ?? lower.solve(x)
  }
}
