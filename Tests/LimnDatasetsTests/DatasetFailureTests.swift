// What goes wrong with dataset folders, and the one line that says so.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct DatasetWriterFailureTests {
  @Test func interruptedWriterLeavesNothing() throws {
    try withTemporaryFolder { folder in
      func interrupted() throws {
        let writer = try DatasetWriter(
          description(randomPixels(2)), to: folder.appendingPathComponent("set"))
        try writer.append(items(2), images: randomPixels(2))
        #expect(try contents(folder).count == 1)
        throw CancellationError()
      }
      #expect(throws: CancellationError.self) { try interrupted() }
      let left = try contents(folder)
      #expect(left == [])
    }
  }

  @Test func whatAKilledWriterLeftIsRemovedByTheNext() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let abandoned = folder.appendingPathComponent(".set.xyz.partial")
      try FileManager.default.createDirectory(at: abandoned, withIntermediateDirectories: false)
      try Data().write(to: abandoned.appendingPathComponent(".lock"))
      let alive = try DatasetWriter(description(randomPixels(2)), to: url)
      #expect(try contents(folder).filter { $0.hasSuffix(".partial") }.count == 1)
      try write(randomPixels(2), to: url)
      // The writer that is still at work keeps its folder.
      #expect(try contents(folder).count == 2)
      withExtendedLifetime(alive) {}
    }
  }

  @Test func existingDatasetsAreReplacedOnlyOnRequest() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let first = try write(randomPixels(2), to: url)
      let line = failure { try write(randomPixels(3, seed: 2), to: url) }
      #expect(line?.contains("--overwrite") == true)
      #expect(try Dataset.open(url).manifest == first)
      try write(randomPixels(3, seed: 2), to: url, overwrite: true)
      #expect(try Dataset.open(url).count == 3)
      #expect(try contents(folder) == ["set"])
    }
  }

  @Test func otherFoldersAreNeverReplaced() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("letters")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
      let line = failure { try write(randomPixels(2), to: url, overwrite: true) }
      #expect(line?.contains("exists and is not a dataset") == true)
    }
  }

  @Test func emptyDatasetsAreNotWritten() throws {
    try withTemporaryFolder { folder in
      let writer = try DatasetWriter(
        description(randomPixels(2)), to: folder.appendingPathComponent("set"))
      #expect(failure { try writer.finish(provenance: provenance) }?.contains("no image") == true)
    }
  }
}

@Suite struct DatasetCorruptionTests {
  /// Writes a dataset, damages it, and gives the line that opening and verifying answer.
  private func line(
    bitDepth: Int = 8, splits: Splits? = nil, damage: (URL) throws -> Void
  ) throws -> String? {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      try write(randomPixels(6, bitDepth: bitDepth), to: url, splits: splits)
      #expect(failure { _ = try Dataset.open(url).verify() } == nil)
      try damage(url)
      return failure { _ = try Dataset.open(url).verify() }
    }
  }

  private func edit(_ url: URL, _ old: String, _ new: String) throws {
    let file = url.appendingPathComponent("dataset.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains(old))
    try Data(text.replacing(old, with: new).utf8).write(to: file)
  }

  @Test(arguments: [
    ("{\n", "", "no valid JSON"),
    ("\"width\"", "\"widht\"", "lacks 'width'"),
    ("\"width\" : 5", "\"width\" : \"5\"", "width should be Int"),
    ("\"width\" : 5", "\"width\" : 0", "6 images of 1×6×0, expected at least one pixel"),
    ("\"width\" : 5", "\"width\" : 7", "layer 'images' must be uint8[6, 1, 6, 7]"),
    ("\"formatVersion\" : 1", "\"formatVersion\" : 9", "format version 9, this Limn reads version 1"),
    ("\"count\" : 6", "\"count\" : 5", "6 items are listed"),
    ("\"bitDepth\" : 8", "\"bitDepth\" : 12", "expected 8 or 16"),
    ("\"split\":\"train\"", "\"split\":\"tran\"", "items.[0].split"),
    ("\"uint8\"", "\"int8\"", "contentHash"),
  ])
  func editedManifest(old: String, new: String, expected: String) throws {
    let line = try line { try edit($0, old, new) }
    #expect(line?.contains("dataset.json") == true && line?.contains(expected) == true, "\(line ?? "none")")
    #expect(line?.contains("\n") == false)
  }

  @Test func missingManifest() throws {
    let line = try line { try FileManager.default.removeItem(at: $0.appendingPathComponent("dataset.json")) }
    #expect(line?.contains("not a dataset") == true)
  }

  @Test(arguments: [0, 4, 100, 4096 + 50])
  func truncatedLayer(length: Int) throws {
    let line = try line { url in
      let file = url.appendingPathComponent("images.safetensors")
      try Data(contentsOf: file).prefix(length).write(to: file)
    }
    #expect(
      line?.contains("images.safetensors: ") == true && line?.contains("\n") == false, "\(line ?? "none")")
  }

  @Test(arguments: [8, 16])
  func changedPixel(bitDepth: Int) throws {
    let line = try line(bitDepth: bitDepth) { url in
      let file = url.appendingPathComponent("images.safetensors")
      var data = try Data(contentsOf: file)
      data[data.count - 1] ^= 1
      try data.write(to: file)
    }
    #expect(line?.contains("its pixels are not those that were written") == true)
  }

  @Test func patientInTwoSplits() throws {
    let line = try line { url in
      try edit(
        url, "\"source\":\"1.png\",\"split\":\"train\"", "\"source\":\"1.png\",\"split\":\"test\"")
      try edit(
        url, "\"items\" : 6,\n      \"patients\" : 3\n    }",
        "\"items\" : 5,\n      \"patients\" : 3\n    },\n    \"test\" : {\"items\" : 1, \"patients\" : 1}")
    }
    #expect(line?.contains("patient p0 is in two splits (train, test)") == true, "\(line ?? "none")")
  }
}
