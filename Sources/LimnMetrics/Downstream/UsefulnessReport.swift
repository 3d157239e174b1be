// What training on synthetic images is worth, with the sentence that says so.

import Foundation

/// The outcome of a comparison of real, synthetic and both as training data.
public struct UsefulnessReport: Codable, Sendable, Equatable {
  /// One choice of training data.
  public struct Arm: Codable, Sendable, Equatable {
    /// `real`, `synthetic`, or `real and synthetic`.
    public let name: String
    /// Images to train on.
    public let images: Int
    /// For each seed, for each class: Dice in 0 … 1; nil where no held-out patient has the class.
    public let dice: [[Double?]]

    /// A choice with its outcome.
    public init(name: String, images: Int, dice: [[Double?]]) {
      (self.name, self.images, self.dice) = (name, images, dice)
    }

    /// The mean over classes, for each seed.
    public var means: [Double] {
      dice.map { seed in
        let known = seed.compactMap(\.self)
        return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
      }
    }

    /// Mean and sample standard deviation over the seeds, of the mean over classes.
    public var summary: (mean: Double, deviation: Double) { Self.summary(means) }

    /// Mean and sample standard deviation over the seeds of one class; nil where nobody has it.
    public func summary(class index: Int) -> (mean: Double, deviation: Double)? {
      let known = dice.compactMap { $0[index] }
      return known.isEmpty ? nil : Self.summary(known)
    }

    private static func summary(_ values: [Double]) -> (mean: Double, deviation: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0)
    }
  }

  /// Real, synthetic, both.
  public let arms: [Arm]
  /// The classes' names, in the order of ``Arm/dice``.
  public let classes: [String]
  /// Images measured on.
  public let heldOutImages: Int
  /// Patients measured on.
  public let heldOutPatients: Int
  /// One sentence that another person could repeat the measurement from.
  public let protocolSentence: String

  /// The outcome of three choices, real images first.
  public init(
    arms: [Arm], classes: [String], heldOutImages: Int, heldOutPatients: Int, protocolSentence: String
  ) {
    (self.arms, self.classes, self.protocolSentence) = (arms, classes, protocolSentence)
    (self.heldOutImages, self.heldOutPatients) = (heldOutImages, heldOutPatients)
  }
}

extension UsefulnessReport {
  /// What it means.
  public var sentence: String {
    let (real, synthetic, both) = (arms[0].summary, arms[1].summary, arms[2].summary)
    let share = real.mean > 0 ? 100 * synthetic.mean / real.mean : 0
    return String(
      format: "Trained on synthetic images alone, the segmenter reaches a Dice of %.3f on %d held-out "
        + "patients, %.0f %% of the %.3f that real images give; ", synthetic.mean, heldOutPatients, share,
      real.mean) + gain(both.mean - real.mean, spread: max(real.deviation, both.deviation))
  }

  private func gain(_ difference: Double, spread: Double) -> String {
    let change = String(format: "%+.3f", difference)
    return abs(difference) <= 2 * spread
      ? "adding synthetic to real images changes nothing that stands out from the spread between seeds (\(change))."
      : difference > 0
        ? "adding synthetic to real images helps (\(change))."
        : "adding synthetic to real images harms (\(change))."
  }

  /// The heads of ``rows``.
  public var columns: [String] { ["trained on", "images"] + classes + ["mean"] }

  /// One row for each arm: Dice as mean ± standard deviation over seeds.
  public var rows: [[String]] {
    arms.map { arm in
      let each = classes.indices.map { arm.summary(class: $0) } + [arm.summary]
      return [arm.name, "\(arm.images)"]
        + each.map { $0.map { String(format: "%.3f ± %.3f", $0.mean, $0.deviation) } ?? "n/a" }
    }
  }
}
