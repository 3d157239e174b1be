// Batches for training: gathered, normalised, augmented, and made ready while the last step runs.

import Foundation
import LimnImaging
import LimnTorch
import Synchronization

/// What a training step takes.
public struct Batch: Sendable {
  /// The items' positions in the dataset.
  public let indices: [Int]
  /// float32 [n, C, H, W] in [−1, 1], on the loader's device.
  public let images: Tensor
  /// The companion layers asked for, in the items' order: `labels` and `instances` int64 [n, H, W],
  /// others float32 in [−1, 1].
  public let companions: [String: Tensor]
}

/// Gives the batch of any position; the same one each time, prefetched or not.
public final class BatchLoader: Sendable {
  /// The item of the dataset that is shown in an item's stead, in the epoch of that number from 0.
  public typealias Exchange = @Sendable (_ item: Int, _ epoch: Int) -> Int

  /// Draws positions in the list of items to draw from, not in the dataset.
  public let sampler: BatchSampler
  /// Where the batches are delivered.
  public let device: Device
  private let items: [Int]
  private let others: [String: Exchange]
  private let layers: [String: Tensor]
  private let derived: [String: Tensor]
  private let augmentation: AugmentationPipeline?
  private let prefetch: Bool
  private let queue = DispatchQueue(label: "limn.batches")
  private let pending = Mutex<Pending?>(nil)

  /// - Parameters:
  ///   - dataset: whose items are drawn.
  ///   - indices: the items to draw from; all where nil.
  ///   - companions: layers to deliver beside the images.
  ///   - derived: more layers, by name, with a row for each of `indices` in their order: `labels` and
  ///     `instances` int64 [n, H, W], others float32 [n, C, H, W], such as weights, which are 0 where augmentation
  ///     shows what is beyond the image; one of a companion's name takes its place.
  ///   - others: for some companions, whose rows take the place of each item's.
  ///   - batchSize: items in the batch of a step.
  ///   - seed: decides the order of the items, and what augmentation draws.
  ///   - augmentation: changes each item drawn, its companions alike: a draw of its own, whatever batch the item
  ///     falls into.
  ///   - device: where the batches go.
  ///   - prefetch: whether the next batch is made on another thread while the caller computes.
  ///   - residentLimit: layers up to this many bytes are held on a GPU whole; larger ones are copied batch by
  ///     batch.
  /// - Throws: ``DatasetError`` if there is no item to draw from or a layer is missing.
  public init(
    _ dataset: Dataset, indices: [Int]? = nil, companions: [String] = [], derived: [String: Tensor] = [:],
    others: [String: Exchange] = [:], batchSize: Int, seed: UInt64,
    augmentation: AugmentationPipeline? = nil, device: Device = .cpu, prefetch: Bool = true,
    residentLimit: Int = 1 << 30
  ) throws {
    items = indices ?? dataset.indices(of: nil)
    self.others = others
    guard !items.isEmpty else { throw DatasetError(dataset.url, "has no item to draw batches from") }
    sampler = BatchSampler(count: items.count, batchSize: batchSize, seed: seed)
    self.device = device
    self.augmentation = augmentation
    self.prefetch = prefetch
    var layers: [String: Tensor] = [:]
    for name in ["images"] + companions {
      let layer = try dataset.layer(name)
      // libtorch indexes few uint16 tensors on a GPU, so those stay and go over batch by batch.
      let isResident = layer.dtype == .uint8 && layer.count <= residentLimit
      layers[name] = isResident ? layer.to(device) : layer
    }
    self.layers = layers
    self.derived = derived
  }

  /// The batch of step `step`.
  public func batch(step: Int) -> Batch {
    batch(from: step * sampler.batchSize, count: sampler.batchSize)
  }

