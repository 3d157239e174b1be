// Beginning and resuming runs by name on a dataset: what fits, and what is refused without leaving a trace.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct TrainingSessionTests {
  private let types: [any Method.Type] = [TinyMethod.self]

  private func makeDataset(_ url: URL, seed: UInt64 = 1, size: Int = 2, split: Split = .train) throws {
    let description = DatasetDescription(
      name: url.lastPathComponent, channels: 1, height: size, width: size, bitDepth: 8)
    let writer = try DatasetWriter(description, to: url)
    let pixels = Tensor.randint(0, 256, [7, 1, size, size], generator: Generator(seed: seed)).to(.uint8)
    let items = (0..<7).map { DatasetItem(id: "\($0)", patient: "\($0)", source: "\($0).png", split: split) }
    try writer.append(items, images: pixels)
    try writer.finish(provenance: Provenance(sources: 7, tool: "test"))
  }

  private func request(_ folder: URL, device: String = "cpu", steps: Int? = 9, images: Int? = nil)
    -> TrainingRequest
  {
    TrainingRequest(
      dataset: folder.appendingPathComponent("set"), out: folder.appendingPathComponent("run"),
      settings: ["learning_rate=0.1"],
      options: TrainingOptions(steps: steps, images: images, device: device, threads: 1, checkpointEvery: 4))
  }

  private func state(_ run: URL) throws -> [String: Tensor] {
    let folder = try #require(try RunFolder(opening: run).newestCheckpoint()).folder
    return try Safetensors.read(folder.appendingPathComponent("networks.safetensors")).tensors
  }

  @Test func aShortenedRunGoesOnToTheSameBits() throws {
    try withTemporaryFolder { folder in
      let run = folder.appendingPathComponent("run")
      try makeDataset(folder.appendingPathComponent("set"))
      _ = try TrainingSession.begin(TinyMethod.self, request(folder)).trainer.train()
      let whole = try state(run)
      try FileManager.default.removeItem(at: run)
      _ = try TrainingSession.begin(TinyMethod.self, request(folder, steps: 5)).trainer.train()
      _ = try TrainingSession.resume(run, among: types, steps: 9).trainer.train()
      expectEqual(try state(run), whole)
      #expect(try TrainingSession.resume(run, among: types).trainer.isComplete)
    }
  }

  /// A run that begins from another has its weights, its own seed and position, and keeps them when it is killed
  /// before its first checkpoint.
  @Test func aRunBeginsFromAnother() throws {
    try withTemporaryFolder { folder in
      try makeDataset(folder.appendingPathComponent("set"))
      let first = try TrainingSession.begin(TinyMethod.self, request(folder))
      _ = try first.trainer.train()
      let learned = try state(first.run.url)
      var second = request(folder)
      second.out = folder.appendingPathComponent("second")
      second.begunFrom = first.run.url
      let session = try TrainingSession.begin(TinyMethod.self, second)
      #expect(session.trainer.position.step == 0 && session.begunFrom?.hasSuffix("run, step 9") == true)
      expectEqual(try state(session.run.url), learned)
      let again = folder.appendingPathComponent("copy")
      try FileManager.default.copyItem(at: session.run.url, to: again)
      _ = try session.trainer.train()
      let resumed = try TrainingSession.resume(again, among: types)
      #expect(resumed.begunFrom == session.begunFrom)
      _ = try resumed.trainer.train()
      expectEqual(try state(again), try state(session.run.url))
      #expect(
        try state(again)["network.weight"]?.isIdentical(to: #require(learned["network.weight"])) == false)
    }
  }

  @Test func anotherNetworkIsNoBeginning() throws {
    try withTemporaryFolder { folder in
      try makeDataset(folder.appendingPathComponent("set"))
      let first = try TrainingSession.begin(TinyMethod.self, request(folder)).run
      var second = request(folder)
      second.out = folder.appendingPathComponent("second")
      second.begunFrom = first.url
      #expect(throws: RunError.self) { try TrainingSession.begin(TinyMethod.self, second) }
      let method = try TinyMethod(
        recipe: .init(),
        setting: MethodSetting(shape: ImageShape(channels: 1, height: 2, width: 2), totalImages: 1))
      let plan = try first.readPlan()
      let other = first.checkpoints.appendingPathComponent("00000003")
      try first.saveBeginning(of: method, plan, recipeYAML: "")
      try FileManager.default.moveItem(at: first.checkpoints.appendingPathComponent("00000000"), to: other)
      try Safetensors.write(
        ["network.weight": Tensor.zeros([3, 1, 1, 1])],
        to: other.appendingPathComponent("networks.safetensors"))
      #expect { try TrainingSession.begin(TinyMethod.self, second) } throws: {
        "\($0)".contains("0 of 4 weights have the names and shapes of this network")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("second").path))
    }
  }

  /// The end in images may be moved; what the recipe and the schedule were resolved to stays.
  @Test func aFinishedRunIsLengthened() throws {
    try withTemporaryFolder { folder in
      let run = folder.appendingPathComponent("run")
      try makeDataset(folder.appendingPathComponent("set"))
      _ = try TrainingSession.begin(TinyMethod.self, request(folder, steps: nil, images: 20)).trainer.train()
      let session = try TrainingSession.resume(run, among: types, images: 40)
      #expect(!session.trainer.isComplete)
      #expect(try session.trainer.train() == .finished)
      #expect(session.trainer.position.images == 40)
      let plan = try session.run.readPlan()
      #expect(plan.options.images == 40)
      #expect(plan.setting.totalImages == 20)
    }
  }

  @Test func refusedBeginningsLeaveNothing() throws {
    try withTemporaryFolder { folder in
      let nowhere = #expect(throws: DatasetError.self) {
        try TrainingSession.begin(TinyMethod.self, request(folder))
      }
      #expect(nowhere?.description.contains("set") == true)
      try makeDataset(folder.appendingPathComponent("set"))
      for (device, words) in [("gpu", "cpu, cuda or cuda:N"), ("cuda:99", "limn doctor")] {
        let error = #expect(throws: RunError.self) {
          try TrainingSession.begin(TinyMethod.self, request(folder, device: device))
        }
        #expect(error?.description.contains(words) == true)
      }
      #expect(entries(folder) == ["set"])
    }
  }

  @Test func aDatasetWithoutTrainingImagesIsRefused() throws {
    try withTemporaryFolder { folder in
      try makeDataset(folder.appendingPathComponent("set"), split: .test)
      let error = #expect(throws: RunError.self) {
        try TrainingSession.begin(TinyMethod.self, request(folder))
      }
      #expect(error?.description.contains("'train'") == true)
      #expect(entries(folder) == ["set"])
    }
  }

  @Test func anotherDatasetIsNotTakenForTheOwn() throws {
    try withTemporaryFolder { folder in
      let (set, run) = (folder.appendingPathComponent("set"), folder.appendingPathComponent("run"))
      try makeDataset(set)
      _ = try TrainingSession.begin(TinyMethod.self, request(folder, steps: 2)).trainer.train()
      let moved = folder.appendingPathComponent("moved")
      try FileManager.default.moveItem(at: set, to: moved)
      try makeDataset(folder.appendingPathComponent("other"), seed: 2)
      try makeDataset(folder.appendingPathComponent("larger"), size: 4)
      let plan = try Data(contentsOf: run.appendingPathComponent("training.json"))
      for (name, words) in [(nil, "--data"), ("other", "other pixels"), ("larger", "4×4")] {
        let error = #expect(throws: RunError.self) {
          try TrainingSession.resume(
            run, among: types, dataset: name.map { folder.appendingPathComponent($0) }, steps: 6)
        }
        #expect(error?.description.contains(words) == true)
      }
      #expect(try Data(contentsOf: run.appendingPathComponent("training.json")) == plan)
      let session = try TrainingSession.resume(run, among: types, dataset: moved, steps: 6)
      #expect(try session.trainer.train() == .finished)
    }
  }

  @Test func runsWithoutACheckpointDoNotDraw() throws {
    try withTemporaryFolder { folder in
      try makeDataset(folder.appendingPathComponent("set"))
      _ = try TrainingSession.begin(TinyMethod.self, request(folder))
      let error = #expect(throws: RunError.self) {
        _ = try TrainingSession.trained(folder.appendingPathComponent("run"), among: types)
      }
      #expect(error?.description.contains("--resume") == true)
    }
  }

  @Test func unknownMethodsAndDevicesAreExplained() {
    let error = #expect(throws: RunError.self) { try TrainingSession.find("tinny", among: types) }
    #expect(error?.description.contains("did you mean 'tiny'?") == true)
    #expect(throws: RunError.self) { try TrainingSession.device(named: "gpu") }
    #expect(throws: RunError.self) { try TrainingSession.device(named: "cuda:999") }
  }
}
