// Multi-scale structural similarity: Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image
// quality assessment" (2003), as a measure of diversity by the protocol of Karras et al., "Progressive
// Growing of GANs" (ICLR 2018, arXiv 1710.10196), which follows Odena et al. (2017).

import Foundation
import LimnTorch

/// The structural similarity index at five scales.
public enum MSSSIM {
  /// Exponents of the scales, finest first (Wang et al. 2003, section 3.2). They do not add up to one
  /// exactly.
  public static let weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
  static let windowSize = 11
  static let windowSigma = 1.5
  static let (c1, c2) = (square(0.01 * 255), square(0.03 * 255))

  /// The smallest side at which the window is whole at every scale.
  static let fullWindowSide = windowSize << (weights.count - 1)
}

/// MS-SSIM of pairs of images (Wang et al. 2003, equation 7).
///
/// Contrast and structure at the first four scales and the whole SSIM at the fifth, each the mean over pixels
/// and channels of one image and clipped at 0; 11x11 Gaussian windows of sigma 1.5 that lie inside the image,
/// and 2x2 means from scale to scale. A scale smaller than the window shrinks it to the shorter side, sigma
/// in proportion. Grey images give exactly what they give as three equal channels. Calculated in float64.
/// - Parameters:
///   - a: [N, C, H, W], values 0...255 of any element type.
///   - b: the same shape.
/// - Returns: float64 [N], in 0...1.
/// - Throws: ``MetricError`` where shapes differ or a side is not a multiple of 16.
public func msssim(_ a: Tensor, _ b: Tensor) throws -> Tensor {
  guard a.shape == b.shape, a.rank == 4 else {
    throw MetricError("MS-SSIM compares two batches [N, C, H, W] of one shape, not \(a.shape) and \(b.shape)")
  }
  try MSSSIM.check(height: a.size(2), width: a.size(3), name: "images")
  return withoutGradients {
    var (a, b) = (a.to(.float64), b.to(.float64))
    var product = Tensor.ones([a.size(0)], dtype: .float64)
    for (scale, weight) in MSSSIM.weights.enumerated() {
      let terms = MSSSIM.terms(a, b)
      let isLast = scale == MSSSIM.weights.count - 1
      product = product * (isLast ? terms.ssim : terms.contrastStructure).clamped(min: 0).pow(weight)
      if !isLast { (a, b) = (avgPool2d(a, 2), avgPool2d(b, 2)) }
    }
    return product
  }
}

extension MSSSIM {
  /// SSIM and its contrast-structure factor (Wang et al. 2003, equations 1 to 6), means over C, H, W: float64
  /// [N].
  static func terms(_ a: Tensor, _ b: Tensor) -> (ssim: Tensor, contrastStructure: Tensor) {
    let (height, width) = (a.size(2), a.size(3))
    let window = gaussianWindow(size: min(windowSize, height, width))
    let (down, across) = (band(window, length: height), band(window, length: width))
    // A valid correlation as two products with band matrices: libtorch is slow at one-channel convolutions.
    // The result lies transposed, [N, C, W', H'], which the mean does not see.
    func blur(_ x: Tensor) -> Tensor { matmul(matmul(x, across).transposed(2, 3), down) }

    let (meanA, meanB) = (blur(a), blur(b))
    let (meanProduct, meanSquares) = (meanA * meanB, meanA.square() + meanB.square())
    let covariance = blur(a * b) - meanProduct
    let variances = blur(a.square() + b.square()) - meanSquares
    let contrastStructure = (covariance * 2 + c2) / (variances + c2)
    let luminance = (meanProduct * 2 + c1) / (meanSquares + c1)
    return ((luminance * contrastStructure).mean(dims: [1, 2, 3]), contrastStructure.mean(dims: [1, 2, 3]))
  }

