// Runs that are cut off at any moment and resumed: the same bits as the run that was not.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct ResumeTests {
  private let files = FileManager.default
  private let rows = Array(stride(from: 2, through: 20, by: 2))

  /// A run is copied at each moment at which the loop calls its method, as if it had been killed there.
  @Test func cutOffAtAnyMoment() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      let copies = folder.appendingPathComponent("copies")
      try files.createDirectory(at: copies, withIntermediateDirectories: false)
      let whole = try TinyRun(place)
      whole.method.onCall = { moment in
        try? FileManager.default.copyItem(at: place, to: copies.appendingPathComponent(moment))
      }
      _ = try whole.trainer.train()
      let moments = entries(copies)
      #expect(moments.count == 20 + 3)
      let losses = try MetricsLog.read(whole.folder.metrics).map(\.values)
      for moment in moments {
        let copy = copies.appendingPathComponent(moment)
        expectEqual(try TinyRun.trained(copy), whole.state, moment)
        let resumed = try RunFolder(opening: copy)
        #expect(try MetricsLog.read(resumed.metrics).map(\.step) == rows, "\(moment)")
        #expect(try MetricsLog.read(resumed.metrics).map(\.values) == losses, "\(moment)")
        #expect(entries(resumed.samples) == entries(whole.folder.samples), "\(moment)")
        #expect(entries(resumed.checkpoints) == entries(whole.folder.checkpoints), "\(moment)")
      }
    }
  }

  @Test func stoppedAndLengthenedAgainAndAgain() throws {
    try withTemporaryFolder { folder in
      let whole = try TinyRun.trained(folder.appendingPathComponent("whole"))
      let place = folder.appendingPathComponent("run")
      for steps in [1, 4, 5, 8, 13] { try TinyRun.trained(place, steps: steps) }
      expectEqual(try TinyRun.trained(place), whole)
      #expect(try RunFolder(opening: place).readPlan().options.steps == 20)
    }
  }

  @Test func tornRowsAndHalfWrittenFoldersDoNoHarm() throws {
    try withTemporaryFolder { folder in
      let whole = try TinyRun.trained(folder.appendingPathComponent("whole"))
      let place = folder.appendingPathComponent("killed")
      try TinyRun.trained(place, steps: 12)
      let killed = try RunFolder(opening: place)
      try files.removeItem(at: killed.checkpoints.appendingPathComponent("00000012"))
      let torn = try FileHandle(forWritingTo: killed.metrics)
      try torn.seekToEnd()
      try torn.write(contentsOf: Data("{\"step\":14,\"ima".utf8))
      let half = killed.checkpoints.appendingPathComponent(".00000012.x.tmp")
      try files.createDirectory(at: half, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: half.appendingPathComponent("networks.safetensors"))

      #expect(try RunFolder(opening: place).newestCheckpoint()?.info.position.step == 10)
      #expect(files.fileExists(atPath: half.path))
      let resumed = try TinyRun(place)
      #expect(resumed.trainer.position.step == 10)
      #expect(entries(killed.checkpoints) == ["00000010"])
      #expect(entries(killed.samples) == ["000000.png", "000010.png"])
      _ = try resumed.trainer.train()
      expectEqual(resumed.state, whole)
      #expect(try MetricsLog.read(resumed.folder.metrics).map(\.step) == rows)
    }
  }

  @Test(arguments: ["networks.safetensors", "optimizers.safetensors", "state.json"], [true, false])
  func aDamagedCheckpointIsPassedOver(file: String, isMissing: Bool) throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      let whole = try TinyRun.trained(place)
      let newest = place.appendingPathComponent("checkpoints/00000020/\(file)")
      let old = try Data(contentsOf: newest)
      try files.removeItem(at: newest)
      if !isMissing { try old.dropLast(3).write(to: newest) }
      expectEqual(try TinyRun.trained(place), whole)
      let names = entries(place.appendingPathComponent("checkpoints"))
      #expect(names == ["00000015", "00000020", "00000020.damaged"])
      #expect(try RunFolder(opening: place).newestCheckpoint()?.info.position.step == 20)
    }
  }

  @Test func withoutAGoodCheckpointTheReasonIsGiven() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      try TinyRun.trained(place, steps: 3)
      let weights = place.appendingPathComponent("checkpoints/00000003/networks.safetensors")
      try Data("no weights".utf8).write(to: weights)
      let error = #expect(throws: SafetensorsError.self) { _ = try TinyRun(place) }
      #expect(error?.description.contains(weights.path) == true)
      #expect(entries(place.appendingPathComponent("checkpoints")) == ["00000003"])
    }
  }

  /// A process that is killed between moving the old checkpoint aside and putting the new one there.
  @Test func aCheckpointIsReplacedSafely() throws {
    try withTemporaryFolder { folder in
      let (new, place) = (folder.appendingPathComponent("new"), folder.appendingPathComponent("00000005"))
      for (url, text) in [(new, "new"), (place, "old")] {
        try files.createDirectory(at: url, withIntermediateDirectories: false)
        try Data(text.utf8).write(to: url.appendingPathComponent("file"))
      }
      try WholeFolder.publish(new, at: place)
      #expect(try String(contentsOf: place.appendingPathComponent("file"), encoding: .utf8) == "new")
      #expect(entries(folder) == ["00000005"])
    }
  }
}
