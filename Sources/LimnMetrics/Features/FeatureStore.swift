// The features of an evaluation's sets: made once in batches, shared by its metrics, kept on the disk if wished.

import LimnTorch
import Synchronization

/// The vectors of two sets, and what a measure needs besides.
struct FeaturePair {
  /// float32 [N, D]; the first half where halves of real images are compared.
  let real: Tensor
  /// float32 [M, D]; the second half where halves of real images are compared.
  let generated: Tensor
  let network: any FeatureExtractor
  let seed: UInt64
  let halves: HalfSamples
  /// Remembers what several metrics need.
  let store: FeatureStore
  /// Tells these two sets from others in `store`.
  let key: String
}

/// What an evaluation has worked out already.
final class FeatureStore: Sendable {
  private let known = Mutex<[String: any Sendable]>([:])

  /// What `make` gives for `key`, made only once.
  func once<T: Sendable>(_ key: String, _ make: () throws -> T) rethrows -> T {
    if let found = known.withLock({ $0[key] }) as? T { return found }
    let made = try make()
    known.withLock { $0[key] = made }
    return made
  }
}

extension ImageSets {
  /// The features that `comparison` compares.
  /// - Throws: ``MetricError`` where there are too few images, and what network and sources throw.
  func features(_ network: any FeatureExtractor, _ comparison: FeatureMetric.Comparison) throws -> FeaturePair
  {
    let identity = "\(network.name) \(network.weights) \(network.preprocessing)"
    let reals = try store.once("real \(identity)") {
      try network.features(
        of: real, at: shuffledReals(realCount).sorted(), cache: cache, batchSize: batchSize)
    }
    let (first, second) =
      switch comparison {
      case .generatedReal:
        (
          reals,
          try store.once("generated \(identity)") {
            try network.features(
              of: generated, at: firstGenerated(generatedCount), cache: cache, batchSize: batchSize)
          }
        )
      case .realHalves: try split(reals)
      }
    // A baseline is a mark, of which only the value is read.
    let halves = HalfSamples(count: comparison == .realHalves ? 0 : resamples, seed: seed)
    return FeaturePair(
      real: first, generated: second, network: network, seed: seed,
      halves: halves, store: store, key: "\(comparison) \(identity)")
  }

  /// Two disjoint random halves of the rows.
  private func split(_ features: Tensor) throws -> (Tensor, Tensor) {
    let half = features.size(0) / 2
    guard half > 1 else {
      throw MetricError("\(real.name): \(features.size(0)) images; halves need at least two each")
    }
    let generator = Generator(seed: Seed.derive(seed, 0x5350_4C49))
    let order = Tensor.randperm(features.size(0), generator: generator)
    return (features[order[0..<half]], features[order[half..<2 * half]])
  }
}

extension FeatureExtractor {
  /// The vectors of a source's images, from the cache where it has them.
  /// - Parameters:
  ///   - source: the images.
  ///   - indices: which of them.
  ///   - cache: where features are kept; nil: nowhere.
  ///   - batchSize: images fetched at a time.
  /// - Returns: float32 [indices.count, `dimension`], on the CPU.
  /// - Throws: ``MetricError`` for features that are not finite; what network and source throw.
  func features(
    of source: any ImageSource, at indices: [Int], cache: FeatureCache?, batchSize: Int = 64
  ) throws -> Tensor {
    guard let cache else { return try computed(of: source, at: indices, batchSize) }
    let entry = try cache.entry(of: source, at: indices, self, batchSize: batchSize)
    if let known = cache.read(entry) { return known }
    let features = try computed(of: source, at: indices, batchSize)
    cache.write(features, to: entry)
    return features
  }

  private func computed(of source: any ImageSource, at indices: [Int], _ batchSize: Int) throws -> Tensor {
    let all = Tensor.empty([indices.count, dimension])
    try withoutGradients {
      try source.forEachBatch(of: batchSize, at: indices) { start, images in
        let features = try features(of: images)
        guard features.shape == [images.size(0), dimension] else {
          throw MetricError(
            "\(name) gave features \(features.shape) for \(images.size(0)) images; "
              + "[\(images.size(0)), \(dimension)] was expected")
        }
        all[start..<start + images.size(0)] = features.to(.cpu)
      }
    }
    guard all.isFinite().all().item() == 1 else {
      throw MetricError("\(name) gave NaN or infinite features for \(source.name); check its weights")
    }
    return all
  }
}
