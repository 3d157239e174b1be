// The kernel inception distance: Bińkowski et al., "Demystifying MMD GANs" (ICLR 2018, arXiv 1801.01401),
// section 4.

import LimnTorch

/// MMD² with the kernel (xᵀy / D + 1)³, without bias: over random subsets, or over all images at once.
struct KID: FeatureMeasure {
  /// Subsets that are averaged; none for all images at once.
  let subsets: Int

  var scale: Double { 1000 }
  var definition: String {
    let over =
      subsets == 0
      ? "over all images"
      : "mean and sample standard deviation of \(subsets) random subsets of 1,000 images of each set, half of "
        + "the smaller set where it has no more than 1,000"
    return "Unbiased squared maximum mean discrepancy with the kernel (xᵀy / D + 1)³, \(over) "
      + "(Bińkowski et al. 2018). May lie below zero."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    try FrechetDistance.check(pair.real, pair.generated)
    let members = try members(pair)
    let discrepancy = KernelDiscrepancy(kernel: .cubic, isUnbiased: true)
    let values = discrepancy.values(pair.real, pair.generated, members)
    let drawn = Array(values.dropFirst(values.count - halfCount(pair)))
    let own = Array(values.prefix(values.count - drawn.count))
    let mean = own.reduce(0, +) / Double(own.count)
    return FeatureMeasurement(
      value: mean, standardDeviation: subsets > 0 ? Tensor(own).std().item() : nil,
      interval: drawn.isEmpty
        ? nil : pair.halves.interval(around: mean, drawn, in: -Double.infinity...(.infinity)),
      warnings: warnings(pair))
  }

  /// The subsets (or one of all images), then the halves.
  private func members(_ pair: FeaturePair) throws -> SubsetPair {
    let (real, generated) = (pair.real.size(0), pair.generated.size(0))
    func rows(_ count: Int, stream: UInt64) -> Tensor {
      let own =
        subsets == 0
        ? Tensor.ones([1, count], dtype: .float64)
        : Self.randomSubsets(subsets, Self.subsetSize(pair), of: count, seed: pair.seed, stream: stream)
      guard halfCount(pair) > 0 else { return own }
      return .cat([own, pair.halves.masks(of: count, stream: stream)])
    }
    return SubsetPair(first: rows(real, stream: 1), second: rows(generated, stream: 2))
  }

  private func halfCount(_ pair: FeaturePair) -> Int {
    pair.halves.isPossible([pair.real.size(0), pair.generated.size(0)]) ? pair.halves.count : 0
  }

  /// Images of each set in a subset. All of a set in each subset would leave nothing to vary.
  static func subsetSize(_ pair: FeaturePair) -> Int {
    let smaller = min(pair.real.size(0), pair.generated.size(0))
    return smaller > 1000 ? 1000 : max(2, smaller / 2)
  }

  private static func randomSubsets(
    _ subsets: Int, _ size: Int, of count: Int, seed: UInt64, stream: UInt64
  ) -> Tensor {
    let generator = Generator(seed: Seed.derive(seed, 0x4B49_4400, stream))
    let masks = Tensor.zeros([subsets, count], dtype: .float64)
    for row in 0..<subsets {
      masks[row, Tensor.randperm(count, generator: generator)[0..<size]] = Tensor(1.0)
    }
    return masks
  }

  private func warnings(_ pair: FeaturePair) -> [String] {
    let smaller = min(pair.real.size(0), pair.generated.size(0))
    guard smaller <= 1000 else { return [] }
    let subset = subsets > 0 ? ", subsets of \(Self.subsetSize(pair))" : ""
    return ["no more than 1,000 images (\(smaller))\(subset): no bias, but a wide scatter; read the interval"]
  }
}
