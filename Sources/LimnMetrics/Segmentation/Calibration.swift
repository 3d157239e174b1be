// Whether probabilities come true: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), and
// Brier, "Verification of forecasts expressed in terms of probability" (1950).

import LimnTorch

/// Predicted probabilities beside how often they came true, in bins of equal width.
public struct Calibration: Codable, Sendable, Equatable {
  /// The pixels whose probability lies in one bin.
  public struct Bin: Codable, Sendable, Equatable {
    /// The bin's bounds; the upper one belongs to it, and 0 belongs to the first bin.
    public let lower: Double
    public let upper: Double
    /// Pixels in the bin.
    public let count: Int
    /// The mean probability of the pixels; nil of none.
    public let confidence: Double?
    /// How many of them came true, as a share; nil of none.
    public let frequency: Double?
  }

  /// The reliability curve, empty bins included.
  public let bins: [Bin]
  /// The Brier score: the mean squared distance of the probabilities from what happened, summed over classes
  /// in ``topLabel(probabilities:truth:mask:binCount:)``.
  public let brier: Double

  /// Σ (pixels of the bin / all) · |frequency − confidence| (Guo et al., equation 3): `ece`. NaN of no pixel.
  public var expectedError: Double {
    let total = bins.reduce(0) { $0 + $1.count }
    guard total > 0 else { return .nan }
    return bins.reduce(0) { $0 + Double($1.count) * $1.gap } / Double(total)
  }

  /// The greatest |frequency − confidence| of a bin (Guo et al., equation 5): `mce`.
  public var maximumError: Double { bins.map(\.gap).max() ?? .nan }

  /// The calibration of one class's probability, as scikit-learn's `calibration_curve` bins it.
  /// - Parameters:
  ///   - probabilities: of the class, 0...1, any shape.
  ///   - truth: the same shape, not zero where the class is.
  ///   - mask: the same shape; only pixels where it is not zero count. nil: all.
  ///   - binCount: bins of equal width.
  /// - Returns: the bins with their probabilities and frequencies, and the Brier score.
  /// - Throws: ``MetricError`` where shapes differ or a value is no probability.
  public static func positive(
    probabilities: Tensor, truth: Tensor, mask: Tensor? = nil, binCount: Int = 15
  ) throws -> Calibration {
    try checkSameShape(truth, probabilities, mask)
    let isTrue = truth.isNotEqual(to: 0)
    let inside = mask?.isNotEqual(to: 0) ?? isTrue.onesLike()
    let p = probabilities.to(.float64)[inside]
    let happened = isTrue[inside].to(.float64)
    return try Calibration(p, happened, brier: (p - happened).square().mean().item(), binCount: binCount)
  }

  /// The calibration of the most probable class (Guo et al.).
  /// - Parameters:
  ///   - probabilities: [N, K, ...], 0...1, adding up to 1 over K.
  ///   - truth: [N, ...], classes 0 ..< K.
  ///   - mask: [N, ...]; only pixels where it is not zero count. nil: all.
  ///   - binCount: bins of equal width.
  /// - Returns: the bins with their probabilities and frequencies, and the Brier score.
  /// - Throws: ``MetricError`` where shapes do not fit or a value is no probability.
  public static func topLabel(
    probabilities: Tensor, truth: Tensor, mask: Tensor? = nil, binCount: Int = 15
  ) throws -> Calibration {
    guard probabilities.rank >= 2 else {
      throw MetricError("probabilities are [N, K, ...], not \(probabilities.shape)")
    }
    let p = probabilities.to(.float64)
    let winner = p.argmax(dim: 1)
    try checkSameShape(truth, winner, mask)
    let isRight = winner.isEqual(to: truth.to(.int64))
    let inside = mask?.isNotEqual(to: 0) ?? isRight.onesLike()
    let classes = Tensor.arange(p.size(1)).reshaped([1, -1] + Array(repeating: 1, count: p.rank - 2))
    let oneHot = truth.to(.int64).unsqueezed(1).isEqual(to: classes).to(.float64)
    let squares = (p - oneHot).square().sum(dims: [1])
    return try Calibration(
      p.amax(dims: [1])[inside], isRight[inside].to(.float64), brier: squares[inside].mean().item(),
      binCount: binCount)
  }

  private init(_ confidences: Tensor, _ happened: Tensor, brier: Double, binCount: Int) throws {
    guard binCount > 0 else { throw MetricError("calibration needs at least one bin, not \(binCount)") }
    let values = confidences.array(of: Double.self)
    guard values.allSatisfy({ 0...1 ~= $0 }) else {
      throw MetricError("calibration takes probabilities in 0...1; apply the sigmoid or softmax first")
    }
    var tallies = [Tally](repeating: Tally(), count: binCount)
    let uppers = (1...binCount).map { Double($0) / Double(binCount) }
    for (value, hit) in zip(values, happened.array(of: Double.self)) {
      // The product may round across a bound that the comparison decides.
      var bin = min(Int(value * Double(binCount)), binCount - 1)
      if bin > 0, value <= uppers[bin - 1] { bin -= 1 }
      if value > uppers[bin] { bin += 1 }
      tallies[bin].add(value, hit)
    }
    bins = zip([0] + uppers, zip(uppers, tallies)).map { lower, rest in
      Bin(lower: lower, upper: rest.0, rest.1)
    }
    self.brier = brier
  }

  /// The calibration of several images' pixels together, binned alike.
  init(pooling parts: [Calibration]) {
    bins = parts[0].bins.indices.map { place in
      let bins = parts.map { $0.bins[place] }
      let tally = Tally(
        count: bins.reduce(0) { $0 + $1.count },
        confidence: bins.reduce(0) { $0 + Double($1.count) * ($1.confidence ?? 0) },
        hits: bins.reduce(0) { $0 + Double($1.count) * ($1.frequency ?? 0) })
      return Bin(lower: bins[0].lower, upper: bins[0].upper, tally)
    }
    let counts = parts.map { part in Double(part.bins.reduce(0) { $0 + $1.count }) }
    let squares = zip(parts, counts).reduce(0) { $0 + ($1.1 > 0 ? $1.0.brier * $1.1 : 0) }
    brier = squares / counts.reduce(0, +)
  }

  /// The sums of a bin.
  fileprivate struct Tally {
    var count = 0
    var confidence = 0.0
    var hits = 0.0

    mutating func add(_ value: Double, _ hit: Double) {
      count += 1
      confidence += value
      hits += hit
    }
  }
}

extension Calibration.Bin {
  fileprivate init(lower: Double, upper: Double, _ tally: Calibration.Tally) {
    func mean(_ sum: Double) -> Double? { tally.count > 0 ? sum / Double(tally.count) : nil }
    self.init(
      lower: lower, upper: upper, count: tally.count, confidence: mean(tally.confidence),
      frequency: mean(tally.hits))
  }

  fileprivate var gap: Double {
    guard let confidence, let frequency else { return 0 }
    return abs(frequency - confidence)
  }
}
