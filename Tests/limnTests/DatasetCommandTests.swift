// What `limn import`, `check` and `show` accept and refuse, side by side, and what they do to real folders.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import limn

@Suite struct DatasetCommandTests {
  @Test(arguments: [
    "--size 64", "--size 48x64", "--fit crop", "--axis coronal", "--slices 0.2..0.8", "--slices 3..9",
    "--window full", "--window centre:40,80", "--window range:-1000,400", "--channels 3", "--bits 16",
    "--split 1", "--split 0.7,0.3", "--patient-from folder", "--patient-from regex:(p\\d+)",
    "--min-content 0.1",
    "--pair b", "--pair b/{name}.png --pair-window file", "--pair b --pair-window range:0,9",
    "--every 2", "--strict --overwrite", "--crop body", "--box 1,2,30,40", "--jobs 3 --key k", "--dry-run",
  ])
  func acceptedImportOptions(options: String) throws {
    let words = options.split(separator: " ").map(String.init)
    #expect(throws: Never.self) { try ImportCommand.parse(["scans", "--out", "set"] + words) }
  }

  @Test(arguments: [
    ("--size 0", "--size"), ("--size 64x", "--size"), ("--fit squeeze", "--fit"), ("--axis up", "--axis"),
    ("--slices 9..3", "--slices"), ("--window centre:40", "--window"), ("--channels 2", "--channels"),
    ("--bits 12", "--bits"), ("--split 0,0", "--split"), ("--split a", "--split"), ("--every 0", "--every"),
    ("--patient-from regex:(", "--patient-from"), ("--min-content 2", "--min-content"),
    ("--crop all", "--crop"), ("--box 1,2,3", "--box"), ("--box 1,2,3,4 --crop fov", "--box"),
    ("--jobs -1", "--jobs"), ("--pair-window full", "--pair"),
    ("--pair b --pair-window half", "--pair-window"),
  ])
  func refusedImportOptions(options: String, named: String) {
    let words = options.split(separator: " ").map(String.init)
    do {
      _ = try ImportCommand.parse(["scans", "--out", "set"] + words)
      Issue.record("\(options) was accepted")
    } catch { #expect(ImportCommand.message(for: error).contains(named)) }
  }

  @Test func importCheckAndShowGoTogether() throws {
    try withTemporaryFolder { folder in
      let scans = folder.appendingPathComponent("scans")
      try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
      for number in 0..<12 {
        let pixels = Tensor.randint(0, 256, [1, 9, 7], generator: Generator(seed: UInt64(number))).to(.uint8)
        try PNGFile.write(pixels: pixels, to: scans.appendingPathComponent("p\(number).png"))
      }
      let (set, sheet) = (folder.appendingPathComponent("set"), folder.appendingPathComponent("sheet.png"))
      try ImportCommand.parse([
        scans.path, "--out", set.path, "--size", "16", "--jobs", "0", "--key",
        folder.appendingPathComponent("key").path,
      ]).run()
      try CheckCommand.parse([set.path]).run()
      try ShowCommand.parse([set.path, "--out", sheet.path, "--count", "4", "--columns", "2"]).run()
      // Two rows and columns of 16 pixels, with 2 pixels between and around them.
      #expect(try ImageReader.read(sheet).voxels.shape == [1, 1, 38, 38])
      #expect(try Dataset.open(set).manifest.provenance.options.contains("--size 16x16"))
    }
  }
}