  /// `count` items after `position` items have been drawn, for methods whose batches change size.
  public func batch(from position: Int, count: Int) -> Batch {
    guard prefetch else { return made(position, count) }
    let ready = pending.withLock { pending in
      defer { pending = nil }
      return pending
    }
    let isExpected = ready?.position == position && ready?.count == count
    let batch = isExpected ? ready?.wait() : nil
    let result = batch ?? made(position, count)
    begin(position + count, count)
    return result
  }

  private func begin(_ position: Int, _ count: Int) {
    let next = Pending(position: position, count: count)
    pending.withLock { $0 = next }
    queue.async { [weak self] in next.fulfil(self?.made(position, count)) }
  }

  private func made(_ position: Int, _ count: Int) -> Batch {
    let epochs = (position..<position + count).map { $0 / sampler.count }
    return gathered(sampler.indices(from: position, count: count), epochs: epochs) { layers in
      augmentation.map { augmented(layers, by: $0, position, count) } ?? layers
    }
  }

  /// The items at positions of the list to draw from, in that order and unchanged.
  public func inOrder(_ positions: Range<Int>) -> Batch {
    gathered(Array(positions), epochs: positions.map { _ in 0 }) { $0 }
  }

  private func gathered(
    _ places: [Int], epochs: [Int], change: ([String: Tensor]) -> [String: Tensor]
  ) -> Batch {
    let chosen = places.map { items[$0] }
    var delivered: [String: Tensor] = [:]
    for (name, layer) in layers {
      let shown = others[name].map { zip(chosen, epochs).map($0) } ?? chosen
      delivered[name] = prepared(layer, name: name, shown)
    }
    for (name, layer) in derived { delivered[name] = layer.indexSelect(dim: 0, Tensor(places)).to(device) }
    delivered = change(delivered)
    guard let images = delivered.removeValue(forKey: "images") else {
      preconditionFailure("a loader has images")
    }
    return Batch(indices: chosen, images: images, companions: delivered)
  }

  private func prepared(_ layer: Tensor, name: String, _ chosen: [Int]) -> Tensor {
    let rows =
      layer.device == .cpu
      ? Pixels.rows(chosen, of: layer).to(device) : layer.indexSelect(dim: 0, Tensor(chosen).to(device))
    return Self.delivered(rows, as: name)
  }

  /// Stored pixels as batches hold them: `labels` and `instances` int64, others float32 in [−1, 1].
  public static func delivered(_ pixels: Tensor, as name: String) -> Tensor {
    isLabels(name) ? pixels.to(.int64) : pixels.normalizedPixels()
  }

  private static func isLabels(_ name: String) -> Bool { name == "labels" || name == "instances" }

  private func augmented(
    _ layers: [String: Tensor], by pipeline: AugmentationPipeline, _ position: Int, _ count: Int
  ) -> [String: Tensor] {
    let purpose: UInt64 = 0x6175_676D_656E  // "augmen": independent of the seeds of the orders
    let batch = AlignedBatch(
      Dictionary(
        uniqueKeysWithValues: layers.map { name, values in
          if Self.isLabels(name) { return (name, .labels(values)) }
          if name == "images" { return (name, .image(values)) }
          return (name, .map(values, outside: derived[name] == nil ? -1 : 0))
        }))
    let seeds = (position..<position + count).map { Seed.derive(sampler.seed, purpose, UInt64($0)) }
    let changed = pipeline(batch, seeds: seeds).batch
    return Dictionary(uniqueKeysWithValues: layers.keys.map { ($0, changed[$0]) })
  }
}

/// A batch in the making.
private final class Pending: Sendable {
  let position: Int
  let count: Int
  private let done = DispatchSemaphore(value: 0)
  private let batch = Mutex<Batch?>(nil)

  init(position: Int, count: Int) {
    self.position = position
    self.count = count
  }

  func fulfil(_ made: Batch?) {
    batch.withLock { $0 = made }
    done.signal()
  }

  /// Waits for the batch; asked once.
  func wait() -> Batch? {
    done.wait()
    return batch.withLock { $0 }
  }
}
