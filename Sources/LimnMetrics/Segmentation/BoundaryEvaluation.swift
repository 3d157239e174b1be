// The scores of the ISBI 2012 challenge over many sections: the best threshold, and that of one half.

import Foundation
import LimnTorch

/// One of the challenge's scores; the raw value is its name.
public enum BoundaryMeasure: String, Codable, Sendable, CaseIterable {
  case vRandThinned = "vrand_fg_thin"
  case vInfoThinned = "vinfo_fg_thin"
  case vRand = "vrand_fg"
  case vInfo = "vinfo_fg"
  case randError = "rand_error_fg"
  case pixelError = "pixel_error"
  case warpingError = "warping_error"

  /// Where better values lie.
  public var direction: MetricDirection {
    switch self {
    case .vRandThinned, .vInfoThinned, .vRand, .vInfo: .higherIsBetter
    case .randError, .pixelError, .warpingError: .lowerIsBetter
    }
  }

  /// One sentence that another person could repeat the measurement from.
  var sentence: String {
    let objects = "objects 4-connected, over the truth's foreground"
    return switch self {
    case .vRandThinned: "V^Rand, alpha 0.5, \(objects), the prediction's borders thinned to one pixel"
    case .vInfoThinned: "V^Info, alpha 0.5, \(objects), the prediction's borders thinned to one pixel"
    case .vRand: "V^Rand, alpha 0.5, \(objects)"
    case .vInfo: "V^Info, alpha 0.5, \(objects)"
    case .randError: "1 - Rand index, \(objects)"
    case .pixelError: "wrong pixels over all"
    case .warpingError: "pixels that differ after the truth's borders were bent by at most 5 pixels, over all"
    }
  }

  /// The measure's value among a section's scores.
  public func value(_ scores: BoundaryScores) -> Double {
    switch self {
    case .vRandThinned: scores.vRandThinned
    case .vInfoThinned: scores.vInfoThinned
    case .vRand: scores.vRand
    case .vInfo: scores.vInfo
    case .randError: scores.randError
    case .pixelError: scores.pixelError
    case .warpingError: scores.warpingError
    }
  }
}

/// What an evaluation of predicted borders found.
public struct BoundaryEvaluation: Codable, Sendable, Equatable {
  /// One measure over all sections.
  public struct Result: Codable, Sendable, Equatable {
    public let measure: BoundaryMeasure
    public let direction: MetricDirection
    /// The threshold at which the mean over sections is best.
    public let bestThreshold: Double
    /// Over sections, at that threshold: what the challenge printed.
    public let best: ScoreSummary
    /// Over sections, at the threshold 0.5, which nothing was tuned for.
    public let atHalf: ScoreSummary
    /// One sentence that another person could repeat the measurement from.
    public let protocolSentence: String
  }

  /// One section's scores at every threshold.
  public struct Image: Codable, Sendable, Equatable {
    public let name: String
    public let scores: [BoundaryScores]
  }

  /// One for each measure.
  public let results: [Result]
  /// One for each section, in their order.
  public let images: [Image]

  /// Measures sections.
  /// - Parameters:
  ///   - count: the number of sections.
  ///   - seed: decides the bootstrap's resamples.
  ///   - pair: gives a section by its number: truth [H, W], not zero inside objects, and the probability of
  ///     the inside, 0...1, of the same shape.
  /// - Returns: results for each measure, scores for each section.
  /// - Throws: ``MetricError`` where a section cannot be measured, with its name; what `pair` throws.
  public static func run(
    count: Int, seed: UInt64 = 0, pair: (Int) throws -> ProbabilityPair
  ) throws -> BoundaryEvaluation {
    guard count > 0 else { throw MetricError("no maps of borders; at least one pair was expected") }
    // Each section's thresholds are measured side by side.
    let images = try (0..<count).map { try section(pair($0)) }
    let results = BoundaryMeasure.allCases.map { Result($0, images, seed) }
    return BoundaryEvaluation(results: results, images: images)
  }

  private static func section(_ pair: ProbabilityPair) throws -> Image {
    do {
      guard pair.mask == nil else {
        throw MetricError("objects would end at a mask's edge; measure borders without one")
      }
      let scores = try BoundaryScores.measure(truth: pair.truth, prediction: pair.probability)
      return Image(name: pair.name, scores: scores)
    } catch let error as MetricError {
      throw MetricError("\(pair.name): \(error.description)")
    }
  }
}

extension BoundaryEvaluation.Result {
  fileprivate init(_ measure: BoundaryMeasure, _ images: [BoundaryEvaluation.Image], _ seed: UInt64) {
    let thresholds = BoundaryScores.standardThresholds
    let summaries = thresholds.indices.map { place in
      ScoreSummary(images.map { measure.value($0.scores[place]) }, seed: seed)
    }
    func goodness(_ place: Int) -> Double {
      let mean = summaries[place].mean ?? -.infinity
      return measure.direction == .lowerIsBetter ? -mean : mean
    }
    let half = thresholds.firstIndex(of: 0.5) ?? 0
    // The first of equals, so that equal inputs name equal thresholds.
    let best = thresholds.indices.reduce(half) { goodness($1) > goodness($0) ? $1 : $0 }
    self.init(
      measure: measure, direction: measure.direction, bestThreshold: thresholds[best],
      best: summaries[best], atHalf: summaries[half], protocolSentence: measure.sentence)
  }
}

extension BoundaryEvaluation {
  /// The heads of ``rows``.
  public static let columns = [
    "metric", "at best threshold", "95% interval", "N", "threshold", "at 0.5", "protocol",
  ]

  /// One row of text for each measure, in the order of ``columns``.
  public var rows: [[String]] {
    results.map { result in
      [
        result.measure.rawValue, result.best.text, result.best.intervalText, result.best.countText,
        String(format: "%.1f", result.bestThreshold), result.atHalf.text, result.protocolSentence,
      ]
    }
  }
  /// The measures as aligned columns, protocols below.
  public var table: String { terminalTable(Self.columns, rows, measure: 0, warnings: []) }

  /// Keys sorted, indented.
  public func json() throws -> Data { try JSONEncoder.readable.encode(self) }
}
