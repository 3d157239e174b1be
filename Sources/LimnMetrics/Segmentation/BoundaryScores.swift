// The scores of the ISBI 2012 challenge for a map of probabilities, over thresholds (Arganda-Carreras et al. 2015).

import LimnImaging
import LimnTorch

/// V^Rand, V^Info, Rand, pixel and warping error of one image at one threshold.
public struct BoundaryScores: Codable, Sendable, Equatable {
  /// A pixel is inside where its probability lies above it.
  public let threshold: Double
  /// Foreground-restricted, α 0.5, objects 4-connected: `vrand_fg`, `vinfo_fg`.
  public let vRand: Double
  public let vInfo: Double
  /// The same after the proposal's borders were thinned: `vrand_fg_thin`, `vinfo_fg_thin`.
  public let vRandThinned: Double
  public let vInfoThinned: Double
  /// 1 − Rand index over the truth's foreground: `rand_error_fg`.
  public let randError: Double
  /// Wrong pixels over all: `pixel_error`.
  public let pixelError: Double
  /// What bending does not mend: `warping_error`.
  public let warpingError: Double

  /// The challenge's ten thresholds, 0 to 0.9.
  public static let standardThresholds = (0..<10).map { Double($0) / 10 }

  /// Scores one image at each threshold.
  /// - Parameters:
  ///   - truth: [H, W], not zero inside objects, zero on borders. Objects are its 4-connected parts.
  ///   - prediction: [H, W], the probability of the inside, 0...1, or zeros and ones.
  ///   - thresholds: a pixel is inside where the prediction lies above.
  ///   - warpingRadius: as in ``WarpingError``.
  /// - Throws: ``MetricError`` where shapes differ or are not [H, W].
  public static func measure(
    truth: Tensor, prediction: Tensor, thresholds: [Double] = standardThresholds, warpingRadius: Double? = 5
  ) throws -> [BoundaryScores] {
    try checkSameShape(truth, prediction)
    try checkPlane(truth, "the Rand score")
    let image = BoundaryImage(
      inside: truth.maskValues, probabilities: prediction.to(.float64).array(of: Double.self),
      width: truth.size(1))
    return try concurrentMap(thresholds.count) { image.scores(thresholds[$0], warpingRadius: warpingRadius) }
  }
}

/// One image's truth, with its objects, beside a map of probabilities.
private struct BoundaryImage {
  let inside: [Bool]
  let probabilities: [Double]
  let width: Int
  let objects: [Int32]

  init(inside: [Bool], probabilities: [Double], width: Int) {
    (self.inside, self.probabilities, self.width) = (inside, probabilities, width)
    objects = Self.objects(inside, width: width)
  }

  private static func objects(_ mask: [Bool], width: Int) -> [Int32] {
    ConnectedComponents(of: mask.map { $0 ? 1 : 0 }, width: width, connectivity: .four).labels
  }

  private func overlap(_ proposal: [Bool]) -> PartitionOverlap {
    PartitionOverlap(
      truth: objects, proposal: Self.objects(proposal, width: width), isForegroundRestricted: true)
  }

  func scores(_ threshold: Double, warpingRadius: Double?) -> BoundaryScores {
    let proposal = probabilities.map { $0 > threshold }
    let (plain, thinned) = (overlap(proposal), overlap(BorderThinning.thinned(proposal, width: width)))
    let warping = WarpingError(
      truth: inside, prediction: probabilities, width: width, threshold: threshold, radius: warpingRadius)
    return BoundaryScores(
      threshold: threshold, vRand: plain.vRand(), vInfo: plain.vInfo(), vRandThinned: thinned.vRand(),
      vInfoThinned: thinned.vInfo(), randError: plain.randError,
      pixelError: Double(zip(inside, proposal).count { $0 != $1 }) / Double(inside.count),
      warpingError: warping.value)
  }
}
