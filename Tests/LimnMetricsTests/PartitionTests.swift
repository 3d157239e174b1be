// Properties of the measures of partitions, topology and objects.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

/// Squares of 6 pixels with walls of two pixels between them: uint8 [32, 32] of ones and zeros.
private func cells() -> Tensor {
  let axis = Tensor.arange(32).to(.float64).remainder(8).isLess(than: 6).to(.uint8)
  return axis.unsqueezed(1) * axis
}

/// The cells with the wall between the first two opened over their whole height, or by one pixel of it.
private func merged(rows: Range<Int> = 0..<6) -> Tensor {
  let image = cells().to(.uint8)
  image[rows, 6..<8] = Tensor.ones([rows.count, 2], dtype: .uint8)
  return image
}

private func scores(_ truth: Tensor, _ prediction: Tensor, radius: Double? = 5) throws -> BoundaryScores {
  try BoundaryScores.measure(
    truth: truth, prediction: prediction, thresholds: [0.5], warpingRadius: radius)[0]
}

@Suite struct PartitionTests {
  @Test func identityIsPerfect() throws {
    let scores = try scores(cells(), cells())
    #expect(scores.vRand == 1 && abs(scores.vInfo - 1) < 1e-12 && scores.randError == 0)
    #expect(scores.pixelError == 0 && scores.warpingError == 0)
  }

  @Test func mergesAndSplitsLowerTheirOwnScore() throws {
    let truth = cells().to(.int32) * Tensor.arange(1024).reshaped([32, 32])
    let objects = try PartitionOverlap(truth: truth, proposal: truth)
    #expect(objects.vRand() == 1)
    let one = try PartitionOverlap(truth: truth, proposal: Tensor.ones([32, 32], dtype: .int32))
    #expect(one.randSplitScore == 1 && one.randMergeScore < 0.01)
    let dust = try PartitionOverlap(truth: Tensor.ones([32, 32], dtype: .int32), proposal: truth)
    #expect(dust.randMergeScore == 1 && dust.randSplitScore < 0.01)
  }

  @Test func bordersOfTheProposalAreDust() throws {
    let ones = Tensor.ones([4, 4], dtype: .int32)
    let overlap = try PartitionOverlap(truth: ones, proposal: ones * 0)
    #expect(overlap.vRand(alpha: 0) == 1.0 / 16)
    #expect(abs(overlap.vInfo()) < 1e-12)
  }

  @Test func noPixelIsUndefined() throws {
    let zeros = Tensor.zeros([4, 4], dtype: .int32)
    let overlap = try PartitionOverlap(truth: zeros, proposal: zeros)
    #expect(overlap.vRand().isNaN && overlap.vInfo().isNaN && overlap.randError.isNaN)
    #expect(throws: MetricError.self) { try PartitionOverlap(truth: zeros - 1, proposal: zeros) }
  }

  @Test func thinningForgivesWideBorders() throws {
    let truth = Tensor.ones([32, 32], dtype: .uint8)
    truth[.all, 16] = Tensor.zeros([32], dtype: .uint8)
    let wide = truth.cloned()
    wide[.all, 11..<22] = Tensor.zeros([32, 11], dtype: .uint8)
    let scores = try scores(truth, wide)
    #expect(scores.vRand < 0.8 && scores.vRandThinned == 1 && scores.vInfoThinned > 0.999)
    #expect(scores.warpingError == 0 && scores.pixelError > 0.3)
  }

  @Test func thinningIsIdempotentAndKeepsObjects() throws {
    let mask = corners(blob(seed: 8)).array(of: Bool.self)
    let once = BorderThinning.thinned(mask, width: 48)
    #expect(BorderThinning.thinned(once, width: 48) == once)
    #expect(zip(mask, once).allSatisfy { !$0 || $1 })
    let full = [Bool](repeating: false, count: 48)
    #expect(BorderThinning.thinned(full, width: 8) == full)
  }

  private func corners(_ mask: Tensor) -> Tensor {
    mask[0, 0] = Tensor(false)
    return mask
  }
}

