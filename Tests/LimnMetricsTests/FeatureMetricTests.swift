// Metrics of features from images on: names, batches, seeds, baselines, and the cache on the disk.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct FeatureMetricTests {
  private func sets(
    seed: UInt64 = 0, batchSize: Int = 64, limit: Int? = nil, resamples: Int = 20, cache: FeatureCache? = nil
  ) throws -> ImageSets {
    try ImageSets(
      real: set(smoothImages(60, seed: 1), "scans"), generated: set(smoothImages(50, seed: 2), "drawn"),
      limit: limit, seed: seed, batchSize: batchSize, resamples: resamples, cache: cache)
  }

  @Test(arguments: FeatureMetric.Kind.allCases)
  func isDeterminedBySeedAndImages(kind: FeatureMetric.Kind) throws {
    let metric = FeatureMetric(kind, RandomProjection())
    let reference = try metric.measure(sets())
    #expect(try metric.measure(sets()) == reference)
    // Sums of other batch sizes may round differently in the network.
    let batched = try metric.measure(sets(batchSize: 7))
    #expect(abs(batched.value - reference.value) <= 1e-6 * max(abs(reference.value), 1e-6))
    #expect(reference.interval != nil && reference.value.isFinite)
    #expect(reference.realCount == 60 && reference.generatedCount == 50)
  }

  @Test(arguments: FeatureMetric.Kind.allCases)
  func namesSayTheProtocol(kind: FeatureMetric.Kind) throws {
    let metric = FeatureMetric(kind, RandomProjection())
    #expect(metric.name == "\(kind.rawValue)_projection")
    let baseline = try #require(metric.baseline)
    #expect(baseline.name == "\(kind.rawValue)_projection_real_halves" && baseline.baseline == nil)
    let result = try baseline.measure(sets(resamples: 0))
    #expect(result.realCount == 60 && result.generatedCount == 0 && result.interval == nil)
    #expect(result.protocolSentence.contains("Features of projection (weights seed 1, 16 numbers; none)"))
    #expect(result.protocolSentence.contains("halves of the real images"))
  }

  @Test func allMetricsShareTheFeatures() throws {
    let network = RandomProjection()
    let metrics = FeatureMetric.Kind.allCases.map { FeatureMetric($0, network) }
    let sets = try sets()
    for metric in metrics {
      _ = try metric.measure(sets)
      _ = try metric.baseline?.measure(sets)
    }
    #expect(network.seen == 110)
  }

  @Test func limitsDrawRealImagesFromTheWholeFolder() throws {
    let sets = try sets(limit: 20)
    let network = RandomProjection()
    let pair = try sets.features(network, .generatedReal)
    #expect(pair.real.size(0) == 20 && pair.generated.size(0) == 20)
    let places = sets.shuffledReals(20).sorted()
    let expected = try network.features(of: sets.real.images(at: places))
    #expect(relativeError(pair.real, expected) < 1e-6)
  }

  @Test func halvesOfRealImagesAreDisjoint() throws {
    let pair = try sets().features(RandomProjection(), .realHalves)
    #expect(pair.real.size(0) == 30 && pair.generated.size(0) == 30)
    #expect(squaredDistances(pair.real.to(.float64), pair.generated.to(.float64)).min().item() > 0)
  }

  @Test func aNetworkThatFailsIsNamed() throws {
    struct Broken: FeatureExtractor {
      let name = "broken"
      let weights = "none"
      let dimension = 3
      let preprocessing = "none"
      let isNaN: Bool
      func features(of images: Tensor) -> Tensor {
        let zeros = Tensor.zeros([images.size(0), isNaN ? 3 : 2])
        return isNaN ? zeros / zeros : zeros
      }
    }
    let misshapen = #expect(throws: MetricError.self) {
      try FeatureMetric(.fid, Broken(isNaN: false)).measure(sets())
    }
    #expect(misshapen?.description.contains("broken gave features [60, 2]") == true)
    let notFinite = #expect(throws: MetricError.self) {
      try FeatureMetric(.fid, Broken(isNaN: true)).measure(sets())
    }
    #expect(notFinite?.description == "broken gave NaN or infinite features for scans; check its weights")
  }

  @Test func evaluationsReportIntervalsAndSurviveJSON() throws {
    let evaluation = try Evaluation.run(
      real: set(smoothImages(40, seed: 1)), fake: set(smoothImages(40, seed: 2)),
      metrics: [FeatureMetric(.fid, RandomProjection()), FeatureMetric(.coverage, RandomProjection())],
      resamples: 10)
    #expect(evaluation.results.allSatisfy { $0.interval?.resamples == 10 && $0.baseline != nil })
    #expect(try JSONDecoder().decode(Evaluation.self, from: evaluation.json()) == evaluation)
    let interval = try #require(evaluation.results[0].interval)
    #expect(evaluation.table.contains(String(format: "%.4f...%.4f", interval.low, interval.high)))
  }
}

