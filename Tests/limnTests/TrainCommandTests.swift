// What `limn train` and `limn generate` print, draw and refuse, as processes.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import limn

@Suite(.serialized) struct TrainCommandTests {
  /// Exit status and a part of the only line; nothing may be left behind.
  private static let refused: [(line: String, status: Int32, words: String)] = [
    ("train skrgn --data set --images 9", 1, "did you mean 'skrgan'?"),
    ("train skrgan --data sets --images 9", 1, "sets"),
    ("train skrgan --data scans --images 9", 1, "scans"),
    ("\(Command.tiny) --out run --set sketch.wdith_max=4", 1, "did you mean 'sketch.width_max'?"),
    ("\(Command.tiny) --out run --set width_max=4", 1, "did you mean 'sketch.width_max'?"),
    ("\(Command.tiny) --out run --set sketch.width_max=wide", 1, "sketch.width_max"),
    ("\(Command.tiny) --out run --set sketch.width_max=0", 1, "expected 1 or more"),
    ("\(Command.tiny) --out run --recipe none.yaml", 1, "none.yaml: cannot be read"),
    ("\(Command.tiny) --out run --device cuda:9", 1, "limn doctor"),
    ("\(Command.tiny) --out set", 1, "exists already"),
    ("\(Command.tiny) --out run --target set", 1, "--target: skrgan has no targets to learn from"),
    ("train pix2pix --data set --images 9 --out run --shuffle-targets", 1, "'limn import --pair' makes them"),
    ("train pix2pix --data set --target nowhere --images 9 --out run", 1, "nowhere"),
    ("train --resume set --shuffle-targets", 64, "--target, --steps and --images only"),
    ("train --resume set", 1, "not a run"), ("train --resume nowhere", 1, "not a run"),
    ("train --resume set --seed 1", 64, "--seed was decided when the run was begun"),
    ("generate set --out drawn", 1, "not a run"),
    ("evaluate set nowhere", 1, "nowhere: no such folder"),
  ]

  @Test func refusalsAreOneLine() throws {
    try withTemporaryFolder { folder in
      try Command.makeDataset(in: folder)
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
      for (line, status, words) in Self.refused {
        let result = try Command.limn(line, in: folder)
        #expect(result.status == status && !result.wasKilled, "\(line)\n\(result.error)")
        #expect(result.error.contains(words), "\(line)\n\(result.error)")
        if status == 1 { #expect(result.error.split(separator: "\n").count == 1, "\(result.error)") }
        #expect(
          try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() == before, "\(line)")
      }
    }
  }

  @Test func aRunDrawsWhatItsCohortRecords() throws {
    try withTemporaryFolder { folder in
      try Command.makeDataset(in: folder)
      let dry = try Command.limn("\(Command.tiny) --dry-run", in: folder)
      #expect(
        dry.error.contains("sketch_discriminator: ") && dry.error.contains("parameters"), "\(dry.error)")
      let done = try Command.limn("\(Command.tiny) --out run", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let run = folder.appendingPathComponent("run")
      #expect(
        try dry.output == String(contentsOf: run.appendingPathComponent("recipe.yaml"), encoding: .utf8))

      let again = try Command.limn("train --resume run", in: folder)
      #expect(again.status == 0)
      #expect(again.lastLine.contains("is complete") && again.lastLine.contains("--images"))

      let drawn = try Command.limn("generate run --count 3 --seed 4 --bits 16 --out cohort", in: folder)
      #expect(drawn.status == 0, "\(drawn.error)")
      let cohort = try Dataset.open(folder.appendingPathComponent("cohort"))
      #expect(cohort.manifest.synthetic)
      for index in 0..<3 {
        let seed = try #require(cohort.manifest.items[index].seed)
        let one = try Command.limn(
          "generate run --image-seed \(seed) --bits 16 --out one\(index).png", in: folder)
        #expect(one.status == 0, "\(one.error)")
        for (ending, layer) in [("", "images"), ("-sketches", "sketches")] {
          let file = folder.appendingPathComponent("one\(index)\(ending).png")
          let pixels = try ImageReader.read(file).voxels.squeezed(1)
          #expect(pixels.isIdentical(to: try cohort.layer(layer)[index]), "\(layer) \(index)")
        }
      }
    }
  }

  @Test func aFinishedRunIsLengthened() throws {
    try withTemporaryFolder { folder in
      try Command.makeDataset(in: folder)
      _ = try Command.limn("\(Command.tiny) --images 16 --out run", in: folder)
      let run = folder.appendingPathComponent("run")
      let recipe = try Data(contentsOf: run.appendingPathComponent("recipe.yaml"))
      let longer = try Command.limn("train --resume run --images 24", in: folder)
      #expect(longer.status == 0, "\(longer.error)")
      #expect(try RunFolder(opening: run).newestCheckpoint()?.info.position.images == 24)
      #expect(try Data(contentsOf: run.appendingPathComponent("recipe.yaml")) == recipe)
    }
  }
}