  /// The one-dimensional window, of sum one. Sigma shrinks with the size.
  static func gaussianWindow(size: Int) -> [Double] {
    let sigma = windowSigma * Double(size) / Double(windowSize)
    let weights = (0..<size).map { exp(-square((Double($0) - Double(size - 1) / 2) / sigma) / 2) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// The matrix [length, length - size + 1] whose column i holds the window from row i on.
  static func band(_ window: [Double], length: Int) -> Tensor {
    let columns = length - window.count + 1
    var matrix = [Double](repeating: 0, count: length * columns)
    for column in 0..<columns {
      for (offset, weight) in window.enumerated() { matrix[(column + offset) * columns + column] = weight }
    }
    return Tensor(matrix, shape: [length, columns])
  }

  static func check(height: Int, width: Int, name: String) throws {
    let multiple = 1 << (weights.count - 1)
    guard height >= multiple, width >= multiple, height % multiple == 0, width % multiple == 0 else {
      throw MetricError(
        "\(name): \(width)x\(height) px; MS-SSIM halves images four times, so both sides must be multiples of "
          + "\(multiple); resize the images")
    }
  }
}

private func square(_ x: Double) -> Double { x * x }

/// MS-SSIM over the pairs of one protocol; the value is the mean over pairs.
public struct MSSSIMOfPairs: Metric {
  /// Which images meet.
  public enum Pairing: String, Sendable {
    case generated = "ms_ssim_generated_pairs"
    case real = "ms_ssim_real_pairs"
    case generatedReal = "ms_ssim_generated_real_pairs"
  }

  /// Which images meet; its raw value is the metric's name.
  public let pairing: Pairing
  /// The measure over the pairs of one kind.
  public init(_ pairing: Pairing) { self.pairing = pairing }

  public var name: String { pairing.rawValue }
  public var baseline: (any Metric)? { pairing == .real ? nil : MSSSIMOfPairs(.real) }

  public func measure(_ sets: ImageSets) throws -> MetricResult {
    try MSSSIM.check(height: sets.real.height, width: sets.real.width, name: sets.real.name)
    let pairs = pairs(sets)
    guard !pairs.first.isEmpty else {
      throw MetricError("\(name): one image makes no pair; at least two were expected")
    }
    let values = try similarities(pairs, batchSize: sets.batchSize)
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + square($1 - mean) }
    return MetricResult(
      name: name, value: mean,
      standardDeviation: values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil,
      realCount: pairing == .generated ? 0 : values.count * (pairing == .real ? 2 : 1),
      generatedCount: pairing == .real ? 0 : values.count * (pairing == .generated ? 2 : 1),
      direction: .closerToBaselineIsBetter, protocolSentence: sentence,
      warnings: warnings(sets, pairs: values.count),
      interval: HalfSamples(count: sets.resamples, seed: sets.seed).interval(ofMean: values, in: 0...1))
  }

  private struct Pairs {
    let firstSet: any ImageSource, first: [Int]
    let secondSet: any ImageSource, second: [Int]
  }

  private func pairs(_ sets: ImageSets) -> Pairs {
    switch pairing {
    case .generated: consecutive(sets.generated, sets.firstGenerated(sets.generatedCount))
    case .real: consecutive(sets.real, sets.shuffledReals(sets.realCount))
    case .generatedReal:
      Pairs(
        firstSet: sets.generated, first: sets.firstGenerated(sets.pairedCount),
        secondSet: sets.real, second: sets.shuffledReals(sets.pairedCount))
    }
  }

  private func consecutive(_ set: any ImageSource, _ order: [Int]) -> Pairs {
    let starts = stride(from: 0, to: order.count - 1, by: 2)
    return Pairs(
      firstSet: set, first: starts.map { order[$0] }, secondSet: set, second: starts.map { order[$0 + 1] })
  }

  private func similarities(_ pairs: Pairs, batchSize: Int) throws -> [Double] {
    var values: [Double] = []
    try pairs.firstSet.forEachBatch(of: batchSize, at: pairs.first) { start, images in
      let partners = Array(pairs.second[start..<start + images.size(0)])
      values += try msssim(images, pairs.secondSet.images(at: partners)).array(of: Double.self)
    }
    return values
  }

  private var sentence: String {
    let pairs =
      switch pairing {
      case .generated: "generated images (0, 1), (2, 3), ... in their order"
      case .real: "real images (0, 1), (2, 3), ... after a seeded permutation"
      case .generatedReal: "generated image i with real image i after a seeded permutation of the real ones"
      }
    return "Mean MS-SSIM of \(pairs); 8-bit images, five scales, 11x11 Gaussian windows inside the image "
      + "(Wang et al. 2003; pairs as Karras et al. 2018). 1 means that the images of a pair are equal."
  }

  private func warnings(_ sets: ImageSets, pairs: Int) -> [String] {
    var warnings: [String] = []
    let side = min(sets.real.height, sets.real.width)
    if side < MSSSIM.fullWindowSide {
      warnings.append(
        "window shrunk at coarse scales: \(side) px is below \(MSSSIM.fullWindowSide) px; "
          + "compare with values of the same size only")
    }
    if pairs < 10_000 {
      warnings.append("fewer than 10,000 pairs (\(pairs)), the number of Karras et al. 2018")
    }
    return warnings + leftOut(sets)
  }

  private func leftOut(_ sets: ImageSets) -> [String] {
    switch pairing {
    case .generated where sets.generatedCount % 2 == 1, .real where sets.realCount % 2 == 1:
      ["odd number of images: the last has no partner and is left out"]
    case .generatedReal: sets.unequalCountWarning.map { [$0] } ?? []
    default: []
    }
  }
}

extension ImageSets {
  /// How many images take part where each needs a counterpart in the other set.
  var pairedCount: Int { min(realCount, generatedCount) }

  var unequalCountWarning: String? {
    guard realCount != generatedCount else { return nil }
    return
      "unequal sets: \(realCount) real and \(generatedCount) generated images, \(pairedCount) of each used"
  }
}
