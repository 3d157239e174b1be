// Splits, the sampler's purity and coverage, the loader with and without its second thread.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct SplitsTests {
  @Test func noPatientIsInTwoSplits() throws {
    try withTemporaryFolder { folder in
      let splits = try #require(Splits(fractions: [0.6, 0.2, 0.2], seed: 4))
      let url = folder.appendingPathComponent("set")
      try write(randomPixels(40), to: url, splits: splits)
      let dataset = try Dataset.open(url)
      let patients = Split.allCases.map { split in
        Set(dataset.indices(of: split).map { dataset.manifest.items[$0].patient })
      }
      #expect(patients.map(\.count) == [12, 4, 4])
      #expect(patients[0].union(patients[1]).union(patients[2]).count == 20)
      #expect(dataset.manifest.splits.mapValues(\.items) == ["train": 24, "validation": 8, "test": 8])
    }
  }

  @Test func sameSeedGivesTheSameSplits() throws {
    let patients = (0..<50).map { "p\($0)" }
    let first = try #require(Splits(fractions: [8, 1, 1], seed: 1)).assign(patients)
    #expect(try #require(Splits(fractions: [0.8, 0.1, 0.1], seed: 1)).assign(patients + patients) == first)
    #expect(try #require(Splits(fractions: [8, 1, 1], seed: 2)).assign(patients) != first)
  }

  @Test(arguments: [(1, [1, 0, 0]), (2, [1, 0, 1]), (3, [1, 1, 1]), (10, [8, 1, 1])])
  func fewPatientsGoToTrainingFirst(count: Int, expected: [Int]) throws {
    let splits = try #require(Splits(fractions: [0.8, 0.1, 0.1]))
    let assigned = splits.assign((0..<count).map { "p\($0)" }).values
    #expect(Split.allCases.map { split in assigned.count { $0 == split } } == expected)
  }

  @Test(arguments: [
    (5, [0, 0, 1], [0, 0, 5]), (5, [0, 1], [0, 5, 0]), (5, [0, 1, 1], [0, 2, 3]), (1, [0, 1, 1], [0, 1, 0]),
    (2, [0, 1, 9], [0, 1, 1]),
  ])
  func aSetMayBeForTestingAlone(count: Int, fractions: [Double], expected: [Int]) throws {
    let assigned = try #require(Splits(fractions: fractions)).assign((0..<count).map { "p\($0)" }).values
    #expect(Split.allCases.map { split in assigned.count { $0 == split } } == expected)
  }

  @Test(arguments: [[], [0, 0], [-1, 2], [1, 1, 1, 1], [.nan], [1, .infinity]])
  func senselessFractionsAreRefused(fractions: [Double]) {
    #expect(Splits(fractions: fractions) == nil)
  }
}

@Suite struct BatchSamplerTests {
  @Test(arguments: [(10, 3), (7, 7), (5, 12), (1, 4)])
  func everyEpochIsAPermutation(count: Int, batchSize: Int) {
    let sampler = BatchSampler(count: count, batchSize: batchSize, seed: 9)
    let drawn = (0..<4 * count).flatMap { sampler.indices(step: $0) }
    for epoch in 0..<4 {
      #expect(drawn[epoch * count..<(epoch + 1) * count].sorted() == Array(0..<count))
    }
  }

  @Test func aStepIsAFunctionOfSeedAndStep() {
    let (a, b) = (
      BatchSampler(count: 11, batchSize: 4, seed: 3), BatchSampler(count: 11, batchSize: 4, seed: 3)
    )
    let forward = (0..<30).map { a.indices(step: $0) }
    let backward = (0..<30).reversed().map { b.indices(step: $0) }
    #expect(forward == backward.reversed())
    #expect(BatchSampler(count: 11, batchSize: 4, seed: 4).indices(step: 0) != forward[0])
    #expect(Array(forward[..<11].joined()) == a.indices(from: 0, count: 44))
  }

  @Test func epochsDiffer() {
    let sampler = BatchSampler(count: 20, batchSize: 20, seed: 0)
    #expect(Set((0..<10).map { sampler.indices(step: $0) }).count == 10)
  }

  /// Each of six orders of three items is drawn about as often: χ² with 5 degrees of freedom below its
  /// 99.99 % point.
  @Test func ordersAreUniform() {
    let sampler = BatchSampler(count: 3, batchSize: 3, seed: 5)
    let counts = Dictionary(grouping: (0..<6000).map { sampler.indices(step: $0) }) { $0 }.mapValues(\.count)
    let statistic = counts.values.reduce(0.0) { $0 + pow(Double($1) - 1000, 2) / 1000 }
    #expect(counts.count == 6 && statistic < 25.7)
  }
}

