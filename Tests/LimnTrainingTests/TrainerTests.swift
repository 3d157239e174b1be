// The loop, its intervals and its ends, on a tiny method.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct TrainerTests {
  @Test func aRunWritesAtItsIntervals() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(folder.appendingPathComponent("run"))
      #expect(try run.trainer.train() == .finished)
      #expect(run.trainer.position.step == 20)
      #expect(run.trainer.position.images == 5 * 2 + 15 * 3)
      #expect(
        try MetricsLog.read(run.folder.metrics).map(\.step) == Array(stride(from: 2, through: 20, by: 2)))
      #expect(entries(run.folder.checkpoints) == ["00000015", "00000020"])
      #expect(entries(run.folder.samples) == ["000000.png", "000010.png", "000020.png"])
      #expect(FileManager.default.fileExists(atPath: run.folder.report.path))
      #expect(run.trainer.isComplete)
      let log = try String(contentsOf: run.folder.url.appendingPathComponent("log.txt"), encoding: .utf8)
      #expect(log.contains("info begun") && log.contains("checkpoint written images=55 step=20"))
    }
  }

  @Test func aRunEndsAfterItsImages() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(folder.appendingPathComponent("run"), steps: nil, images: 30)
      #expect(try run.trainer.train() == .finished)
      // 5 steps of 2 images, then 7 of 3: the last one goes past the end.
      #expect(run.trainer.position.step == 12)
      #expect(run.trainer.position.images == 31)
      #expect(entries(run.folder.checkpoints) == ["00000010", "00000012"])
      #expect(entries(run.folder.samples) == ["000000.png", "000010.png", "000012.png"])
    }
  }

  @Test func theTimeOfAllSessionsIsAddedUp() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      try TinyRun.trained(place, steps: 10)
      let before = try #require(try RunFolder(opening: place).newestCheckpoint()).info.position.seconds
      #expect(before > 0)
      try TinyRun.trained(place, steps: 20)
      let times = try MetricsLog.read(RunFolder(opening: place).metrics).map(\.time)
      #expect(times == times.sorted())
      #expect(times[5] >= before)
    }
  }

  @Test func aLossThatIsNoNumberStopsTheRun() throws {
    try withTemporaryFolder { folder in
      var recipe = TinyMethod.Recipe()
      recipe.failsAt = 13
      let run = try TinyRun(folder.appendingPathComponent("run"), recipe: recipe)
      let error = #expect(throws: RunError.self) { _ = try run.trainer.train() }
      #expect(error?.description.contains("loss is not a number at step 14") == true)
      #expect(error?.description.contains("00000010") == true)
      #expect(entries(run.folder.checkpoints) == ["00000005", "00000010"])
    }
  }

  /// The loss of step 15 is a number, but what it makes of the weights must not become the last good state.
  @Test func weightsThatAreNoNumbersAreNotSaved() throws {
    try withTemporaryFolder { folder in
      var recipe = TinyMethod.Recipe()
      recipe.spoilsAt = 14
      let run = try TinyRun(folder.appendingPathComponent("run"), recipe: recipe)
      let error = #expect(throws: RunError.self) { _ = try run.trainer.train() }
      #expect(error?.description.contains("average.weight is not a number at step 15") == true)
      #expect(error?.description.contains("00000010") == true)
      #expect(entries(run.folder.checkpoints) == ["00000005", "00000010"])
    }
  }

  @Test func withoutACheckpointNoneIsNamed() throws {
    try withTemporaryFolder { folder in
      var recipe = TinyMethod.Recipe()
      recipe.failsAt = 1
      let run = try TinyRun(folder.appendingPathComponent("run"), recipe: recipe)
      let error = #expect(throws: RunError.self) { _ = try run.trainer.train() }
      #expect(error?.description.contains("no checkpoint had been written") == true)
    }
  }
}