@Suite struct WarpingTests {
  @Test func movedBordersCostNothing() throws {
    let truth = Tensor.ones([32, 32], dtype: .uint8)
    truth[.all, 15..<18] = Tensor.zeros([32, 3], dtype: .uint8)
    let moved = truth.rolled([2], dims: [1])
    #expect(try WarpingError(truth: truth, prediction: moved).differing == 0)
    #expect(try WarpingError(truth: truth, prediction: moved, radius: 1).differing == 2 * 32)
  }

  @Test func mergeSplitLossAndAdditionCost() throws {
    // A bridge through a wall of two pixels: one pixel of it cannot be had without joining the cells.
    #expect(try WarpingError(truth: cells(), prediction: merged(rows: 2..<3)).differing == 1)
    // To part them again, neither pixel of the bridge can go.
    #expect(try WarpingError(truth: merged(rows: 2..<3), prediction: cells()).differing == 2)
    let lost = cells()
    lost[0..<6, 0..<6] = Tensor.zeros([6, 6], dtype: .uint8)
    #expect(try WarpingError(truth: cells(), prediction: lost, radius: nil).differing == 1)
    #expect(try WarpingError(truth: lost, prediction: cells(), radius: nil).differing == 36)
  }

  @Test func isBelowThePixelError() throws {
    let truth = blob(seed: 1)
    let noise = Tensor.rand([48, 48], generator: Generator(seed: 3)) * 0.8 + truth.to(.float32) * 0.4
    let scores = try BoundaryScores.measure(truth: truth, prediction: noise)
    #expect(scores.count == 10)
    #expect(scores.allSatisfy { $0.warpingError <= $0.pixelError && $0.warpingError >= 0 })
    #expect(try BoundaryScores.measure(truth: truth, prediction: noise) == scores)
  }

  /// A pixel is simple exactly where its change leaves the numbers of objects and of background parts as they
  /// were, over all 256 neighbourhoods.
  @Test func simplePointsKeepTheNumberOfParts() {
    for pattern in 0..<256 {
      var mask = [Bool](repeating: false, count: 49)
      let ring = [16, 17, 18, 25, 32, 31, 30, 23]
      for (bit, place) in ring.enumerated() where pattern >> bit & 1 == 1 { mask[place] = true }
      let image = SimplePointImage(mask, width: 7)
      mask[24] = true
      let filled = SimplePointImage(mask, width: 7)
      #expect(image.isSimple(24) == filled.isSimple(24))
      // A lone neighbour by an edge is the end of a line; one by a corner is another object.
      if pattern.nonzeroBitCount == 1 {
        #expect(image.isSimple(24) == (pattern.trailingZeroBitCount % 2 == 1))
      }
      if pattern == 0 || pattern == 255 { #expect(!image.isSimple(24)) }
      #expect(image.isSimple(24) == Self.isSimpleByCounting(mask))
    }
  }

  /// Parts within the 3×3 neighbourhood, found by flooding.
  private static func isSimpleByCounting(_ filled: [Bool]) -> Bool {
    let ring = [16, 17, 18, 23, 25, 30, 31, 32]
    func parts(_ places: Set<Int>, steps: [Int], from starts: [Int]) -> Int {
      var (left, count) = (places, 0)
      for start in starts where left.contains(start) {
        count += 1
        var open = [start]
        while let place = open.popLast() {
          guard left.remove(place) != nil else { continue }
          open += steps.map { place + $0 }
        }
      }
      return count
    }
    let inside = Set(ring.filter { filled[$0] })
    let outside = Set(ring).subtracting(inside)
    return parts(inside, steps: [-7, 7, -1, 1], from: [17, 23, 25, 31]) == 1
      && parts(outside, steps: [-8, -7, -6, -1, 1, 6, 7, 8], from: ring) == 1
  }
}

@Suite struct ObjectTests {
  private func map(_ boxes: [(rows: Range<Int>, columns: Range<Int>)]) -> Tensor {
    let map = Tensor.zeros([16, 16], dtype: .int32)
    for (number, box) in boxes.enumerated() {
      let shape = [box.rows.count, box.columns.count]
      map[box.rows, box.columns] = Tensor.full(shape, Double(number + 1), dtype: .int32)
    }
    return map
  }

