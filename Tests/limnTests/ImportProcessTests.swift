// `limn import` with its helper processes: killed, resumed, given files that crash or hold up their decoder.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite(.serialized) struct ImportProcessTests {
  /// Pictures `p0.png` … in `folder/scans`.
  private func writeScans(_ count: Int, in folder: URL) throws {
    let scans = folder.appendingPathComponent("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
    for number in 0..<count {
      let pixels = Tensor.randint(0, 256, [1, 40, 30], generator: Generator(seed: UInt64(number)))
      try PNGFile.write(pixels: pixels.to(.uint8), to: scans.appendingPathComponent("p\(number).png"))
    }
  }

  private func manifest(_ folder: URL, _ name: String) throws -> DatasetManifest {
    try Dataset.open(folder.appendingPathComponent(name)).manifest
  }

  @Test func processesGiveWhatOneProcessGives() throws {
    try withTemporaryFolder { folder in
      try writeScans(30, in: folder)
      for jobs in [0, 1, 3] {
        let result = try Command.limn(
          "import scans --out set\(jobs) --size 16 --key key --jobs \(jobs)", in: folder)
        #expect(result.status == 0, "\(result.error)")
      }
      let sets = try [0, 1, 3].map { try manifest(folder, "set\($0)") }
      #expect(sets[0].contentHash == sets[1].contentHash && sets[0].contentHash == sets[2].contentHash)
      #expect(sets[0].items == sets[1].items && sets[0].items == sets[2].items)
    }
  }

  /// Killed again and again, an import comes to the end that it would have come to.
  @Test func aKilledImportGoesOn() throws {
    try withTemporaryFolder { folder in
      try writeScans(60, in: folder)
      let line = "import scans --size 16 --key key --jobs 2 --out"
      let kept = folder.appendingPathComponent(".set.importing")
      func finished() -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: kept.path)) ?? [])
          .filter { $0.hasSuffix(".json") }.count
      }
      for (goal, signal) in [(5, SIGKILL), (20, SIGINT), (40, SIGKILL)] {
        let result = try Command.limn("\(line) set", in: folder, stop: (signal, { finished() >= goal }))
        #expect(signal == SIGKILL ? result.wasKilled : result.status == 130, "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("set").path))
        if signal == SIGINT { #expect(result.lastLine.contains("the same command again")) }
      }
      let last = try Command.limn("\(line) set", in: folder)
      let whole = try Command.limn("\(line) whole", in: folder)
      #expect(last.status == 0 && whole.status == 0, "\(last.error)")
      #expect(try manifest(folder, "set").contentHash == manifest(folder, "whole").contentHash)
      #expect(!FileManager.default.fileExists(atPath: kept.path))
    }
  }

  /// Pairs are decoded by the helpers, too, and an import of them that was killed goes on.
  @Test func aKilledImportOfPairsGoesOn() throws {
    try withTemporaryFolder { folder in
      try writeScans(40, in: folder)
      let others = folder.appendingPathComponent("others")
      try FileManager.default.createDirectory(at: others, withIntermediateDirectories: false)
      for number in 0..<39 {
        let pixels = Tensor.randint(0, 256, [1, 40, 30], generator: Generator(seed: 100 + UInt64(number)))
        try PNGFile.write(
          pixels: pixels.to(.uint8), to: others.appendingPathComponent("p\(number).png"))
      }
      let line = "import scans --pair others --size 16 --key key --jobs 2 --out"
      let look = try Command.limn("\(line) set --dry-run", in: folder)
      #expect(look.output.contains("39 of 40 have a counterpart to pair with"), "\(look.output)")
      let kept = folder.appendingPathComponent(".set.importing")
      func finished() -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: kept.path)) ?? []).filter {
          $0.hasSuffix(".json")
        }.count
      }
      let killed = try Command.limn("\(line) set", in: folder, stop: (SIGKILL, { finished() >= 9 }))
      #expect(killed.wasKilled)
      let last = try Command.limn("\(line) set", in: folder)
      let whole = try Command.limn("\(line) whole", in: folder)
      #expect(last.status == 0 && whole.status == 0, "\(last.error)")
      #expect(last.error.contains("p39.png: has no counterpart in"), "\(last.error)")
      let manifests = try (manifest(folder, "set"), manifest(folder, "whole"))
      #expect(manifests.0.contentHash == manifests.1.contentHash && manifests.0.count == 39)
      #expect(manifests.0.layers.map(\.name) == ["images", "targets"])
    }
  }

  /// A program that dies of some requests and sleeps over others stands in for a codec that does.
  @Test func aHelperThatDiesCostsOneFile() throws {
    try withTemporaryFolder { folder in
      try writeScans(8, in: folder)
      let helper = folder.appendingPathComponent("helper")
      try Data(
        """
        #!/usr/bin/env python3
        import json, os, struct, sys, time
        while True:
            head = sys.stdin.buffer.read(4)
            if len(head) < 4: break
            request = json.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
            text = json.dumps(request)
            if "p3.png" in text: os.abort()
            if "p5.png" in text: time.sleep(60)
            files = request["probe"]["_0"] if "probe" in request else []
            reply = {"probed": {"_0": [{"problem": "passed over", "isForeign": False} for _ in files]}}
            body = json.dumps(reply).encode()
            sys.stdout.buffer.write(struct.pack("<I", len(body)) + body)
            sys.stdout.buffer.flush()

        """.utf8
      ).write(to: helper)
      #expect(chmod(helper.path, 0o700) == 0)
      var limits = HelperLimits()
      limits.seconds = 0.5
      let survey = try Importer.survey(
        [folder.appendingPathComponent("scans")],
        helpers: .processes(count: 2, executable: helper, arguments: [], limits: limits))
      let lines = survey.problems.map(\.line)
      #expect(lines.count == 8)
      #expect(lines[3].contains("p3.png: the decoder crashed (signal 6)"), "\(lines[3])")
      #expect(lines[5].contains("p5.png: the decoder did not come to an end in time"), "\(lines[5])")
      #expect(lines[4].hasSuffix("p4.png: passed over"))
    }
  }

  /// The bound on memory holds: a picture that would need more is refused by a helper that lives on.
  @Test func memoryIsBounded() throws {
    try withTemporaryFolder { folder in
      try writeScans(3, in: folder)
      let large = Tensor.zeros([1, 20_000, 20_000], dtype: .uint8)
      try PNGFile.write(pixels: large, to: folder.appendingPathComponent("scans/p9.png"))
      var options = ImportOptions(splits: try #require(Splits(fractions: [1])))
      options.cut.size = ImageSize(height: 8, width: 8)
      let program = try #require(Command.program)
      var limits = HelperLimits()
      limits.memory = 700 << 20
      options.helpers = .processes(
        count: 1, executable: program, arguments: ["import-helper"], limits: limits)
      let summary = try Importer.run(
        sources: [folder.appendingPathComponent("scans")], to: folder.appendingPathComponent("set"),
        options: options)
      #expect(summary.manifest.count == 3)
      #expect(summary.problems.map(\.file.lastPathComponent) == ["p9.png"])
    }
  }
}
