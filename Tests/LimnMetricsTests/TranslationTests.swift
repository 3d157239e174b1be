// Properties of the measures of translated images, and what an evaluation of pairs reports.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

/// A smooth disc on a background of −1: float64 [slices, 32, 32].
private func discs(_ slices: Int, seed: UInt64) -> Tensor {
  let coarse = Tensor.rand([slices, 1, 8, 8], generator: Generator(seed: seed))
  let inside = interpolate(coarse * 1.8 - 0.9, size: [32, 32], mode: .bilinear)[.all, 0].to(.float64)
  let axis = Tensor.arange(32).to(.float64) - 15.5
  let isDisc = (axis.square().unsqueezed(1) + axis.square()).isLess(than: 144)
  return Tensor.where(isDisc.expanded([slices, 32, 32]), inside, inside.zerosLike() - 1)
}

private func noisy(_ x: Tensor, _ deviation: Double) -> Tensor {
  x + Tensor.randn(x.shape, generator: Generator(seed: 9)).to(.float64) * deviation
}

@Suite struct TranslationTests {
  let real = discs(3, seed: 1)

  @Test(arguments: PairMeasure.allCases)
  func equalImagesGetTheBestValue(measure: PairMeasure) throws {
    let best =
      switch measure {
      case .psnr, .psnrForeground, .psnrRegGANLegacy: Double.infinity
      case .ssim, .ssimRegGAN: 1.0
      case .nmi: 2.0
      default: 0.0
      }
    for value in try measure.perSlice(real: real, fake: real) {
      #expect(value == best || abs(value - best) < 1e-12, "\(value)")
    }
  }

  @Test(arguments: PairMeasure.allCases)
  func noiseMakesItWorseStepByStep(measure: PairMeasure) throws {
    let values = try [0.02, 0.05, 0.1, 0.2, 0.4].map { try measure.pooled(real: real, fake: noisy(real, $0)) }
    let isOrdered = zip(values, values.dropFirst()).allSatisfy { first, second in
      measure.direction == .lowerIsBetter ? first < second : first > second
    }
    #expect(isOrdered, "\(values)")
  }

  @Test(arguments: [PairMeasure.nmae, .psnr, .ssim, .ssimRegGAN, .mae, .nmi])
  func wholeImageMeasuresAreSymmetric(measure: PairMeasure) throws {
    let fake = noisy(real, 0.1)
    let (there, back) = (
      try measure.pooled(real: real, fake: fake), try measure.pooled(real: fake, fake: real)
    )
    #expect(abs(there / back - 1) < 1e-12)
  }

  /// Other values at the same places tell as much; the same values elsewhere tell less, the further the less.
  @Test func mutualInformationMeasuresAlignment() throws {
    let modality = (real * Double.pi / 2).sin() * -1
    let aligned = try PairMeasure.nmi.pooled(real: real, fake: modality)
    let moved = try [1, 2, 4].map {
      try PairMeasure.nmi.pooled(real: real, fake: modality.rolled([$0], dims: [2]))
    }
    #expect(
      aligned > moved[0] && moved[0] > moved[1] && moved[1] > moved[2] && moved[2] > 1, "\(aligned), \(moved)"
    )
    let noise = Tensor.rand([4, 256, 256], generator: Generator(seed: 2)).to(.float64) * 2 - 1
    let other = Tensor.rand([4, 256, 256], generator: Generator(seed: 3)).to(.float64) * 2 - 1
    #expect(try PairMeasure.nmi.pooled(real: noise, fake: other) < 1.002)
    let one = Tensor.full([1, 16, 16], 0.5)
    #expect(try PairMeasure.nmi.perSlice(real: one, fake: one)[0].isNaN)
  }

  @Test func backgroundDoesNotCountInTheForeground() throws {
    let isBackground = real.isAtMost(-1)
    let spoilt = Tensor.where(isBackground, real + 0.5, real)
    #expect(try PairMeasure.nmaeForeground.pooled(real: real, fake: spoilt) == 0)
    #expect(try PairMeasure.nmae.pooled(real: real, fake: spoilt) > 0.05)
  }

  @Test func toleranceDecidesWhatBackgroundIs() throws {
    let real = Tensor([-1, -0.9999, 0.5, 0.5] as [Double], shape: [1, 2, 2])
    let fake = real + 0.2
    func count(_ tolerance: Double) throws -> Double {
      let setting = PairProtocol(foreground: ForegroundRule(tolerance: tolerance))
      return try PairMeasure.nmaeForeground.sums(real: real, fake: fake, setting)[0].count
    }
    #expect(try count(0) == 3)
    #expect(try count(1e-3) == 2)
  }

  @Test func sliceWithoutForegroundIsUndefined() throws {
    let empty = Tensor.full([1, 16, 16], -1)
    for measure in [PairMeasure.nmaeForeground, .psnrForeground, .psnrRegGANLegacy] {
      #expect(try measure.perSlice(real: empty, fake: empty + 0.1)[0].isNaN)
    }
  }

  @Test func legacyIsUndefinedWhereItsIndexRunsOut() throws {
    let one = Tensor.full([1, 4, 4], -1)
    one[0, 1, 3] = Tensor(Float(0))
    // One foreground pixel in column 3: the array of rows has one row, and the index 3.
    #expect(try PairMeasure.psnrRegGANLegacy.perSlice(real: one, fake: one + 0.1)[0].isNaN)
  }

  @Test func unitsAndRangesScale() throws {
    let fake = noisy(real, 0.1)
    let plain = try PairMeasure.mae.pooled(real: real, fake: fake)
    let units = PairProtocol(unitLow: -1000, unitHigh: 2000, unit: "HU")
    #expect(abs(try PairMeasure.mae.pooled(real: real, fake: fake, units) / plain - 1500) < 1e-9)
    let wide = PairProtocol(low: 0, high: 255, foreground: ForegroundRule(background: 0, tolerance: 1e-4))
    let (realBytes, fakeBytes) = ((real + 1) * 127.5, (fake + 1) * 127.5)
    func change(_ measure: PairMeasure) throws -> Double {
      let expected = try measure.pooled(real: real, fake: fake)
      return abs(try measure.pooled(real: realBytes, fake: fakeBytes, wide) / expected - 1)
    }
    for measure in [PairMeasure.nmae, .nmaeForeground, .psnr, .psnrForeground] {
      #expect(try change(measure) < 1e-9)
    }
    // SSIM compares means, so that it depends on where the range begins.
    for measure in [PairMeasure.ssim, .ssimRegGAN] { #expect(try change(measure) > 1e-3) }
  }

  @Test func badInputIsRefused() {
    let nan = Tensor.full([1, 16, 16], .nan)
    #expect(throws: MetricError.self) { try PairMeasure.nmae.pooled(real: nan, fake: nan) }
    #expect(throws: MetricError.self) { try PairMeasure.nmae.pooled(real: real, fake: real[0..<1]) }
    let small = Tensor.zeros([1, 8, 8])
    let error = #expect(throws: MetricError.self) { try PairMeasure.ssim.pooled(real: small, fake: small) }
    #expect(error?.description.contains("8x8 px") == true)
    #expect(throws: MetricError.self) {
      try PairMeasure.nmae.pooled(real: small, fake: small, PairProtocol(low: 1, high: 1))
    }
  }
}