  @Test func numbersDoNotMatter() throws {
    let truth = map([(0..<4, 0..<4), (8..<12, 8..<12)])
    let renumbered = Tensor.where(truth.isGreater(than: 0), truth * -5 + 40, truth * 0)
    let matching = try ObjectMatching(truth: truth, prediction: renumbered)
    #expect(matching.seg == 1 && matching.precisions() == Array(repeating: 1, count: 10))
  }

  @Test func halfCoveredIsNotMatched() throws {
    let truth = map([(0..<4, 0..<4)])
    let half = try ObjectMatching(truth: truth, prediction: map([(0..<2, 0..<4)]))
    #expect(half.seg == 0 && half.precisions()[0] == 0)
    let more = try ObjectMatching(truth: truth, prediction: map([(0..<3, 0..<4)]))
    #expect(more.seg == 0.75)
    // IoU 0.75 is above 0.5 ... 0.7 and not above 0.75.
    #expect(more.precisions() == [1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    #expect(abs(more.meanAveragePrecision() - 0.5) < 1e-12)
  }

  @Test func objectsThatTouchAreMeasuredApart() throws {
    // The first two meet at a corner; the third is a pixel away from the second.
    let truth = map([(0..<4, 0..<4), (4..<8, 4..<8), (4..<8, 9..<12)])
    let merged = map([(0..<8, 0..<8), (15..<16, 0..<1), (4..<8, 9..<12)])
    let matching = try ObjectMatching(truth: truth, prediction: merged)
    #expect(matching.touches == [true, true, false])
    #expect(matching.segOfTouching == 0.25 && abs(matching.seg - 0.5) < 1e-12)
    #expect(try ObjectMatching(truth: map([(0..<4, 0..<4)]), prediction: merged).segOfTouching.isNaN)
    // In a volume neighbours are above and below, too.
    let stack = Tensor.stack([map([(3..<6, 3..<6)]), map([(6..<9, 2..<3)]) * 7])
    #expect(try ObjectMatching(truth: stack, prediction: stack).touches == [true, true])
  }

  @Test func falseObjectsCostPrecisionNotSEG() throws {
    let truth = map([(0..<4, 0..<4)])
    let extra = try ObjectMatching(truth: truth, prediction: map([(0..<4, 0..<4), (8..<9, 8..<9)]))
    #expect(extra.seg == 1 && extra.precisions()[0] == 0.5)
  }

  @Test func emptyMaps() throws {
    let (none, some) = (map([]), map([(3..<4, 3..<4)]))
    let both = try ObjectMatching(truth: none, prediction: none)
    #expect(both.seg.isNaN && both.meanAveragePrecision().isNaN && both.meanAveragePrecision(.perfect) == 1)
    #expect(try ObjectMatching(truth: some, prediction: none).seg == 0)
    #expect(try ObjectMatching(truth: none, prediction: some).meanAveragePrecision() == 0)
    #expect(try ObjectMatching(truth: some, prediction: some).seg == 1)
  }
}

@Suite struct LabelEvaluationTests {
  private let names = ["background", "liver", "lesion"]

  private func pairs() -> [LabelPair] {
    (0..<5).map { image in
      let lesion = blob(seed: UInt64(image + 20), above: 0.7).to(.int32)
      let truth = blob(seed: UInt64(image)).to(.int32) + lesion
      let prediction = blob(seed: UInt64(image), above: 0.55).to(.int32)
      return LabelPair(
        name: "scan \(image)", truth: truth, prediction: image == 0 ? truth : prediction,
        spacing: [0.8, 0.8],
        group: image / 2)
    }
  }

