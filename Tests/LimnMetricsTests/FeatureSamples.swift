// Networks and features that tests of feature metrics share.

import LimnTestSupport
import LimnTorch
import Synchronization
import Testing

@testable import LimnMetrics

/// A fixed random projection of 8 x 8 means, rectified: cheap, and different images have different features.
final class RandomProjection: FeatureExtractor {
  let name: String
  let weights: String
  let dimension: Int
  let preprocessing: String
  private let matrix: Tensor
  private let images = Mutex(0)

  init(dimension: Int = 16, name: String = "projection", weights: String = "seed 1", preprocessing: String = "none") {
    (self.name, self.weights, self.preprocessing) = (name, weights, preprocessing)
    self.dimension = dimension
    matrix = Tensor.randn([64, dimension], generator: Generator(seed: 1)) / 4
  }

  /// Images that went through so far.
  var seen: Int { images.withLock { $0 } }

  func features(of batch: Tensor) throws -> Tensor {
    images.withLock { $0 += batch.size(0) }
    let grey = batch.to(.float32).mean(dims: [1], keepDim: true) / 32 - 4
    let small = avgPool2d(grey, batch.size(2) / 8).reshaped([-1, 64])
    return matmul(small, matrix).clamped(min: 0)
  }
}

/// The features and references of `make_feature_metrics_fixtures.py`.
struct FeatureFixtures {
  private let tensors: [String: Tensor]

  init() throws { tensors = try Safetensors.read(fixture("metrics/features.safetensors")).tensors }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name]) }
  func value(_ name: String) throws -> Double { try tensor(name).item() }
  func pair(_ name: String, resamples: Int = 0) throws -> FeaturePair {
    featurePair(try tensor("\(name).a"), try tensor("\(name).b"), resamples: resamples)
  }
}

/// Two sets of features as a metric gets them.
func featurePair(_ real: Tensor, _ generated: Tensor, resamples: Int = 0, seed: UInt64 = 0) -> FeaturePair {
  FeaturePair(
    real: real, generated: generated, network: RandomProjection(dimension: real.size(1)), seed: seed,
    halves: HalfSamples(count: resamples, seed: seed), store: FeatureStore(), key: "")
}

/// Correlated normal features [count, dimension], moved by `shift` in every number and scaled.
func normalFeatures(_ count: Int, _ dimension: Int, seed: UInt64, shift: Double = 0, scale: Double = 1) -> Tensor {
  let mixing = Tensor.randn([dimension, dimension], dtype: .float64, generator: Generator(seed: 77))
  let normal = Tensor.randn([count, dimension], dtype: .float64, generator: Generator(seed: seed))
  return (matmul(normal, mixing) * scale + shift).to(.float32)
}

func relativeDifference(_ value: Double, _ expected: Double) -> Double { abs(value / expected - 1) }
