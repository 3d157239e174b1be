// MS-SSIM against the NumPy reference and against what its definition promises.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct MSSSIMTests {
  let pairs: GreyPairs
  init() throws { pairs = try GreyPairs() }

  // Both sides calculate in float64; the order of summation differs.
  let tolerance = 1e-9

  @Test func matchesTheReferenceWithShrunkWindows() throws {
    #expect(relativeError(try msssim(pairs.a, pairs.b), try #require(pairs.fixtures["pairs.64"])) < tolerance)
  }

  @Test func matchesTheReferenceWithFullWindows() throws {
    let values = try msssim(GreyPairs.enlarged(pairs.a), GreyPairs.enlarged(pairs.b))
    #expect(relativeError(values, try #require(pairs.fixtures["pairs.192"])) < tolerance)
  }

  @Test func matchesTheReferenceInColour() throws {
    let (real, fake) = pairs.rgb
    #expect(relativeError(try msssim(real, fake), try #require(pairs.fixtures["pairs.rgb.64"])) < tolerance)
  }

  @Test func termsMatchTheReference() throws {
    let terms = MSSSIM.terms(pairs.a.to(.float64), pairs.b.to(.float64))
    #expect(relativeError(terms.ssim, try #require(pairs.fixtures["ssim.64"])) < tolerance)
    let expected = try #require(pairs.fixtures["contrast_structure.64"])
    #expect(relativeError(terms.contrastStructure, expected) < tolerance)
  }

  @Test func windowShrinksWithItsSigma() throws {
    let window = Tensor(MSSSIM.gaussianWindow(size: 8))
    let outer = window.unsqueezed(1) * window
    #expect(relativeError(outer, try #require(pairs.fixtures["window.8"])) < tolerance)
  }

  @Test func equalImagesGiveOne() throws {
    #expect(relativeError(try msssim(pairs.b, pairs.b), .ones([5], dtype: .float64)) < 1e-12)
    let flat = Tensor.zeros([1, 3, 16, 16], dtype: .uint8)
    #expect(try msssim(flat, flat).item() == 1)
  }

  @Test func isSymmetric() throws {
    #expect(relativeError(try msssim(pairs.a, pairs.b), try msssim(pairs.b, pairs.a)) < 1e-12)
  }

  @Test func oppositeStructureIsClippedAtZero() throws {
    #expect(try msssim(pairs.a, pairs.b)[4].item() == 0)
  }

  @Test func greyEqualsThreeEqualChannels() throws {
    let tiled = try msssim(pairs.a.repeated([1, 3, 1, 1]), pairs.b.repeated([1, 3, 1, 1]))
    #expect(relativeError(tiled, try msssim(pairs.a, pairs.b)) < 1e-12)
  }

  @Test func noiseLowersItStepByStep() throws {
    let values = try [0, 5, 10, 20, 40, 80].map { deviation in
      try msssim(pairs.a, noisy(pairs.a, deviation: deviation, seed: 1)).mean().item()
    }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 }, "\(values)")
  }

  @Test func blackAgainstWhiteStaysFinite() throws {
    let black = Tensor.zeros([1, 1, 64, 64], dtype: .uint8)
    let white = Tensor.full([1, 1, 64, 64], 255, dtype: .uint8)
    // Contrast and structure of flat images agree; luminance counts at the fifth scale: c1 / (255^2 + c1).
    let luminance = MSSSIM.c1 / (255 * 255 + MSSSIM.c1)
    let value = try msssim(black, white).pow(1 / MSSSIM.weights[4]).item()
    #expect(abs(value / luminance - 1) < 1e-6)
  }

  @Test(arguments: [[1, 1, 8, 8], [1, 1, 100, 100], [1, 1, 64, 72], [1, 1, 0, 0]])
  func sidesMustBeMultiplesOf16(shape: [Int]) {
    let images = Tensor.zeros(shape, dtype: .uint8)
    #expect(throws: MetricError.self) { try msssim(images, images) }
  }

  @Test func shapesMustAgree() {
    let error = #expect(throws: MetricError.self) { try msssim(pairs.a, pairs.b[0..<4]) }
    #expect(error?.description.contains("[5, 1, 64, 64] and [4, 1, 64, 64]") == true)
  }
}

@Suite struct MSSSIMProtocolTests {
  @Test func generatedPairsAreConsecutiveAndTheOddOneIsLeftOut() throws {
    let pairs = try GreyPairs()
    let order = [pairs.a[0], pairs.b[0], pairs.a[1], pairs.b[1], pairs.a[2], pairs.b[2], pairs.a[3]]
    let seven = try set(GreyPairs.enlarged(Tensor.stack(order)))
    let result = try MSSSIMOfPairs(.generated).measure(ImageSets(real: seven, generated: seven))
    let expected = try #require(pairs.fixtures["set.192"]).item()
    #expect(abs(result.value / expected - 1) < 1e-9)
    #expect(result.generatedCount == 6 && result.realCount == 0)
    #expect(result.warnings.contains { $0.contains("no partner") })
    #expect(!result.warnings.contains { $0.contains("window shrunk") })
  }

  @Test func standardDeviationIsTheSampleOneOverPairs() throws {
    let images = try smoothImages(6, seed: 3)
    let values = try msssim(images[.stride(by: 2)], images[.stride(from: 1, by: 2)])
    let result = try MSSSIMOfPairs(.generated).measure(ImageSets(real: set(images), generated: set(images)))
    #expect(abs(try #require(result.standardDeviation) - values.std().item()) < 1e-12)
  }

  @Test func collapseScoresHigherThanVariety() throws {
    let varied = try smoothImages(16, seed: 4)
    let collapsed = noisy(varied[0..<1].repeated([16, 1, 1, 1]), deviation: 5, seed: 5)
    func value(_ images: Tensor) throws -> Double {
      try MSSSIMOfPairs(.generated).measure(ImageSets(real: set(varied), generated: set(images))).value
    }
    #expect(try value(collapsed) > 0.9)
    #expect(try value(varied) < 0.5)
  }

  @Test func realPairsAreSeededAndIndependentOfTheBatchSize() throws {
    let images = try set(smoothImages(20, seed: 6))
    func value(seed: UInt64, batchSize: Int) throws -> Double {
      let sets = try ImageSets(real: images, generated: images, seed: seed, batchSize: batchSize)
      return try MSSSIMOfPairs(.real).measure(sets).value
    }
    let reference = try value(seed: 1, batchSize: 64)
    #expect(try value(seed: 1, batchSize: 64) == reference)
    #expect(abs(try value(seed: 1, batchSize: 3) / reference - 1) < 1e-12)
    #expect(try value(seed: 2, batchSize: 64) != reference)
  }

  @Test func generatedAgainstRealUsesEquallyMany() throws {
    let sets = try ImageSets(
      real: set(smoothImages(9, seed: 7)), generated: set(smoothImages(5, seed: 8)))
    let result = try MSSSIMOfPairs(.generatedReal).measure(sets)
    #expect(result.realCount == 5 && result.generatedCount == 5)
    #expect(result.warnings.contains { $0.contains("9 real and 5 generated") })
    #expect(result.warnings.contains { $0.contains("below 176 px") })
  }

  @Test func realOrderIsAPermutation() throws {
    let images = try set(smoothImages(30, side: 16, seed: 9))
    let order = try ImageSets(real: images, generated: images, seed: 5).shuffledReals(30)
    #expect(order.sorted() == Array(0..<30) && order != Array(0..<30))
  }
}