@Suite struct PairEvaluationTests {
  private func evaluation(seed: UInt64 = 0) throws -> PairEvaluation {
    let pairs = (1...4).map { volume in
      let real = discs(volume, seed: UInt64(volume))
      return ImagePair(name: "scan \(volume)", real: real, fake: noisy(real, 0.05 * Double(volume)))
    }
    return try PairEvaluation.run(pairs, seed: seed)
  }

  @Test func countsSlicesAndVolumes() throws {
    let evaluation = try evaluation()
    #expect(evaluation.results.map(\.measure) == PairMeasure.allCases)
    #expect(evaluation.results.allSatisfy { $0.perSlice.count == 10 && $0.perVolume.count == 4 })
    #expect(evaluation.volumes.map(\.sliceCount) == [1, 2, 3, 4])
    let real = discs(1, seed: 1)
    let first = try PairMeasure.psnrForeground.pooled(real: real, fake: noisy(real, 0.05))
    #expect(evaluation.volumes[0].values["psnr_fg"] == MeasuredValue(first))
  }

  @Test func isDeterministicAndSeeded() throws {
    #expect(try evaluation() == evaluation())
    let values = (0..<30).map { Double($0 * $0) }
    #expect(ScoreSummary(values, seed: 1).low != ScoreSummary(values, seed: 2).low)
    #expect(ScoreSummary(values, seed: 1) == ScoreSummary(values, seed: 1))
  }

  @Test func intervalsHoldTheMean() throws {
    for result in try evaluation().results {
      let summary = result.perSlice
      let (low, mean, high) = (
        try #require(summary.low), try #require(summary.mean), try #require(summary.high)
      )
      #expect(low < mean && mean < high)
    }
  }

  @Test func infinityIsCountedAndSurvivesJSON() throws {
    let real = discs(2, seed: 1)
    let pairs = [
      ImagePair(name: "copy", real: real, fake: real),
      ImagePair(name: "other", real: real, fake: noisy(real, 0.1)),
    ]
    let evaluation = try PairEvaluation.run(pairs, measures: [.psnr])
    #expect(evaluation.results[0].perSlice.infiniteCount == 2 && evaluation.results[0].perSlice.count == 2)
    #expect(evaluation.warnings.contains { $0.contains("infinite") })
    #expect(try JSONDecoder().decode(PairEvaluation.self, from: evaluation.json()) == evaluation)
  }

  @Test func tableNamesEveryProtocol() throws {
    let evaluation = try evaluation()
    #expect(evaluation.rows.allSatisfy { $0.count == PairEvaluation.columns.count })
    for measure in PairMeasure.allCases { #expect(evaluation.table.contains("\n\(measure.rawValue): ")) }
  }

  @Test func errorsNameThePair() throws {
    let pair = ImagePair(name: "scan 7", real: .zeros([4, 4]), fake: .zeros([4, 5]))
    let error = #expect(throws: MetricError.self) { try PairEvaluation.run([pair], measures: [.nmae]) }
    #expect(error?.description.hasPrefix("scan 7: ") == true)
    #expect(throws: MetricError.self) { try PairEvaluation.run([]) }
  }
}
