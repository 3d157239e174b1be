// Train on synthetic, test on real: what a small segmenter learns from real images, from synthetic ones, and
// from both, measured on the same held-out patients.

import Foundation
import LimnMetrics
import LimnTorch
import LimnTraining

/// The usefulness of synthetic images for training (TSTR: Esteban, Hyland & Rätsch 2017, arXiv:1706.02633).
public enum Usefulness {
  /// How the segmenter is trained. Every arm has the same.
  public struct Options: Sendable {
    /// Steps of every arm.
    public var steps = 400
    /// Images of a step; with both sets, half of them from each.
    public var batchSize = 8
    /// How often every arm is trained, each time from other weights and in another order.
    public var seeds = 3
    /// Images are brought to S×S pixels; a multiple of 8.
    public var side = 64
    /// Where the work is done.
    public var device = Device.cpu
    /// The seed that the seeds of all trainings follow from.
    public var seed: UInt64 = 0
    /// Hears which arm is trained, and for the how-manieth time.
    public var progress: @Sendable (String) -> Void = { _ in }

    /// The defaults.
    public init() {}
  }

  /// Trains and measures.
  /// - Parameters:
  ///   - real: labelled real images to train on.
  ///   - synthetic: labelled synthetic images to train on.
  ///   - heldOut: labelled real images of other patients to measure on.
  ///   - patients: of every held-out image, in order.
  ///   - classes: what is learned.
  ///   - options: the budget.
  /// - Returns: Dice for each arm, class and seed.
  /// - Throws: `MetricError` where there is nothing to learn, and what the sources throw.
  public static func measure(
    real: any LabelledSource, synthetic: any LabelledSource, heldOut: any LabelledSource, patients: [String],
    classes: LabelSetting, options: Options = Options()
  ) throws -> UsefulnessReport {
    guard classes.values.count > 1 else {
      throw MetricError("\(real.name): no class to learn; labels hold only 0")
    }
    guard options.side.isMultiple(of: 8), options.side > 0, options.steps > 0, options.seeds > 0 else {
      throw MetricError("downstream: a size that is a multiple of 8 and at least 1 step and seed are needed")
    }
    for set in [real, synthetic, heldOut] as [any LabelledSource] {
      guard set.count > 0, set.channels == real.channels else {
        throw MetricError(
          "\(set.name): \(set.count) images of \(set.format); some like \(real.name)'s needed")
      }
    }
    let (r, s, h) = try (
      LabelledBatch(real, classes: classes, side: options.side),
      LabelledBatch(synthetic, classes: classes, side: options.side),
      LabelledBatch(heldOut, classes: classes, side: options.side)
    )
    let trainer = SegmenterTrainer(classCount: classes.values.count, options: options)
    let arms = try [("real", [r]), ("synthetic", [s]), ("real and synthetic", [r, s])].map { name, sets in
      let scores = try (0..<options.seeds).map { number in
        options.progress("segmenter on \(name), \(number + 1) of \(options.seeds)")
        let network = try trainer.trained(on: sets, seed: Seed.derive(options.seed, UInt64(number)))
        return try trainer.dice(of: network, on: h, patients: patients)
      }
      return UsefulnessReport.Arm(name: name, images: sets.reduce(0) { $0 + $1.count }, dice: scores)
    }
    return UsefulnessReport(
      arms: arms, classes: Array(classes.names.dropFirst()), heldOutImages: h.count,
      heldOutPatients: Set(patients).count,
      protocolSentence: sentence(options))
  }

  private static func sentence(_ options: Options) -> String {
    "A U-Net of four levels (16 to 128 channels, padded, instance statistics) at "
      + "\(options.side)x\(options.side) px, \(options.steps) steps of \(options.batchSize) images for every arm, Adam 0.001, cross-entropy, no augmentation; Dice of each "
      + "class over all images of a held-out patient, mean over the patients who have it; mean and standard "
      + "deviation over \(options.seeds) seeds."
  }
}
