// What a metric is: a name that carries its protocol, images in, one result with everything needed to judge
// it out.

import Foundation

/// A measure of one set of generated images against one set of real ones.
///
/// Each metric is one file that goes from images to features, from features to statistics, from statistics to
/// a value. The name says the protocol, because two protocols of one formula do not compare.
public protocol Metric: Sendable {
  /// Lower case with underscores, such as `ms_ssim_generated_pairs`.
  var name: String { get }

  /// The metric that gives the value two sets of real images reach, or nil where there is none.
  var baseline: (any Metric)? { get }

  /// Measures the sets.
  /// - Throws: ``MetricError`` where the images do not suit the metric, and what the sources throw.
  func measure(_ sets: ImageSets) throws -> MetricResult
}

/// What cannot be measured, in one line: what was found, what was expected, what to do.
public struct MetricError: Error, CustomStringConvertible, LocalizedError, Equatable {
  public let description: String
  public var errorDescription: String? { description }

  public init(_ description: String) { self.description = description }
}

/// Which values of a metric are good.
public enum MetricDirection: String, Codable, Sendable {
  case higherIsBetter
  case lowerIsBetter
  /// Neither end is good: the value of real images is the mark.
  case closerToBaselineIsBetter
}

/// A measured value with what it takes to read it.
public struct MetricResult: Codable, Sendable, Equatable {
  /// The metric's name, such as `ms_ssim_generated_pairs`.
  public let name: String
  /// Unscaled.
  public let value: Double
  /// Publications print `value * scale` (1000 for the sliced Wasserstein distance, 1 elsewhere).
  public var scale = 1.0
  /// The sample standard deviation over `sampleUnit`, nil where the protocol has no repeated samples.
  public let standardDeviation: Double?
  /// Real images that took part.
  public let realCount: Int
  /// Generated images that took part.
  public let generatedCount: Int
  /// Where better values lie.
  public let direction: MetricDirection
  /// One sentence that another person could repeat the measurement from.
  public let protocolSentence: String
  /// The value's parts in order, such as one for each level of a pyramid; unscaled.
  public var parts: [Part] = []
  /// What sets the value apart from published ones, such as too few images; a line each.
  public var warnings: [String] = []
  /// The same measure between real images.
  public var baseline: Double?
  /// Where the value would lie with other images of the same kind; nil where that was not estimated.
  public var interval: ConfidenceInterval?

  /// A named share of the value.
  public struct Part: Codable, Sendable, Equatable {
    /// What the share is of, such as the pyramid's level of `64x32` pixels (width, height).
    public let name: String
    /// Unscaled.
    public let value: Double
  }
}
