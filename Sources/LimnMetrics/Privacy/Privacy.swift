// Does a synthetic set give its training images away? Nearest training images against those of unseen ones.

import Foundation
import LimnTorch

/// The search for copies of training images among synthetic ones.
public enum Privacy {
  /// How an assessment is made.
  public struct Options: Sendable {
    /// At most this many images of each set are looked at; all training images are searched.
    public var limit = 1000
    /// The chance of a false alarm that is accepted, over all tests and distances.
    public var falseAlarmRate = 0.01
    /// Decides which images are looked at where there are more than `limit`, and the bootstrap.
    public var seed: UInt64 = 0
    /// Hears what is being done.
    public var progress: @Sendable (String) -> Void = { _ in }

    /// The defaults.
    public init() {}
  }

  /// Fewer unseen images than this say too little about what is usual.
  static let leastBaseline = 20

  /// Looks for copies.
  /// - Parameters:
  ///   - synthetic: the images that a generator drew.
  ///   - training: the images that it learned from, all of them.
  ///   - heldOut: real images that it has not seen, of other patients; nil: each training image is measured
  ///     against those of the other patients instead, and nothing is said about membership.
  ///   - searches: the distances.
  ///   - options: how many images, and which false alarm rate.
  /// - Returns: what was found. Held-out images that are also training images, or of their patients, are left
  ///   out and counted in a warning.
  /// - Throws: ``MetricError`` where a set is empty or too small, and what the sources and networks throw.
  public static func assess(
    synthetic: PatientImages, training: PatientImages, heldOut: PatientImages? = nil,
    searches: [any NearestSearch] = [AlignedSearch()], options: Options = Options()
  ) throws -> PrivacyReport {
    let work = try PrivacyWork(
      synthetic: synthetic, training: training, heldOut: heldOut, options: options)
    let comparisons = try searches.map { search in
      options.progress("nearest training images, \(search.name)")
      return try work.comparison(search, falseAlarmRate: options.falseAlarmRate)
    }
    let verdict = work.verdict(comparisons)
    return PrivacyReport(
      trainingCount: training.images.count, syntheticImages: work.syntheticPositions,
      baselineImages: work.unseenPositions, baseline: work.baseline, comparisons: comparisons,
      falseAlarmRate: options.falseAlarmRate, verdict: verdict,
      sentence: work.sentence(verdict, comparisons), warnings: work.warnings(comparisons))
  }
}
