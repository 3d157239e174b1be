// The registry: which metrics there are with and without weights, and what is said of missing ones.

import Foundation
import LimnBackbones
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct MetricsTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A registry over a store with random weights of EfficientNet-Lite0, or over an empty one.
  private func metrics(hasWeights: Bool) throws -> Metrics {
    if hasWeights {
      let network = EfficientNetLite0()
      try Safetensors.write(
        network.stateDict, to: folder.url.appendingPathComponent("\(EfficientNetLite0.name).safetensors"))
    }
    return Metrics(store: WeightsStore(folder: folder.url))
  }

  @Test func namesAreUniqueAndFound() throws {
    let metrics = try metrics(hasWeights: true)
    let names = metrics.names
    #expect(Set(names).count == names.count)
    #expect(names.contains("fid_efficientnet-lite0") && names.contains("kid_efficientnet-lite0_real_halves"))
    #expect(!names.contains { $0.contains("vgg16") })
    for name in names { #expect(try metrics.named(name).name == name) }
  }

  @Test func unknownNamesListThePatterns() throws {
    for name in ["fid", "fidelity_vgg16", "ssim"] {
      let error = #expect(throws: MetricError.self) { try metrics(hasWeights: false).named(name) }
      #expect(error?.description.contains("no metric '\(name)'") == true)
      #expect(error?.description.contains("swd_pggan, ") == true)
      #expect(error?.description.contains("fid_NETWORK, fid_n_NETWORK") == true)
    }
  }

  @Test func missingWeightsNameTheirCommand() throws {
    let error = #expect(throws: WeightsStoreError.self) {
      try metrics(hasWeights: false).named("fid_n_inception-v3-fid")
    }
    #expect(error?.description.contains("limn weights add inception-v3-fid") == true)
    let unknown = #expect(throws: WeightsStoreError.self) { try metrics(hasWeights: false).named("fid_alexnet") }
    #expect(unknown?.description.contains("no network 'alexnet'") == true)
  }

  @Test func theStandardOnesUseTheNetworkAtHand() throws {
    let choice = try metrics(hasWeights: true).standard()
    #expect(
      choice.metrics.map(\.name) == [
        "ms_ssim_generated_pairs", "ms_ssim_generated_real_pairs", "swd_pggan", "fid_efficientnet-lite0",
        "kid_efficientnet-lite0", "precision_efficientnet-lite0", "recall_efficientnet-lite0",
        "density_efficientnet-lite0", "coverage_efficientnet-lite0",
      ])
    #expect(choice.note == nil && choice.metrics.allSatisfy { $0.baseline != nil })
  }

  @Test func withoutANetworkThatIsSaid() throws {
    let choice = try metrics(hasWeights: false).standard()
    #expect(choice.metrics.map(\.name) == Metrics.standardOfImages.map(\.name))
    #expect(choice.note?.contains("the weights of efficientnet-lite0 are not installed") == true)
  }

  @Test func measuresThroughANetwork() throws {
    let metric = try metrics(hasWeights: true).named("kid_efficientnet-lite0")
    let images = try smoothImages(6, seed: 1)
    let sets = try ImageSets(real: set(images), generated: set(noisy(images, deviation: 30, seed: 2)), resamples: 0)
    let result = try metric.measure(sets)
    #expect(result.value.isFinite && result.protocolSentence.contains("Features of efficientnet-lite0 (weights "))
  }

  @Test func imageMetricsHaveIntervalsToo() throws {
    let real = try set(smoothImages(40, seed: 1))
    let evaluation = try Evaluation.run(real: real, fake: set(smoothImages(40, seed: 2)), resamples: 50)
    for result in evaluation.results {
      let interval = try #require(result.interval)
      #expect(interval.low < result.value && result.value < interval.high, "\(result.name)")
      #expect(interval.high - interval.low < 0.5 * result.value + 0.5)
    }
    let without = try Evaluation.run(real: real, fake: real, resamples: 0)
    #expect(without.results.allSatisfy { $0.interval == nil })
  }
}
