// SkrGAN runs stopped by Ctrl-C and by kill -9 at random moments: resumed, they leave what an uninterrupted one
// leaves. scripts/resume-check does the same at length.

import Foundation
import LimnTestSupport
import LimnTraining
import Testing

@testable import limn

@Suite(.serialized) struct ResumeCommandTests {
  /// All files of a run that must not depend on interruptions, and its rows without their times.
  private struct Outcome: Equatable {
    var files: [String: Data] = [:]
    var rows: [MetricsRow] = []

    init(_ run: URL) throws {
      let folder = try RunFolder(opening: run)
      let newest = try #require(folder.newestCheckpoint())
      for url in [newest.folder, folder.samples] {
        for name in try FileManager.default.contentsOfDirectory(atPath: url.path) where name != "state.json" {
          files[name] = try Data(contentsOf: url.appendingPathComponent(name))
        }
      }
      rows = try MetricsLog.read(folder.metrics).map { row in
        MetricsRow(step: row.step, images: row.images, time: 0, values: row.values)
      }
    }
  }

  /// Whether the log of a run has come to a row.
  private func hasLogged(_ run: URL, step: Int) -> Bool {
    ((try? MetricsLog.read(run.appendingPathComponent("metrics.jsonl")))?.last?.step ?? -1) >= step
  }

  @Test func stoppedAndResumedEqualsUninterrupted() throws {
    try withTemporaryFolder { folder in
      try Command.makeDataset(in: folder)
      let done = try Command.limn("\(Command.tiny) --out whole", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let whole = try Outcome(folder.appendingPathComponent("whole"))
      #expect(Set(whole.rows.compactMap { $0.values["growth_resolution"] }) == [4, 8, 16, 32])
      for signal in [SIGINT, SIGKILL] {
        let run = folder.appendingPathComponent("run-\(signal)")
        for part in 0..<3 {
          let step = Int.random(in: part * 10..<part * 10 + 9)
          let begun = FileManager.default.fileExists(atPath: run.path)
          let line = begun ? "train --resume \(run.path)" : "\(Command.tiny) --out \(run.path)"
          let stopped = try Command.limn(line, in: folder, stop: (signal, { hasLogged(run, step: step) }))
          if signal == SIGINT {
            #expect(stopped.status == 130, "\(stopped.error)")
            #expect(stopped.lastLine.hasSuffix("limn train --resume \(run.path)"))
          } else {
            #expect(stopped.wasKilled)
          }
        }
        let resumed = try Command.limn("train --resume \(run.path)", in: folder)
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(try Outcome(run) == whole, "signal \(signal)")
      }
    }
  }

  @Test func oneProcessTrainsWhileOthersDraw() throws {
    try withTemporaryFolder { folder in
      try Command.makeDataset(in: folder)
      let run = folder.appendingPathComponent("run")
      var second: Command.Result?
      var drawing: Command.Result?
      let elsewhere = folder.appendingPathComponent("elsewhere")
      try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: false)
      _ = try Command.limn(
        "\(Command.tiny) --out run --images 100000", in: folder,
        stop: (
          SIGINT,
          {
            guard hasLogged(run, step: 5) else { return false }
            second = try? Command.limn("train --resume \(run.path)", in: elsewhere)
            drawing = try? Command.limn("generate \(run.path) --count 1 --out drawn", in: elsewhere)
            return true
          }
        ))
      #expect(second?.status == 1)
      #expect(second?.lastLine.contains("another process") == true)
      #expect(drawing?.status == 0, "\(drawing?.error ?? "")")
    }
  }
}
