// Run folders: made whole, named, locked, and tidied of what killed processes leave.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct RunFolderTests {
  private let files = FileManager.default

  @Test func aFolderThatIsThereIsNotTouched() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      try files.createDirectory(at: place, withIntermediateDirectories: true)
      #expect(throws: RunError.self) { _ = try made(place) }
      #expect(throws: RunError.self) { _ = try RunFolder(opening: place) }
      #expect(throws: RunError.self) { _ = try RunFolder(resuming: place) }
      #expect(entries(place).isEmpty)
      #expect(entries(folder) == ["run"])
    }
  }

  private func made(_ place: URL) throws -> RunFolder {
    let plan = RunFolder.Plan(options: .init(steps: 1), setting: TinyRun.setting)
    return try RunFolder(creating: place, info: TinyRun.info, plan: plan, recipeYAML: "")
  }

  @Test func leftoversOfTheSameNameAreRemovedAndNothingElse() throws {
    try withTemporaryFolder { folder in
      let abandoned = ".run.\(UUID().uuidString).tmp"
      let kept = [
        ".run.png.1a2b.tmp", ".run.1a2b.tmp", ".runs.\(UUID().uuidString).tmp",
        ".run.\(UUID().uuidString).tmp",
        "run.\(UUID().uuidString).tmp",
      ]
      for name in kept + [abandoned] {
        try files.createDirectory(
          at: folder.appendingPathComponent(name), withIntermediateDirectories: false)
      }
      // Another process that makes the same folder right now holds this one.
      let lock = try RunLock(folder.appendingPathComponent(kept[3]))
      _ = try made(folder.appendingPathComponent("run"))
      #expect(entries(folder) == (kept + ["run"]).sorted())
      withExtendedLifetime(lock) {}
    }
  }

  @Test func oneProcessTrainsARun() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      let first = try TinyRun(place)
      let error = #expect(throws: RunError.self) { _ = try RunFolder(resuming: place) }
      #expect(error?.description.contains("another process") == true)
      _ = try RunFolder(opening: place)
      #expect(try first.trainer.train() == .finished)
    }
  }

  /// `limn generate` may look into a run while another process writes a checkpoint.
  @Test func lookingChangesNothing() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      try TinyRun.trained(place, steps: 7)
      let half = place.appendingPathComponent("checkpoints/.00000010.x.tmp")
      try files.createDirectory(at: half, withIntermediateDirectories: false)
      let before = try files.subpathsOfDirectory(atPath: place.path).sorted()
      #expect(try RunFolder(opening: place).newestCheckpoint()?.info.position.step == 7)
      #expect(try files.subpathsOfDirectory(atPath: place.path).sorted() == before)
      _ = try RunFolder(resuming: place)
      #expect(!files.fileExists(atPath: half.path))
    }
  }

  @Test func runsAreNumbered() throws {
    try withTemporaryFolder { folder in
      let first = RunFolder.nextName(in: folder, method: "skrgan", dataset: "lungs")
      #expect(first.lastPathComponent == "00000-skrgan-lungs")
      for name in ["00011-pggan-x", "notes", ".00040-skrgan-lungs.x.tmp"] {
        try files.createDirectory(
          at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
      }
      let next = RunFolder.nextName(in: folder, method: "skrgan", dataset: "lungs")
      #expect(next.lastPathComponent == "00012-skrgan-lungs")
    }
  }
}
