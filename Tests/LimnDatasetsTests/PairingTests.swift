// Which files and items belong together.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnDatasets

private func place(_ names: [String], in folder: URL) throws {
  let picture = try PNGFile.encode(pixels: Tensor.zeros([1, 4, 4], dtype: .uint8))
  for name in names {
    let file = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try picture.write(to: file)
  }
}

private func pairs(_ first: [String], _ second: [String]) throws -> (pairs: [String], notes: [String]) {
  try withTemporaryFolder { folder in
    try place(first.map { "a/\($0)" } + second.map { "b/\($0)" }, in: folder)
    let found = try PairedSources(
      folder.appendingPathComponent("a"), folder.appendingPathComponent("b"))
    return (
      found.pairs.map { "\($0.first.name)=\($0.second.name)" },
      found.notes.map { $0.replacingOccurrences(of: folder.path, with: "") }
    )
  }
}

@Suite struct PairingTests {
  @Test func equalPathsComeFirst() throws {
    let found = try pairs(["p1/x.png", "p2/x.png"], ["p2/x.png", "p1/x.png"])
    #expect(found.pairs == ["p1/x=p1/x", "p2/x=p2/x"] && found.notes.isEmpty)
  }

  @Test func endingsAreOverlookedOnEitherSide() throws {
    let found = try pairs(["1_truth.png", "2_mask.png", "3.png"], ["1-pred.png", "2.png", "3_fake_B.png"])
    #expect(found.pairs == ["1_truth=1-pred", "2_mask=2", "3=3_fake_B"] && found.notes.isEmpty, "\(found)")
  }

  @Test func beginningsDecideOnlyWhereNothingElseHasThem() throws {
    let found = try pairs(["01_manual1.png", "02_manual1.png"], ["01_test.png", "02_test.png"])
    #expect(found.pairs == ["01_manual1=01_test", "02_manual1=02_test"])
    #expect(
      found.notes == [
        "2 pairs are alike only before the first '_' of their names, such as 01_manual1 with 01_test; check them"
      ])
    let message = try #require(failure { _ = try pairs(["p_1.png", "p_2.png"], ["p_3.png", "p_4.png"]) })
    #expect(message.contains("none of its 2 images has a counterpart"), "\(message)")
  }

  @Test func whatHasNoCounterpartIsTold() throws {
    let found = try pairs(["a.png", "b.png"], ["b.png", "c.png"])
    #expect(found.pairs == ["b=b"])
    #expect(
      found.notes == [
        "1 of /a without a counterpart in /b, 'a' the first; not measured",
        "1 of /b without a counterpart in /a, 'c' the first; not measured",
      ])
  }

  @Test func whatFitsTwiceIsRefused() throws {
    let message = try #require(
      failure { _ = try pairs(["x.png", "y.png"], ["p/x.png", "q/x.png", "y.png"]) })
    #expect(message.contains("2 files of") && message.contains("p/x and q/x"), "\(message)")
  }

  @Test func oneFileOnEachSideIsAPair() throws {
    #expect(try pairs(["left.png"], ["right.png"]).pairs == ["left=right"])
    try withTemporaryFolder { folder in
      try place(["l.png", "r.png"], in: folder)
      let found = try PairedSources(
        folder.appendingPathComponent("l.png"), folder.appendingPathComponent("r.png"))
      #expect(found.pairs.count == 1)
      let message = failure { _ = try PairedSources(folder.appendingPathComponent("n"), folder) }
      #expect(message?.contains("no such file or folder") == true)
    }
  }

  @Test func seriesArePairedByTheirFolders() throws {
    try withTemporaryFolder { folder in
      let affine = Affine.picture()
      for (side, offset) in [("a", 0.0), ("b", 5.0)] {
        for series in ["one", "two"] {
          let voxels = (Tensor.arange(3 * 8 * 8).reshaped([1, 3, 8, 8]) + offset).to(.float32)
          let volume = Volume(
            voxels: voxels, affine: affine, storedBits: 16,
            info: SourceInfo(path: "", format: "NIfTI", hasGeometry: true))
          let path = folder.appendingPathComponent("\(side)/\(series).nii.gz")
          try FileManager.default.createDirectory(
            at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
          try NIfTIFile.write(volume, to: path)
        }
      }
      let found = try PairedSources(folder.appendingPathComponent("a"), folder.appendingPathComponent("b"))
      #expect(found.pairs.map(\.first.name) == ["one", "two"])
      let difference = try found.pairs[0].second.read().voxels - found.pairs[0].first.read().voxels
      #expect(difference.isEqual(to: 5).all().item() == 1)
    }
  }

  // MARK: - Items

  private func dataset(_ ids: [String], _ name: String, in folder: URL, patient: String = "p") throws
    -> Dataset
  {
    let pixels = randomPixels(ids.count)
    let writer = try DatasetWriter(description(pixels), to: folder.appendingPathComponent(name))
    for (place, id) in ids.enumerated() {
      try writer.append(
        DatasetItem(id: id, patient: patient, source: "s", slice: place), image: pixels[place])
    }
    try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
    return try Dataset.open(folder.appendingPathComponent(name))
  }

  @Test func itemsArePairedByIdElseByPatientSourceAndSlice() throws {
    try withTemporaryFolder { folder in
      let first = try dataset(["1", "2", "3"], "a", in: folder)
      let byID = try PairedItems(first, dataset(["3", "1"], "b", in: folder))
      #expect(byID.pairs.map { [$0.first, $0.second] } == [[0, 1], [2, 0]])
      #expect(byID.notes.count == 1 && byID.notes[0].hasPrefix("1 items of"))
      let bySlice = try PairedItems(first, dataset(["x", "y", "z"], "c", in: folder))
      #expect(bySlice.pairs.map { [$0.first, $0.second] } == [[0, 0], [1, 1], [2, 2]])
      let other = try dataset(["x"], "d", in: folder, patient: "q")
      let message = failure { _ = try PairedItems(first, other) }
      #expect(message?.contains("no item with the id") == true)
    }
  }
}