@Suite struct BatchLoaderTests {
  private func withDataset(bitDepth: Int = 8, _ body: (Dataset, Tensor) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let pixels = randomPixels(9, bitDepth: bitDepth)
      let layer = LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [6, 5])
      let writer = try DatasetWriter(description(pixels, companions: [layer]), to: url)
      let labels = randomPixels(9, seed: 2).squeezed(1)
      try writer.append(items(9), images: pixels, companions: ["labels": labels])
      try writer.finish(provenance: provenance)
      try body(Dataset.open(url), pixels)
    }
  }

  @Test(arguments: [8, 16])
  func prefetchingChangesNothing(bitDepth: Int) throws {
    try withDataset(bitDepth: bitDepth) { dataset, _ in
      func loader(prefetch: Bool) throws -> BatchLoader {
        try BatchLoader(
          dataset, companions: ["labels"], batchSize: 4, seed: 7,
          augmentation: AugmentationPipeline(parsing: "flip@0.5, rotation:-9..9"),
          prefetch: prefetch)
      }
      let (ahead, plain) = (try loader(prefetch: true), try loader(prefetch: false))
      for step in [0, 1, 2, 3, 9, 10, 2, 3, 4] {
        let (a, b) = (ahead.batch(step: step), plain.batch(step: step))
        #expect(a.indices == b.indices && a.images.isIdentical(to: b.images))
        let (labelsA, labelsB) = (try #require(a.companions["labels"]), try #require(b.companions["labels"]))
        #expect(labelsA.isIdentical(to: labelsB) && labelsA.dtype == .int64)
      }
    }
  }

  @Test func batchesHoldTheItemsTheyName() throws {
    try withDataset { dataset, pixels in
      let loader = try BatchLoader(dataset, indices: [2, 5, 8], batchSize: 2, seed: 1)
      for step in 0..<6 {
        let batch = loader.batch(step: step)
        #expect(Set(batch.indices).isSubset(of: [2, 5, 8]))
        #expect(batch.images.isIdentical(to: dataset.images(at: batch.indices)))
        let expected = pixels.to(.float32).indexSelect(dim: 0, Tensor(batch.indices)) / 127.5 - 1
        #expect(batch.images.isIdentical(to: expected))
      }
    }
  }

  @Test func imagesAndLabelsAreMirroredTogetherHalfTheTime() throws {
    try withDataset { dataset, _ in
      let loader = try BatchLoader(
        dataset, companions: ["labels"], batchSize: 50, seed: 3,
        augmentation: AugmentationPipeline(parsing: "flip@0.5"), prefetch: false)
      let batch = loader.batch(from: 0, count: 400)
      let (plain, labels) = (dataset.images(at: batch.indices), try dataset.layer("labels"))
      let drawnLabels = try #require(batch.companions["labels"])
      var mirrored = 0
      for (row, index) in batch.indices.enumerated() {
        let isMirrored = batch.images[row].isIdentical(to: plain[row].flipped([-1]))
        #expect(isMirrored || batch.images[row].isIdentical(to: plain[row]))
        let expected = isMirrored ? labels[index].flipped([-1]) : labels[index]
        #expect(drawnLabels[row].isIdentical(to: expected.to(.int64)))
        mirrored += isMirrored ? 1 : 0
      }
      // Four standard deviations of 400 fair coins are 40.
      #expect(abs(mirrored - 200) <= 40)
      let later = loader.batch(from: 123, count: 10)
      #expect(later.images.isIdentical(to: batch.images[123..<133]))
    }
  }

  @Test func weightsBeyondTheImageAreZero() throws {
    try withDataset { dataset, _ in
      let loader = try BatchLoader(
        dataset, derived: ["weights": .ones([9, 1, 6, 5])], batchSize: 3, seed: 3,
        augmentation: AugmentationPipeline(parsing: "shift:4..4, border:constant"), prefetch: false)
      let batch = loader.batch(step: 0)
      let weights = try #require(batch.companions["weights"])
      #expect(weights[0, 0].array(of: Float.self).filter { $0 == 1 }.count == 2)
      #expect(weights.min().item() == 0 && weights.max().item() == 1)
      #expect(batch.images.min().item() == -1)
    }
  }

  @Test func nothingToDrawFromIsSaid() throws {
    try withDataset { dataset, _ in
      let line = failure { _ = try BatchLoader(dataset, indices: [], batchSize: 2, seed: 1) }
      #expect(line?.contains("no item") == true)
    }
  }
}
