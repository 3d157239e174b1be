// The sliced Wasserstein distance against the NumPy reference and against what its definition promises.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct SWDTests {
  let pairs: GreyPairs
  let fixtures: [String: Tensor]

  init() throws {
    pairs = try GreyPairs()
    fixtures = try Safetensors.read(fixture("metrics/swd.safetensors")).tensors
  }

  private func plan() throws -> SWD.Plan {
    let directions = try #require(fixtures["directions"]).reshaped([-1, 147])
    return SWD.Plan(
      realImages: Array(0..<4), generatedImages: Array(0..<4),
      realCenters: try [64, 32, 16].map { try #require(fixtures["real_positions.\($0)"]) },
      generatedCenters: try [64, 32, 16].map { try #require(fixtures["fake_positions.\($0)"]) },
      directions: [directions, directions, directions])
  }

  private func values(_ swd: SWD) -> Tensor { Tensor(swd.levels.map { $0.value * 1000 }) }

  // Patches are float32 here and float64 in the reference.
  let tolerance = 1e-5

  @Test func matchesTheReferenceInColour() throws {
    let (real, fake) = pairs.rgb
    let swd = try SWD.between(real: set(real), generated: set(fake), plan: plan())
    #expect(relativeError(values(swd), try #require(fixtures["swd.rgb"])) < tolerance)
    #expect(swd.levels.map(\.width) == [64, 32, 16])
  }

  @Test func matchesTheReferenceInGrey() throws {
    let swd = try SWD.between(real: set(pairs.a), generated: set(pairs.b), plan: plan())
    #expect(relativeError(values(swd), try #require(fixtures["swd.grey"])) < tolerance)
  }

  @Test func pyramidMatchesTheReference() throws {
    let image = pairs.rgb.real[0..<1]
    for (index, side) in [64, 32, 16].enumerated() {
      let level = LaplacianPyramid.level(index, of: 3, image)
      #expect(level.shape == [1, 3, side, side])
      let rows = level[0, .all, 0..<5]
      #expect(relativeError(rows, try #require(fixtures["laplacian.\(side)"])) < 1e-6)
    }
  }

  @Test func patchesKeepChannelRowColumnOrder() {
    let band = Tensor.arange(2 * 2 * 9 * 8).reshaped([2, 2, 9, 8])
    let patch = SWD.patches(band, at: Tensor([3, 3, 5, 4] as [Int64], shape: [2, 1, 2]))
    #expect(patch.shape == [2, 2, 49])
    #expect(patch[1].isIdentical(to: band[1][.all, 2..<9, 1..<8].reshaped([2, 49])))
    #expect(patch[0].isIdentical(to: band[0][.all, 0..<7, 0..<7].reshaped([2, 49])))
  }

  @Test func greyEqualsThreeEqualChannels() throws {
    let grey = try SWD.between(real: set(pairs.a), generated: set(pairs.b), plan: plan())
    let tiled = try SWD.between(
      real: set(pairs.a.repeated([1, 3, 1, 1])), generated: set(pairs.b.repeated([1, 3, 1, 1])), plan: plan())
    #expect(relativeError(values(grey), values(tiled)) < tolerance)
  }

  @Test func samePatchesGiveZeroAndSidesMayBeSwapped() throws {
    var same = try plan()
    same.generatedCenters = same.realCenters
    #expect(try SWD.between(real: set(pairs.a), generated: set(pairs.a), plan: same).average == 0)

    let forward = try SWD.between(real: set(pairs.a), generated: set(pairs.b), plan: same)
    #expect(try SWD.between(real: set(pairs.b), generated: set(pairs.a), plan: same) == forward)
  }

  @Test func flatImagesGiveZeroInsteadOfNaN() throws {
    let flat = try set(.full([4, 1, 64, 64], 200, dtype: .uint8))
    #expect(try SWD.between(real: flat, generated: flat, plan: plan()).average < 1e-6)
  }

  @Test func sortedDifferencesEqualTheDefinition() {
    let generator = Generator(seed: 1)
    let a = Tensor.randn([5, 3001], generator: generator)
    let b = Tensor.cat([Tensor.randn([5, 3000], generator: generator) * 3, .zeros([5, 1])], dim: 1)
    let expected = (a.sorted().values - b.sorted().values).abs().to(.float64).mean(dims: [1])
    #expect(relativeError(Tensor(meanSortedDifferences(a, b)), expected) < 1e-12)
  }

  @Test func sortingHandlesSignsZerosAndInfinitesimals() {
    let a = Tensor(
      [-0.0, 0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 3e38, -3e38, 1, -1] as [Float],
      shape: [1, 8])
    let shuffled = a.flipped([1])
    #expect(meanSortedDifferences(a, shuffled) == [0])
    #expect(meanSortedDifferences(Tensor([2, -4] as [Float], shape: [1, 2]), .zeros([1, 2])) == [3])
  }
}

@Suite struct SWDProtocolTests {
  private func measure(
    _ real: Tensor, _ fake: Tensor, seed: UInt64 = 0, batchSize: Int = 64,
    _ comparison: PatchSWD.Comparison = .generatedReal
  ) throws -> MetricResult {
    try PatchSWD(comparison).measure(
      ImageSets(real: set(real, "real"), generated: set(fake, "fake"), seed: seed, batchSize: batchSize))
  }

  @Test func isDeterminedByTheSeedAlone() throws {
    let (real, fake) = (try smoothImages(6, seed: 1), try smoothImages(6, seed: 2))
    let reference = try measure(real, fake)
    #expect(try measure(real, fake) == reference)
    #expect(try measure(real, fake, seed: 1).value != reference.value)
    // Convolutions of other batch sizes may round differently.
    #expect(abs(try measure(real, fake, batchSize: 4).value / reference.value - 1) < 1e-6)
  }

  @Test func noiseRaisesItStepByStep() throws {
    let real = try smoothImages(8, seed: 3)
    let values = try [0, 10, 30, 90].map { try measure(real, noisy(real, deviation: $0, seed: 4)).value }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "\(values)")
  }

  @Test func namesTheLevelsAndAveragesThem() throws {
    let result = try measure(smoothImages(4, side: 64, seed: 5), smoothImages(4, side: 64, seed: 6))
    #expect(result.parts.map(\.name) == ["64x64", "32x32", "16x16"])
    #expect(abs(result.parts.reduce(0) { $0 + $1.value } / 3 - result.value) < 1e-12)
    #expect(result.scale == 1000 && result.standardDeviation == nil)
    #expect(result.warnings.contains { $0.contains("fewer than 16,384 images (4)") })
  }

  @Test func unequalSetsUseTheSmallerNumber() throws {
    let result = try measure(smoothImages(7, seed: 7), smoothImages(3, seed: 8))
    #expect(result.realCount == 3 && result.generatedCount == 3)
    #expect(result.warnings.contains { $0.contains("7 real and 3 generated images, 3 of each used") })
  }

  @Test func halvesOfRealImagesAreDisjointAndNear() throws {
    let real = try smoothImages(64, seed: 9)
    let baseline = try measure(real, real, .realHalves)
    #expect(baseline.realCount == 64 && baseline.generatedCount == 0)
    #expect(baseline.warnings.contains { $0.contains("halves of 32 images") })
    #expect(baseline.value > 0)
    #expect(try measure(real, noisy(real, deviation: 60, seed: 1)).value > baseline.value)
  }

  @Test(arguments: [(8, "at least 16"), (33, "multiples of 2"), (70, "multiples of 4")])
  func unsuitableSizesAreNamed(side: Int, expectation: String) throws {
    let images = Tensor.zeros([2, 1, side, side], dtype: .uint8)
    let error = #expect(throws: MetricError.self) { try measure(images, images) }
    #expect(error?.description.contains(expectation) == true, "\(error?.description ?? "")")
  }

  @Test func twoChannelsAreRefused() throws {
    let images = Tensor.zeros([2, 2, 16, 16], dtype: .uint8)
    let error = #expect(throws: MetricError.self) { try measure(images, images) }
    #expect(error?.description.contains("2 channels") == true)
  }
}
