// Batches that are drawn from groups of items, and windows of them.

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

  // MARK: - Windows

  /// An image of 8×20 pixels, each as bright as its number.
  private func withRamp(_ body: (Dataset) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("ramp")
      let writer = try DatasetWriter(
        DatasetDescription(name: "ramp", channels: 1, height: 8, width: 20, bitDepth: 8), to: url)
      let item = DatasetItem(id: "0", patient: "p", source: "", split: .train)
      try writer.append([item], images: Tensor.arange(160).reshaped([1, 1, 8, 20]).to(.uint8))
      try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
      try body(Dataset.open(url))
    }
  }

  /// The numbers of the pixels of 64 windows, each [rows, columns].
  private func windows(_ dataset: Dataset, _ window: TrainingWindow, augmentation: String? = nil) throws
    -> [Tensor]
  {
    let options = TrainingOptions(steps: 1, seed: 3, augmentation: augmentation)
    let stream = try DatasetStream(
      dataset, layers: TrainingLayers(window: window), options: options, device: .cpu)
    let images = stream.batch(at: 0, count: 64).images
    #expect(images.array(of: Float.self) == stream.batch(at: 0, count: 64).images.array(of: Float.self))
    return (0..<64).map { ((images[$0, 0] + 1) * 127.5).round() }
  }

  @Test func windowsLieEverywhereInTheImage() throws {
    try withRamp { dataset in
      let found = try windows(dataset, TrainingWindow(side: 5))
      let whole = Tensor.arange(160).to(.float32).reshaped([8, 20])
      var places: Set<Int> = []
      for window in found {
        let first = Int(window[0, 0].item())
        places.insert(first)
        let own = whole[first / 20..<first / 20 + 5, first % 20..<first % 20 + 5]
        #expect(window.array(of: Float.self) == own.array(of: Float.self))
      }
      #expect(Set(places.map { $0 / 20 }) == [0, 1, 2, 3] && places.map { $0 % 20 }.max() == 15)
    }
  }

  @Test func marginsAreMirroredAndShortAxesStayWhole() throws {
    try withRamp { dataset in
      // 3 pixels are learned from, 2 on each side may lie beyond.
      let found = try windows(dataset, TrainingWindow(side: 7, margin: 2))
      for window in found {
        let row = window[2].array(of: Float.self)
        let columns = row.map { Int($0) % 20 }
        #expect(columns[2...4].elementsEqual(columns[2]...columns[2] + 2))
        if columns[2] == 0 { #expect(columns == [2, 1, 0, 1, 2, 3, 4]) }
      }
      #expect(Set(found.map { Int($0[2, 2].item()) / 20 }) == [0, 1, 2, 3, 4, 5])
      #expect(try windows(dataset, TrainingWindow(side: 12))[0].shape == [8, 12])
      #expect(throws: RunError.self) {
        try windows(dataset, TrainingWindow(side: 5), augmentation: "crop:6x6")
      }
    }
  }
}