  @Test func classesAreMeasuredEach() throws {
    let evaluation = try LabelEvaluation.run(pairs(), setting: .init(content: .classes(names)))
    #expect(evaluation.results.count == 2 * LabelMeasure.ofClasses.count)
    let dice = try #require(evaluation.results.first { $0.measure == .dice && $0.label == "liver" })
    let expected = try pairs().map {
      try ConfusionMatrix(truth: $0.truth, prediction: $0.prediction, classCount: 3).counts(of: 1).dice()
    }
    #expect(abs(try #require(dice.perImage.mean) - expected.reduce(0, +) / 5) < 1e-12)
    let pooled = try #require(evaluation.confusion).counts(of: 1).dice()
    #expect(dice.pooled == MeasuredValue(pooled))
    // Scans 0 and 1, 2 and 3, 4 are of one patient each.
    let matrices = try pairs().map {
      try ConfusionMatrix(truth: $0.truth, prediction: $0.prediction, classCount: 3)
    }
    let stacks = [[0, 1], [2, 3], [4]].map { places in
      places.dropFirst().reduce(into: matrices[places[0]]) { $0 += matrices[$1] }.counts(of: 1).dice()
    }
    #expect(
      abs(try #require(dice.perGroup?.mean) - stacks.reduce(0, +) / 3) < 1e-12 && dice.perGroup?.count == 3)
    #expect(evaluation.results.first { $0.measure == .nsd }?.perGroup == nil)
    let alone = pairs().map {
      LabelPair(name: $0.name, truth: $0.truth, prediction: $0.prediction)
    }
    #expect(
      try LabelEvaluation.run(alone, setting: .init(content: .classes(names))).results.allSatisfy {
        $0.perGroup == nil
      })
    #expect(evaluation.images[0].values["liver"]?["dice"] == MeasuredValue(1))
    // The lesion is never found but in the first image.
    let distances = evaluation.results.filter { $0.measure == .hd95DeepMind && $0.label == "lesion" }
    #expect(distances.count == 1 && distances[0].perImage.infiniteCount > 0)
    #expect(
      evaluation.warnings.contains { $0.contains("lesion in \(distances[0].perImage.infiniteCount) images") })
  }

  @Test func survivesJSONAndIsDeterministic() throws {
    let setting = LabelEvaluation.Setting(
      content: .classes(names), emptyRule: .perfect, tolerance: 2, seed: 4)
    let evaluation = try LabelEvaluation.run(pairs(), setting: setting)
    #expect(try LabelEvaluation.run(pairs(), setting: setting) == evaluation)
    #expect(try JSONDecoder().decode(LabelEvaluation.self, from: evaluation.json()) == evaluation)
    #expect(evaluation.rows.allSatisfy { $0.count == LabelEvaluation.columns.count })
    #expect(evaluation.table.contains("lesion") && evaluation.table.contains("both empty: perfect"))
  }

  @Test func objectsPoolTheirSEG() throws {
    let bands = (Tensor.arange(1024, dtype: .int32).reshaped([32, 32]) / 256 + 1).to(.int32)
    let truth = cells().to(.int32) * bands
    let pairs = [
      LabelPair(name: "a", truth: truth, prediction: truth),
      LabelPair(name: "b", truth: truth, prediction: truth * 0),
      LabelPair(name: "touching", truth: bands, prediction: bands),
    ]
    let evaluation = try LabelEvaluation.run(pairs, setting: .init(content: .objects))
    #expect(evaluation.results.map(\.measure) == LabelMeasure.ofObjects)
    let (all, touching) = (evaluation.results[0], evaluation.results[1])
    #expect(all.pooled == MeasuredValue(2.0 / 3) && all.perImage.mean == 2.0 / 3)
    #expect(touching.pooled == MeasuredValue(1) && touching.perImage.count == 1)
    #expect(evaluation.results[2].pooled == nil)
    #expect(evaluation.confusion == nil)
  }

  @Test func outsideTheMaskNothingCounts() throws {
    let (truth, mask) = (blob(seed: 1).to(.int32), blob(seed: 2))
    let inside = LabelPair(name: "a", truth: truth, prediction: truth, mask: mask)
    let spoilt = LabelPair(
      name: "a", truth: truth, prediction: Tensor.where(mask, truth, 1 - truth), mask: mask)
    let setting = LabelEvaluation.Setting(content: .classes(["background", "vessel"]))
    #expect(
      try LabelEvaluation.run([inside], setting: setting) == LabelEvaluation.run([spoilt], setting: setting))
  }

  @Test func errorsNameThePair() {
    let pair = LabelPair(name: "scan 3", truth: .full([4, 4], 2), prediction: .zeros([4, 4]))
    let error = #expect(throws: MetricError.self) {
      try LabelEvaluation.run([pair], setting: .init(content: .classes(["background", "cell"])))
    }
    #expect(error?.description.hasPrefix("scan 3: label 2") == true)
    #expect(throws: MetricError.self) { try LabelEvaluation.run([], setting: .init(content: .objects)) }
  }
}
