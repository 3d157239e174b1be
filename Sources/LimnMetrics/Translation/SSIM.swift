// The structural similarity index at one scale: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from
// error visibility to structural similarity" (IEEE TIP 2004), equation 13, K1 0.01, K2 0.03.

import LimnTorch

/// SSIM with one window; its map is taken where the window lies inside the image.
struct SSIM {
  /// The window along one axis, of sum one.
  let window: [Double]
  /// What second moments are multiplied with: n / (n − 1) for the sample covariance, else 1.
  let covarianceFactor: Double

  /// scikit-image's default settings, as RegGAN calls them.
  static let uniform7 = SSIM(window: Array(repeating: 1.0 / 7, count: 7), covarianceFactor: 49.0 / 48)
  /// Wang's settings.
  static let gaussian11 = SSIM(window: MSSSIM.gaussianWindow(size: 11), covarianceFactor: 1)

  /// The sums of the SSIM maps of [N, H, W] pairs, float64.
  func sums(_ a: Tensor, _ b: Tensor, range: Double) throws -> [PairSum] {
    guard min(a.size(1), a.size(2)) >= window.count else {
      throw MetricError(
        "images of \(a.size(2))x\(a.size(1)) px; SSIM's window needs \(window.count) px along both axes")
    }
    let (c1, c2) = ((0.01 * range) * (0.01 * range), (0.03 * range) * (0.03 * range))
    let (down, across) = (MSSSIM.band(window, length: a.size(1)), MSSSIM.band(window, length: a.size(2)))
    func blur(_ x: Tensor) -> Tensor { matmul(matmul(x, across).transposed(1, 2), down) }

    let (meanA, meanB) = (blur(a), blur(b))
    let (product, squares) = (meanA * meanB, meanA.square() + meanB.square())
    let covariance = (blur(a * b) - product) * covarianceFactor
    let variances = (blur(a.square() + b.square()) - squares) * covarianceFactor
    let map = (product * 2 + c1) * (covariance * 2 + c2) / ((squares + c1) * (variances + c2))
    let count = Double(map.count / map.size(0))
    return map.sum(dims: [1, 2]).array(of: Double.self).map { PairSum(sum: $0, count: count) }
  }
}