@Suite struct FeatureCacheTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func evaluate(
    _ network: RandomProjection, real: Tensor? = nil, byteLimit: Int = 1 << 20, limit: Int? = nil, seed: UInt64 = 0
  ) throws -> Double {
    let cache = FeatureCache(folder: folder.url.appendingPathComponent("features"), byteLimit: byteLimit)
    let sets = try ImageSets(
      real: set(real ?? smoothImages(30, seed: 1)), generated: set(smoothImages(30, seed: 2)), limit: limit,
      seed: seed, resamples: 0, cache: cache)
    return try FeatureMetric(.fid, network).measure(sets).value
  }

  private var entries: [URL] {
    let all = try? FileManager.default.contentsOfDirectory(
      at: folder.url.appendingPathComponent("features"), includingPropertiesForKeys: nil)
    return (all ?? []).sorted { $0.path < $1.path }
  }

  @Test func aSecondEvaluationReadsThem() throws {
    let first = RandomProjection()
    let value = try evaluate(first)
    #expect(first.seen == 60 && entries.count == 2)
    let second = RandomProjection()
    #expect(try evaluate(second) == value)
    #expect(second.seen == 0)
    // The seed chooses among images only where not all of them take part.
    #expect(try evaluate(second, seed: 5) == value)
    #expect(second.seen == 0)
  }

  @Test func aChangedPixelIsSeen() throws {
    let images = try smoothImages(30, seed: 1)
    _ = try evaluate(RandomProjection(), real: images)
    let changed = images.cloned()
    changed[29, 0, 31, 31] = Tensor(UInt8(images[29, 0, 31, 31].item()) ^ 1)
    let network = RandomProjection()
    _ = try evaluate(network, real: changed)
    #expect(network.seen == 30)
  }

  @Test func anotherOrderOrNumberIsSeen() throws {
    let images = try smoothImages(30, seed: 1)
    _ = try evaluate(RandomProjection(), real: images)
    let network = RandomProjection()
    _ = try evaluate(network, real: images.flipped([0]))
    #expect(network.seen == 30)
    _ = try evaluate(network, real: images, limit: 29)
    #expect(network.seen == 30 + 58)
  }

  @Test func anotherNetworkIsSeen() throws {
    _ = try evaluate(RandomProjection())
    for network in [
      RandomProjection(name: "other"), RandomProjection(weights: "seed 2"),
      RandomProjection(preprocessing: "halved"), RandomProjection(dimension: 8),
    ] {
      _ = try evaluate(network)
      #expect(network.seen == 60, "\(network.name), \(network.weights), \(network.preprocessing)")
    }
  }

  @Test func aDamagedEntryIsMadeAnew() throws {
    let value = try evaluate(RandomProjection())
    for entry in entries { try Data("nothing".utf8).write(to: entry) }
    let network = RandomProjection()
    #expect(try evaluate(network) == value)
    #expect(network.seen == 60)
    let again = RandomProjection()
    #expect(try evaluate(again) == value)
    #expect(again.seen == 0)
  }

  @Test func theOldestGoWhereRoomIsShort() throws {
    // 30 vectors of 16 floats are 1,920 bytes and a header.
    _ = try evaluate(RandomProjection(), byteLimit: 5000)
    let first = entries
    for entry in first {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: entry.path)
    }
    _ = try evaluate(RandomProjection(weights: "seed 2"), byteLimit: 5000)
    #expect(entries.count == 2 && Set(entries).isDisjoint(with: first))
    _ = try evaluate(RandomProjection(weights: "seed 3"), byteLimit: 100)
    #expect(entries.count == 2)
  }

  @Test func aFolderThatCannotBeWrittenCostsOnlyTime() throws {
    try Data().write(to: folder.url.appendingPathComponent("features"))
    let network = RandomProjection()
    #expect(try evaluate(network).isFinite && network.seen == 60)
  }

  @Test func itsPlaceFollowsTheEnvironment() {
    func place(_ environment: [String: String]) -> String {
      FeatureCache.standard(environment: environment).folder.path
    }
    #expect(place(["LIMN_CACHE": "/a", "XDG_CACHE_HOME": "/b"]) == "/a/features")
    #expect(place(["LIMN_CACHE": "", "XDG_CACHE_HOME": "/b"]) == "/b/limn/features")
    #expect(place([:]).hasSuffix("/.cache/limn/features"))
  }
}
