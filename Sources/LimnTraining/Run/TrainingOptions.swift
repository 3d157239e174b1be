// What a run needs besides the recipe: length, seed, device, precision, and how often it writes.

import LimnTorch

/// How a run is carried out. Saved with the run, so that it is resumed as it was begun.
public struct TrainingOptions: Codable, Equatable, Sendable {
  /// The run ends after so many steps, or…
  public var steps: Int?
  /// …after so many images, whichever comes first.
  public var images: Int?
  /// Of weights, batches and noise.
  public var seed: UInt64
  /// `cpu`, `cuda`, `cuda:1`.
  public var device: String
  /// Of convolutions and products.
  public var precision: Precision
  /// Threads for one operator; fixed, because sums depend on how they are split.
  public var threads: Int
  /// Steps between rows of metrics.jsonl.
  public var logEvery: Int
  /// Steps between sample sheets.
  public var sampleEvery: Int
  /// Steps between checkpoints.
  public var checkpointEvery: Int
  /// Checkpoints kept, the newest ones.
  public var keepCheckpoints: Int
  /// How batches are augmented, as `AugmentationPipeline` reads it; ``noAugmentation``: not at all; nil: as the
  /// method would have it, which is decided when a run begins.
  public var augmentation: String?
  /// The fold of a cross-validation that the run is; nil: the dataset's own splits.
  public var fold: Fold?
  /// Whether the targets of a paired dataset are given to other patients' images while training; nil: no.
  public var shufflesTargets: Bool?

  /// Batches as the dataset has them.
  public static let noAugmentation = "none"

  /// The defaults are those of `limn train`; give `steps` or `images`, else the run has no end.
  public init(
    steps: Int? = nil, images: Int? = nil, seed: UInt64 = 0, device: String = "cpu",
    precision: Precision = .float32, threads: Int = Torch.threadCount, logEvery: Int = 20,
    sampleEvery: Int = 500, checkpointEvery: Int = 500, keepCheckpoints: Int = 3,
    augmentation: String? = nil
  ) {
    (self.steps, self.images, self.seed, self.device) = (steps, images, seed, device)
    (self.precision, self.threads, self.augmentation) = (precision, threads, augmentation)
    (self.logEvery, self.sampleEvery) = (logEvery, sampleEvery)
    (self.checkpointEvery, self.keepCheckpoints) = (checkpointEvery, keepCheckpoints)
  }

  /// Whether a run at this point has nothing left to do.
  public func isComplete(_ position: RunPosition) -> Bool {
    position.step >= steps ?? .max || position.images >= images ?? .max
  }

  /// The images that a run at this point will have seen at its end; nil if it has none.
  func imagesAtEnd(from position: RunPosition, _ method: any Method) -> Int? {
    guard let steps else { return images }
    return (position.step..<max(position.step, steps)).reduce(position.images) { seen, _ in
      seen >= images ?? .max ? seen : seen + method.batchSize(imagesSeen: seen)
    }
  }
}

/// The number format of convolutions and matrix products.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// bfloat16 by autocast; weights, gradients and losses stay float32.
  case bfloat16

  /// The type that autocast computes in.
  public var dtype: DType { self == .float32 ? .float32 : .bfloat16 }
}

/// How far a run is.
public struct RunPosition: Codable, Equatable, Sendable {
  /// Steps done.
  public var step: Int
  /// Real images shown, repeats counted.
  public var images: Int
  /// Seconds of training so far, interruptions left out.
  public var seconds: Double

  /// Nothing done yet.
  public static let start = RunPosition(step: 0, images: 0, seconds: 0)

  /// After `step` steps, `images` images and `seconds` of training.
  public init(step: Int, images: Int, seconds: Double) {
    (self.step, self.images, self.seconds) = (step, images, seconds)
  }
}
