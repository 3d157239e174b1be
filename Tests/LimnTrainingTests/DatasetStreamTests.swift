// Batches that are drawn from groups of items.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct DatasetStreamTests {
  /// Six items, each of its number's brightness, one of them held out.
  private func stream(_ layers: TrainingLayers, _ body: (DatasetStream) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let writer = try DatasetWriter(
        DatasetDescription(name: "set", channels: 1, height: 2, width: 2, bitDepth: 8), to: url)
      let items = (0..<6).map {
        DatasetItem(id: "\($0)", patient: "p\($0)", source: "", split: $0 == 2 ? .test : .train)
      }
      let pixels = (Tensor.arange(6).reshaped([6, 1, 1, 1]) * 10).expanded([6, 1, 2, 2]).to(.uint8)
      try writer.append(items, images: pixels)
      try writer.finish(provenance: Provenance(sources: 6, tool: "test"))
      let options = TrainingOptions(steps: 1, seed: 3)
      try body(DatasetStream(Dataset.open(url), layers: layers, options: options, device: .cpu))
    }
  }

  private func numbers(_ batch: TrainingBatch) -> [Int] {
    batch.images[.all, 0, 0, 0].array(of: Float.self).map { Int((($0 + 1) * 127.5 / 10).rounded()) }
  }

  @Test func eachGroupFillsItsPartOfABatch() throws {
    let layers = TrainingLayers(groups: { items in
      #expect(items.map(\.patient) == ["p0", "p1", "p3", "p4", "p5"])
      return [[0, 1], [2, 3, 4]]
    })
    try stream(layers) { stream in
      for position in stride(from: 0, to: 24, by: 4) {
        let drawn = numbers(stream.batch(at: position, count: 4))
        #expect(Set(drawn[0..<2]).isSubset(of: [0, 1]) && Set(drawn[2..<4]).isSubset(of: [3, 4, 5]))
      }
      // An epoch of each group shows every item once, wherever batches end.
      let drawn = (0..<3).map { numbers(stream.batch(at: 2 * $0, count: 2)) }
      #expect(Set(drawn.map { $0[1] }) == [3, 4, 5])
      #expect(numbers(stream.batch(at: 0, count: 4)).suffix(2) == [drawn[0][1], drawn[1][1]])
    }
  }

  @Test func oneGroupOfAllIsNone() throws {
    func drawn(_ layers: TrainingLayers) throws -> [Int] {
      var found: [Int] = []
      try stream(layers) { found = numbers($0.batch(at: 0, count: 10)) }
      return found
    }
    #expect(try drawn(TrainingLayers()) == drawn(TrainingLayers(groups: { [Array($0.indices)] })))
  }
}
