// A segmenter learns what its data can teach: real labels, wrong labels, both; the budget and the refusals.

import Foundation
import LimnMetrics
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

/// Bright discs on a dark ground, with their masks.
private struct Discs: LabelledSource {
  let images: Tensor
  let maps: Tensor
  let name: String
  var count: Int { images.size(0) }
  var channels: Int { 1 }
  var height: Int { images.size(2) }
  var width: Int { images.size(3) }

  /// Images of 32×32 whose masks have `value` in the disc, or around it where they are misplaced.
  init(_ count: Int, seed: UInt64, value: Int = 7, misplaced: Bool = false, name: String = "discs") {
    let generator = Generator(seed: seed)
    let centres = Tensor.rand([count, 2, 1, 1], generator: generator) * 16 + 8
    let places = Tensor.arange(32, dtype: .float32)
    let (rows, columns) = (places.reshaped([1, 32, 1]), places.reshaped([1, 1, 32]))
    let distance = ((rows - centres[.all, 0]).square() + (columns - centres[.all, 1]).square()).sqrt()
    let disc = distance.isLess(than: 6).to(.float32)
    let noise = Tensor.randn([count, 32, 32], generator: generator) * 20
    images = (disc * 120 + 60 + noise).clamped(min: 0, max: 255).to(.uint8).unsqueezed(1)
    maps = ((misplaced ? 1 - disc : disc) * Double(value)).to(.uint8)
    self.name = name
  }

  func images(at indices: [Int]) -> Tensor { images.indexSelect(dim: 0, Tensor(indices)) }
  func labels(at indices: [Int]) -> Tensor { maps.indexSelect(dim: 0, Tensor(indices)) }
}

@Suite struct UsefulnessTests {
  private let classes = LabelSetting(values: [0, 7], names: ["background", "disc"])

  private func options(steps: Int = 40, seeds: Int = 2) -> Usefulness.Options {
    var options = Usefulness.Options()
    (options.steps, options.seeds, options.side, options.batchSize) = (steps, seeds, 32, 4)
    return options
  }

  private func report(synthetic: Discs, steps: Int = 40, seeds: Int = 2) throws -> UsefulnessReport {
    try Usefulness.measure(
      real: Discs(24, seed: 1), synthetic: synthetic, heldOut: Discs(12, seed: 3),
      patients: (0..<12).map { "p\($0 / 3)" }, classes: classes, options: options(steps: steps, seeds: seeds))
  }

  @Test func trueLabelsTeachAndFalseOnesDoNot() throws {
    let right = try report(synthetic: Discs(24, seed: 2))
    #expect(right.arms.map(\.name) == ["real", "synthetic", "real and synthetic"])
    #expect(right.arms.map(\.images) == [24, 24, 48])
    #expect(right.heldOutPatients == 4 && right.heldOutImages == 12)
    #expect(right.arms.allSatisfy { $0.summary.mean > 0.85 }, "\(right.rows)")
    let wrong = try report(synthetic: Discs(24, seed: 2, misplaced: true))
    #expect(wrong.arms[0].dice == right.arms[0].dice)  // the same seeds, the same data
    #expect(wrong.arms[1].summary.mean < 0.4, "\(wrong.rows)")
    #expect(wrong.sentence.contains("Trained on synthetic images alone"))
    #expect(wrong.rows[0].count == wrong.columns.count)
  }

  @Test func diceIsOfPatientsNotOfImages() throws {
    let marked: [Int64] = [1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0]
    let found: [Int64] = [1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    func maps(_ values: [Int64]) -> Tensor { Tensor(values, shape: [3, 2, 2]) }
    let dice = try patientDice(
      marked: maps(marked), found: maps(found), patients: ["a", "a", "b"], classCount: 3)
    // a: 4 marked, 4 found, 2 both, 0.5; b: 1, 1, none, 0. Nobody has class 2.
    let expected: [Double?] = [0.25, nil]
    #expect(dice == expected)
  }

  @Test func theLabelsOfUnknownClassesAreBackground() throws {
    let discs = Discs(2, seed: 1, value: 9)
    let batch = try LabelledBatch(discs, classes: classes, side: 32)
    #expect(batch.labels.max().item() == 0 && batch.images.shape == [2, 1, 32, 32])
    let known = try LabelledBatch(
      discs, classes: LabelSetting(values: [0, 3, 9], names: ["background", "x", "y"]), side: 16)
    #expect(known.labels.max().item() == 2 && known.labels.shape == [2, 16, 16])
  }

  @Test func whatCannotBeLearnedIsRefused() throws {
    #expect(throws: MetricError.self) {
      try Usefulness.measure(
        real: Discs(2, seed: 1), synthetic: Discs(2, seed: 2), heldOut: Discs(2, seed: 3),
        patients: ["a", "b"], classes: LabelSetting([]))
    }
    var wrong = options()
    wrong.side = 30
    #expect(throws: MetricError.self) {
      try Usefulness.measure(
        real: Discs(2, seed: 1), synthetic: Discs(2, seed: 2), heldOut: Discs(2, seed: 3),
        patients: ["a", "b"], classes: classes, options: wrong)
    }
  }
}
