// The sliced Wasserstein distance as metrics: generated against real images, and real ones against each
// other.

import LimnTorch

/// SWD by the protocol of Karras et al. (2018); the value is unscaled, its scale is 1000.
public struct PatchSWD: Metric {
  /// Which sets are compared.
  public enum Comparison: String, Sendable {
    case generatedReal = "swd_pggan"
    /// Real images against other real images: what a perfect generator would reach.
    case realHalves = "swd_pggan_real_halves"
  }

  /// Which sets are compared; its raw value is the metric's name.
  public let comparison: Comparison
  /// The measure of one comparison.
  public init(_ comparison: Comparison) { self.comparison = comparison }

  public var name: String { comparison.rawValue }
  public var baseline: (any Metric)? { comparison == .realHalves ? nil : PatchSWD(.realHalves) }

  public func measure(_ sets: ImageSets) throws -> MetricResult {
    let sizes = try LaplacianPyramid.sizes(
      height: sets.real.height, width: sets.real.width, name: sets.real.name)
    let (count, second) = try participants(sets)
    let plan = SWD.Plan(
      realImages: sets.shuffledReals(count), generatedImages: second,
      sizes: sizes, seed: sets.seed)
    let swd = try SWD.between(
      real: sets.real, generated: comparison == .generatedReal ? sets.generated : sets.real, plan: plan,
      batchSize: sets.batchSize,
      halves: HalfSamples(count: comparison == .generatedReal ? sets.resamples : 0, seed: sets.seed))
    return MetricResult(
      name: name, value: swd.average, scale: 1000, standardDeviation: nil,
      realCount: comparison == .generatedReal ? count : 2 * count,
      generatedCount: comparison == .generatedReal ? count : 0, direction: .lowerIsBetter,
      protocolSentence: sentence,
      parts: swd.levels.map { .init(name: "\($0.width)x\($0.height)", value: $0.value) },
      warnings: warnings(sets, count: count),
      interval: swd.halves.isEmpty
        ? nil
        : HalfSamples(count: sets.resamples, seed: sets.seed)
          .interval(around: swd.average, swd.halves, in: 0...(.infinity)))
  }

  /// How many images each side has, and which ones stand on the second side.
  private func participants(_ sets: ImageSets) throws -> (count: Int, second: [Int]) {
    switch comparison {
    case .generatedReal: return (sets.pairedCount, sets.firstGenerated(sets.pairedCount))
    case .realHalves:
      let count = min(sets.pairedCount, sets.real.count / 2)
      guard count > 0 else {
        throw MetricError(
          "\(sets.real.name): one image cannot be split into halves; at least two were expected")
      }
      return (count, Array(sets.shuffledReals(2 * count).suffix(count)))
    }
  }

  private var sentence: String {
    let sets =
      switch comparison {
      case .generatedReal: "generated images and as many real ones, drawn with the seed"
      case .realHalves: "two disjoint, equally large sets of real images, drawn with the seed"
      }
    return
      "Sliced Wasserstein distance between \(sets): 128 patches of 7x7 px an image and level of the Laplacian "
      + "pyramid down to 16 px, normalised by channel for each set, 512 directions, mean over levels "
      + "(Karras et al. 2018). Distances grow as sets shrink: compare equal numbers only."
  }

  private func warnings(_ sets: ImageSets, count: Int) -> [String] {
    var warnings: [String] = []
    if count < SWD.fullImageCount {
      warnings.append("fewer than 16,384 images (\(count)), the number of Karras et al. 2018")
    }
    switch comparison {
    case .generatedReal: warnings += sets.unequalCountWarning.map { [$0] } ?? []
    case .realHalves where count < sets.pairedCount:
      warnings.append(
        "halves of \(count) images against \(sets.pairedCount) of each set: the baseline lies high")
    case .realHalves: break
    }
    return warnings
  }
}
