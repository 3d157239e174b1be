// What a look at privacy found: distances, tests, suspects, and a sentence that says what they mean.

/// The outcome of ``Privacy/assess(synthetic:training:heldOut:searches:options:)``.
public struct PrivacyReport: Codable, Sendable, Equatable {
  /// What the synthetic images' distances are measured by.
  public enum Baseline: String, Codable, Sendable {
    /// Real images that the generator has not seen.
    case heldOut = "held-out images"
    /// Each training image against those of the other patients, where no image was held out.
    case leaveOneOut = "training images against those of other patients"
  }

  /// What can be said.
  public enum Verdict: String, Codable, Sendable { case copies, noExcess, undecided }

  /// Training images that were searched.
  public let trainingCount: Int
  /// Images of the baseline.
  public var baselineCount: Int { baselineImages.count }
  /// The positions of the synthetic images that were looked at.
  public let syntheticImages: [Int]
  /// The positions of the baseline's images that were looked at: in the held-out set, or in the training set.
  public let baselineImages: [Int]
  /// Synthetic images that were looked at.
  public var syntheticCount: Int { syntheticImages.count }
  /// Where the measure of what is usual comes from.
  public let baseline: Baseline
  /// One for each distance.
  public let comparisons: [PrivacyComparison]
  /// The chance of calling a set copied although it is like unseen images.
  public let falseAlarmRate: Double
  /// What can be said.
  public let verdict: Verdict
  /// The verdict as a sentence, with its statistic.
  public let sentence: String
  /// What limits the verdict; a line each.
  public let warnings: [String]
}

/// The synthetic images' nearest training images by one distance.
public struct PrivacyComparison: Codable, Sendable, Equatable {
  /// The distance's name, such as `pixels_aligned`.
  public let name: String
  /// One sentence that another person could repeat the search from.
  public let definition: String
  /// The nearest training image of every synthetic one that was looked at.
  public let synthetic: [NearestImage]
  /// The nearest training image of every image of the baseline.
  public let baseline: [NearestImage]
  /// The median distance of the baseline.
  public let usualDistance: Double
  /// The tests of an excess of small values.
  public let tests: [ExcessTest]
  /// The p-values of the tests, combined.
  public let pValue: Double
  /// Meehan et al.'s data-copying statistic; below −3: nearer than unseen images are, as a whole.
  public let dataCopying: Double
  /// Whether synthetic images give training images away; nil without held-out images.
  public let membership: MembershipScore?
  /// Likely copies, the surest first; empty unless an excess was found.
  public let suspects: [Suspect]
}

/// A synthetic image that is likely a copy.
public struct Suspect: Codable, Sendable, Equatable {
  /// The position of the synthetic image in its set.
  public let image: Int
  /// The position of its nearest training image in the training set.
  public let training: Int
  /// Between the two.
  public let distance: Double
  /// The usual distance (the baseline's median) over this one.
  public let timesNearer: Double
  /// The distance over that to the nearest image of another patient.
  public let ratio: Double
  /// The share of false ones to be expected in the list down to here (Benjamini & Hochberg 1995).
  public let falseDiscoveryRate: Double
}
