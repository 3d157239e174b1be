// The maximum mean discrepancy of CMMD: Jayasumana et al., "Rethinking FID: Towards a Better Evaluation Metric
// for Image Generation" (CVPR 2024, arXiv 2401.09603), section 4.

import LimnTorch

/// 1000 · MMD² with the kernel exp(−|x − y|² / (2 · 10²)), each vector's similarity with itself counted.
struct CMMD: FeatureMeasure {
  static let sigma = 10.0

  var scale: Double { 1000 }
  var definition: String {
    "Squared maximum mean discrepancy with a Gaussian kernel of σ = 10, self-similarities counted, printed "
      + "times 1,000 (Jayasumana et al. 2024, who use CLIP's embeddings of length one)."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    try FrechetDistance.check(pair.real, pair.generated)
    let (real, generated) = (pair.real.size(0), pair.generated.size(0))
    let hasHalves = pair.halves.isPossible([real, generated])
    func rows(_ count: Int, stream: UInt64) -> Tensor {
      let all = Tensor.ones([1, count], dtype: .float64)
      return hasHalves ? .cat([all, pair.halves.masks(of: count, stream: stream)]) : all
    }
    let values = KernelDiscrepancy(kernel: .gaussian(sigma: Self.sigma), isUnbiased: false).values(
      pair.real, pair.generated,
      SubsetPair(first: rows(real, stream: 1), second: rows(generated, stream: 2)))
    return FeatureMeasurement(
      value: values[0],
      interval: hasHalves
        ? pair.halves.interval(around: values[0], Array(values.dropFirst()), in: 0...(.infinity)) : nil,
      warnings: warnings(pair))
  }

  private func warnings(_ pair: FeaturePair) -> [String] {
    guard !pair.network.name.lowercased().contains("clip") else { return [] }
    return [
      "\(pair.network.name) is not CLIP: σ = 10 was chosen for CLIP's embeddings, and no published CMMD compares"
    ]
  }
}
