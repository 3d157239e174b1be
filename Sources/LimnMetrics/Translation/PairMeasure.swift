// The measures of a translated image against its real counterpart: Kong et al., "Breaking the Dilemma of
// Medical Image-to-image Translation" (NeurIPS 2021) and its code's variants, each under its own name.

import Foundation
import LimnTorch

/// One measure of a pair; the raw value is its name.
public enum PairMeasure: String, Codable, Sendable, CaseIterable {
  /// Mean |fake − real| over the foreground, over the range.
  case nmaeForeground = "nmae_fg"
  /// The same over all pixels.
  case nmae
  /// 10 log10(range² / mean squared error), foreground, in dB.
  case psnrForeground = "psnr_fg"
  /// The same over all pixels.
  case psnr
  /// What RegGAN's code printed until September 2025: whole rows X[Y[k]] for the rows X and columns Y of the
  /// foreground's pixels, that is some rows of the head's top with their background, in dB.
  case psnrRegGANLegacy = "psnr_reggan_legacy"
  /// SSIM as RegGAN computes it, with scikit-image 0.15: 7×7 uniform windows, sample covariance.
  case ssimRegGAN = "ssim_reggan"
  /// SSIM of Wang et al. (2004): 11×11 Gaussian windows of σ 1.5.
  case ssim
  /// Mean |fake − real| over all pixels in the data's own unit, such as HU.
  case mae
  /// The same over the foreground.
  case maeForeground = "mae_fg"
  /// Normalised mutual information of Studholme et al. (1999), 1 to 2: how much the values of one image tell of those of
  /// the other, whatever they are; so also between modalities, as a measure of how well they are aligned.
  case nmi

  /// Where better values lie.
  public var direction: MetricDirection {
    switch self {
    case .nmaeForeground, .nmae, .mae, .maeForeground: .lowerIsBetter
    case .psnrForeground, .psnr, .psnrRegGANLegacy, .ssimRegGAN, .ssim, .nmi: .higherIsBetter
    }
  }

  /// One sentence that another person could repeat the measurement from.
  public func sentence(_ setting: PairProtocol) -> String {
    let range = "values \(shortText(setting.low)) to \(shortText(setting.high))"
    let foreground = setting.foreground.sentence
    let unit = setting.unitLow == nil ? "the images' numbers" : setting.unit ?? "the data's unit"
    return switch self {
    case .nmaeForeground: "mean |fake - real| / \(shortText(setting.range)); \(range); \(foreground)"
    case .nmae: "mean |fake - real| / \(shortText(setting.range)) over all pixels; \(range)"
    case .psnrForeground: "10 log10(\(shortText(setting.range))^2 / MSE) in dB; \(range); \(foreground)"
    case .psnr: "10 log10(\(shortText(setting.range))^2 / MSE) in dB over all pixels; \(range)"
    case .psnrRegGANLegacy:
      "PSNR in dB over the rows that RegGAN's chained index picks (not a PSNR of the image); \(range); "
        + foreground
    case .ssimRegGAN: "SSIM, 7x7 uniform windows inside the image, sample covariance; \(range)"
    case .ssim: "SSIM, 11x11 Gaussian windows of sigma 1.5 inside the image (Wang et al. 2004); \(range)"
    case .mae: "mean |fake - real| in \(unit) over all pixels"
    case .maeForeground: "mean |fake - real| in \(unit); \(foreground)"
    case .nmi:
      "(H(real) + H(fake)) / H(real, fake) over all pixels, \(JointHistogram.bins) bins each; \(range)"
    }
  }
}

/// What a measure sums up over pixels. Sums of slices add up to those of their volume, so that the value of
/// the sum is the pooled one.
public struct PairSum: Sendable, Equatable {
  /// Of absolute or squared differences, or of the SSIM map.
  public var sum: Double
  /// Pixels (or windows) in the sum.
  public var count: Double
  /// Of the values that meet, for a measure that is made of it.
  public var joint: JointHistogram?

  static func + (a: PairSum, b: PairSum) -> PairSum {
    let joint = a.joint.flatMap { own in b.joint.map { own + $0 } }
    return PairSum(sum: a.sum + b.sum, count: a.count + b.count, joint: joint ?? a.joint ?? b.joint)
  }
}

