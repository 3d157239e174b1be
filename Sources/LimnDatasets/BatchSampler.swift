// Which items make a batch: a pure function of the seed and of how many items came before.

import LimnTorch
import Synchronization

/// Draws batches without end: every epoch is a new random order of all items, and batches run on across the
/// borders of epochs.
///
/// Nothing is remembered between calls, so a resumed run needs only its step to go on with the same batches.
public final class BatchSampler: Sendable {
  /// Items to draw from.
  public let count: Int
  /// Items in the batch of a step.
  public let batchSize: Int
  /// Decides the order of every epoch.
  public let seed: UInt64
  /// The orders of the last epochs asked for; they could be computed again at any time.
  private let recent = Mutex<[(epoch: Int, order: [Int])]>([])

  /// - Parameters:
  ///   - count: items to draw from, above zero.
  ///   - batchSize: items in the batch of a step.
  ///   - seed: decides the order of every epoch.
  public init(count: Int, batchSize: Int, seed: UInt64) {
    precondition(count > 0 && batchSize > 0, "a sampler needs items and a batch size above zero")
    self.count = count
    self.batchSize = batchSize
    self.seed = seed
  }

  /// The items of step `step`, each in 0 ..< ``count``.
  public func indices(step: Int) -> [Int] { indices(from: step * batchSize, count: batchSize) }

  /// `count` items after `position` items have been drawn. Methods whose batches change size count items, not
  /// steps.
  public func indices(from position: Int, count: Int) -> [Int] {
    (position..<position + count).map { order(epoch: $0 / self.count)[$0 % self.count] }
  }

  private func order(epoch: Int) -> [Int] {
    recent.withLock { recent in
      if let known = recent.first(where: { $0.epoch == epoch }) { return known.order }
      let order = Permutation.shuffled(count, seed: Seed.derive(seed, UInt64(epoch)))
      recent = recent.suffix(1) + [(epoch, order)]
      return order
    }
  }
}
