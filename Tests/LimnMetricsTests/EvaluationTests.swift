// Quantisation, image sets, the registry, and what an evaluation reports.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct QuantizationTests {
  @Test func coversTheWholeRangeAndClips() throws {
    let values: [Float] = [-1, 1, 0, -2, 5, -0.9961, -0.9960, 0.99607]
    let bytes = try quantized(Tensor(values)).array(of: UInt8.self)
    // 0 -> 127.5 -> 128 (half to even); -0.9961 -> 0.497; -0.9960 -> 0.51.
    #expect(bytes == [0, 255, 128, 0, 255, 0, 1, 254])
  }

  @Test func everyByteSurvivesTheRoundTrip() throws {
    let bytes = Tensor((0...255).map { UInt8($0) })
    #expect(try quantized(bytes.to(.float32) / 127.5 - 1).isIdentical(to: bytes))
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func valuesThatAreNotFiniteAreRefused(value: Float) {
    #expect(throws: MetricError.self) { try quantized(Tensor([0, value])) }
  }
}

@Suite struct ImageSetsTests {
  @Test func floatsAreRefused() {
    #expect(throws: MetricError.self) { try TensorImages(.zeros([2, 1, 16, 16]), name: "floats") }
  }

  @Test func setsMustAgree() throws {
    let (small, large) = (try smoothImages(2, side: 16, seed: 1), try smoothImages(2, channels: 3, seed: 1))
    let error = #expect(throws: MetricError.self) {
      try ImageSets(real: set(small, "a"), generated: set(large, "b"))
    }
    #expect(
      error?.description
        == "a has 16x16 px with 1 channel and b 32x32 px with 3 channels; "
        + "bring both to one size and one number of channels")
  }

  @Test func emptySetsAndTinyCountsAreRefused() throws {
    let (none, some) = (Tensor.zeros([0, 1, 16, 16], dtype: .uint8), try smoothImages(2, side: 16, seed: 1))
    #expect(throws: MetricError("b: no images; at least two were expected")) {
      try ImageSets(real: set(some, "a"), generated: set(none, "b"))
    }
    #expect(throws: MetricError.self) { try ImageSets(real: set(some), generated: set(some), limit: 1) }
  }
}

@Suite struct EvaluationTests {
  private func evaluation(count: Int? = nil) throws -> Evaluation {
    let real = try set(smoothImages(8, seed: 1), "scans")
    return try Evaluation.run(real: real, fake: set(smoothImages(6, seed: 2), "drawn"), count: count, seed: 3)
  }

  @Test func measuresTheStandardMetricsWithTheirBaselines() throws {
    let evaluation = try evaluation()
    #expect(
      evaluation.results.map(\.name) == [
        "ms_ssim_generated_pairs", "ms_ssim_generated_real_pairs", "swd_pggan",
      ])
    #expect(evaluation.results.allSatisfy { $0.baseline != nil })
    #expect(evaluation.results[0].baseline == evaluation.results[1].baseline)
    #expect(evaluation.generated.name == "drawn" && evaluation.generated.count == 6)
  }

  @Test func everyBaselineIsMeasuredOnce() throws {
    let images = try set(smoothImages(4, side: 16, seed: 1))
    var heard: [String] = []
    _ = try Evaluation.run(real: images, fake: images, metrics: Metrics.ofImages) { heard.append($0) }
    #expect(heard.sorted() == Metrics.ofImages.map(\.name).sorted())
  }

  @Test func countLimitsBothSets() throws {
    #expect(try evaluation(count: 4).results.map(\.generatedCount) == [4, 4, 4])
  }

  @Test func survivesJSON() throws {
    let evaluation = try evaluation()
    #expect(try JSONDecoder().decode(Evaluation.self, from: evaluation.json()) == evaluation)
  }

  @Test func tableIsAlignedAndExplained() throws {
    let table = try evaluation().table
    let lines = table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0].hasPrefix("metric") && lines[0].hasSuffix("N"))
    let start = try #require(lines[0].range(of: "value")).lowerBound.utf16Offset(in: lines[0])
    for line in lines[1...3] {
      let cell = line.dropFirst(start)
      #expect(cell.first?.isNumber == true && line.dropFirst(start - 2).hasPrefix("  "), "\(line)")
    }
    #expect(table.contains("warning: window shrunk"))
    #expect(table.contains("swd_pggan x1000"))
  }
}