extension PairMeasure {
  /// The measure's sums of each slice.
  /// - Parameters:
  ///   - real: [N, H, W], any element type.
  ///   - fake: the same shape.
  ///   - setting: range, foreground and unit.
  /// - Returns: one for each of the N slices.
  /// - Throws: ``MetricError`` where shapes differ, a value is not finite, or a side is below the window.
  public func sums(real: Tensor, fake: Tensor, _ setting: PairProtocol = PairProtocol()) throws -> [PairSum] {
    try setting.check()
    guard real.shape == fake.shape, real.rank == 3 else {
      throw MetricError("pairs are two stacks [N, H, W] of one shape, not \(real.shape) and \(fake.shape)")
    }
    let (real, fake) = (real.to(.float64), fake.to(.float64))
    guard real.isFinite().all().item() == 1, fake.isFinite().all().item() == 1 else {
      throw MetricError("images hold NaN or infinite values; numbers were expected")
    }
    return try withoutGradients { try sums(real, fake, setting) }
  }

  private func sums(_ real: Tensor, _ fake: Tensor, _ setting: PairProtocol) throws -> [PairSum] {
    let difference = fake - real
    switch self {
    case .nmae, .mae: return pixelSums(difference.abs(), real.onesLike())
    case .nmaeForeground, .maeForeground:
      return pixelSums(difference.abs(), setting.foreground.mask(of: real))
    case .psnr: return pixelSums(difference.square(), real.onesLike())
    case .psnrForeground: return pixelSums(difference.square(), setting.foreground.mask(of: real))
    case .psnrRegGANLegacy:
      return legacySums(difference.square(), setting.foreground.mask(of: real))
    case .ssimRegGAN: return try SSIM.uniform7.sums(real, fake, range: setting.range)
    case .ssim: return try SSIM.gaussian11.sums(real, fake, range: setting.range)
    case .nmi:
      return JointHistogram.slices(real, fake, low: setting.low, range: setting.range).map {
        PairSum(sum: 0, count: 0, joint: $0)
      }
    }
  }

  private func pixelSums(_ values: Tensor, _ weights: Tensor) -> [PairSum] {
    let sums = (values * weights).sum(dims: [1, 2]).array(of: Double.self)
    return zip(sums, weights.sum(dims: [1, 2]).array(of: Double.self)).map { PairSum(sum: $0, count: $1) }
  }

  /// The chained index `x[rows][columns]` picks whole rows of the array of rows, once for each column. Where a
  /// column exceeds the number of foreground pixels, the reference ends with an error and the value is
  /// undefined.
  private func legacySums(_ squares: Tensor, _ foreground: Tensor) -> [PairSum] {
    let width = squares.size(2)
    let rowSums = squares.sum(dims: [2])
    return (0..<squares.size(0)).map { slice in
      let sums = rowSums[slice].array(of: Double.self)
      let pixels = foreground[slice].flattened().array(of: Double.self).indices(where: 1)
      let columns = pixels.map { $0 % width }
      guard (columns.max() ?? 0) < pixels.count else { return PairSum(sum: 0, count: 0) }
      let sum = columns.reduce(0) { $0 + sums[pixels[$1] / width] }
      return PairSum(sum: sum, count: Double(columns.count * width))
    }
  }

  /// The measure's value from its sums; NaN of no pixel, infinite for a PSNR of equal images.
  public func value(_ sums: PairSum, _ setting: PairProtocol = PairProtocol()) -> Double {
    let mean = sums.count > 0 ? sums.sum / sums.count : .nan
    switch self {
    case .nmae, .nmaeForeground: return mean / setting.range
    case .mae, .maeForeground: return mean * abs(setting.unitsPerStep)
    case .psnr, .psnrForeground, .psnrRegGANLegacy: return 10 * log10(setting.range * setting.range / mean)
    case .ssim, .ssimRegGAN: return mean
    case .nmi: return sums.joint?.normalizedMutualInformation ?? .nan
    }
  }

  /// The measure of each slice: one number for each of the N slices of [N, H, W].
  /// - Throws: ``MetricError`` as ``sums(real:fake:_:)``.
  public func perSlice(
    real: Tensor, fake: Tensor, _ setting: PairProtocol = PairProtocol()
  ) throws -> [Double] {
    try sums(real: real, fake: fake, setting).map { value($0, setting) }
  }

  /// The measure over all pixels of all slices [N, H, W] together, such as those of one volume.
  /// - Throws: ``MetricError`` as ``sums(real:fake:_:)``.
  public func pooled(real: Tensor, fake: Tensor, _ setting: PairProtocol = PairProtocol()) throws -> Double {
    let sums = try sums(real: real, fake: fake, setting)
    return value(sums.reduce(PairSum(sum: 0, count: 0), +), setting)
  }
}

extension [Double] {
  fileprivate func indices(where value: Double) -> [Int] { indices.filter { self[$0] == value } }
}
