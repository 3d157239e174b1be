// The loop, run folders and checkpoints, on a method so small that thousands of steps take no time.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

/// Fits a 2×2 image by one convolution, with noise in every step.
private final class TinyMethod: Method {
  struct Recipe: MethodRecipe {
    var learningRate = 0.01
    /// The step at which the loss stops being a number; nil: never.
    var failsAt: Int?
    static let keys = [
      RecipeKey("learning_rate", "Adam's rate", source: "test"), RecipeKey("fails_at", "", source: "test"),
    ]
  }

  static let about = MethodDescription(name: "tiny", title: "Tiny", paper: "none", summary: "For tests.")
  let recipe: Recipe
  let network = Conv2d(inputChannels: 1, outputChannels: 1, kernelSize: 1)
  let optimizer: Adam
  var counters: [String: Double] = ["calls": 0]

  init(recipe: Recipe, setting: MethodSetting) {
    self.recipe = recipe
    optimizer = Adam(network.namedParameters, learningRate: recipe.learningRate)
  }

  var networks: [(name: String, module: Module)] { [("network", network)] }
  var optimizers: [(name: String, optimizer: any Optimizer)] { [("adam", optimizer)] }
  func batchSize(imagesSeen: Int) -> Int { imagesSeen < 10 ? 2 : 3 }

  func step(_ context: StepContext) -> [String: Tensor] {
    counters["calls", default: 0] += 1
    let noise = Tensor.randn(context.images.shape, generator: context.generator(1))
    optimizer.zeroGradients()
    let loss = mseLoss(network(context.images + noise), context.images)
    loss.backward()
    optimizer.step()
    return ["loss": recipe.failsAt == context.step ? Tensor(Float.nan) : loss.detached()]
  }

  func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [("", Tensor.zeros([1, 1, 2, 2]))] }
}

private struct TinyData: TrainingData {
  func batch(at position: Int, count: Int) -> Tensor {
    Tensor(
      (position..<position + count).flatMap { index in (0..<4).map { Float((index * 7 + $0) % 5) / 5 } },
      shape: [count, 1, 2, 2])
  }
}

private struct TinyRun {
  let folder: RunFolder
  let method: TinyMethod
  let trainer: Trainer

  /// Begins a run at `url`, or opens the one that is there.
  init(_ url: URL, steps: Int = 20, recipe: TinyMethod.Recipe = .init()) throws {
    let setting = MethodSetting(shape: ImageShape(channels: 1, height: 2, width: 2), totalImages: 100)
    if FileManager.default.fileExists(atPath: url.path) {
      folder = try RunFolder(opening: url)
    } else {
      let options = TrainingOptions(
        steps: steps, seed: 3, threads: 1, logEvery: 2, sampleEvery: 10, checkpointEvery: 5,
        keepCheckpoints: 2)
      let info = RunInfo(
        method: "tiny", dataset: "nowhere", seed: 3, device: "cpu", precision: "float32", version: "test",
        started: Date(timeIntervalSince1970: 0))
      folder = try RunFolder(
        creating: url, info: info, plan: .init(options: options, setting: setting), recipeYAML: recipe.yaml)
    }
    method = Initialization.with(Generator(seed: 3)) { TinyMethod(recipe: recipe, setting: setting) }
    trainer = try Trainer(run: folder, method: method, data: TinyData())
  }

  var state: [String: Tensor] {
    method.network.stateDict.merging(method.optimizer.state) { $1 }.mapValues { $0.cloned() }
  }
}

private func expectEqual(
  _ a: [String: Tensor], _ b: [String: Tensor], _ location: SourceLocation = #_sourceLocation
) {
  #expect(Set(a.keys) == Set(b.keys), sourceLocation: location)
  for (key, tensor) in a {
    #expect(b[key]?.isIdentical(to: tensor) == true, "\(key)", sourceLocation: location)
  }
}

@Suite(.serialized) struct TrainerTests {
  @Test func aRunWritesAtItsIntervals() throws {
    try withTemporaryFolder { folder in
      let run = try TinyRun(folder.appendingPathComponent("run"))
      #expect(try run.trainer.train() == .finished)
      #expect(run.trainer.position.step == 20)
      #expect(run.trainer.position.images == 5 * 2 + 15 * 3)
      #expect(
        try MetricsLog.read(run.folder.metrics).map(\.step) == Array(stride(from: 2, through: 20, by: 2)))
      #expect(run.folder.listCheckpoints().map(\.lastPathComponent) == ["00000015", "00000020"])
      let samples = try FileManager.default.contentsOfDirectory(atPath: run.folder.samples.path).sorted()
      #expect(samples == ["000000.png", "000010.png", "000020.png"])
      #expect(FileManager.default.fileExists(atPath: run.folder.report.path))
      #expect(run.trainer.isComplete)
      let log = try String(contentsOf: run.folder.url.appendingPathComponent("log.txt"), encoding: .utf8)
      #expect(log.contains("info begun") && log.contains("checkpoint written images=55 step=20"))
    }
  }

  /// A run that is cut off after its checkpoint at step 5, 10 or 15 goes on to the same bits.
  @Test(arguments: [5, 10, 15])
  func resumedEqualsUninterrupted(step: Int) throws {
    try withTemporaryFolder { folder in
      let whole = try TinyRun(folder.appendingPathComponent("whole"))
      _ = try whole.trainer.train()
      let place = folder.appendingPathComponent("cut")
      let cut = try TinyRun(place, steps: step)
      _ = try cut.trainer.train()
      var plan = try cut.folder.readPlan()
      plan.options.steps = 20
      try cut.folder.write(plan)
      let resumed = try TinyRun(place)
      #expect(resumed.trainer.position.step == step)
      #expect(resumed.method.counters["calls"] == Double(step))
      _ = try resumed.trainer.train()
      expectEqual(resumed.state, whole.state)
      #expect(
        try MetricsLog.read(resumed.folder.metrics).map(\.step) == Array(stride(from: 2, through: 20, by: 2)))
    }
  }

  @Test func whatAKilledProcessLeavesDoesNoHarm() throws {
    try withTemporaryFolder { folder in
      let whole = try TinyRun(folder.appendingPathComponent("whole"))
      _ = try whole.trainer.train()
      let place = folder.appendingPathComponent("killed")
      let killed = try TinyRun(place, steps: 12)
      _ = try killed.trainer.train()
      // As if killed after step 12, before its checkpoint, in the middle of a log row and of a checkpoint.
      try FileManager.default.removeItem(at: killed.folder.checkpoints.appendingPathComponent("00000012"))
      let torn = try FileHandle(forWritingTo: killed.folder.metrics)
      try torn.seekToEnd()
      try torn.write(contentsOf: Data("{\"step\":14,\"ima".utf8))
      let half = killed.folder.checkpoints.appendingPathComponent(".00000012.x.tmp")
      try FileManager.default.createDirectory(at: half, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: half.appendingPathComponent("networks.safetensors"))
      var plan = try killed.folder.readPlan()
      plan.options.steps = 20
      try killed.folder.write(plan)

      let resumed = try TinyRun(place)
      #expect(resumed.trainer.position.step == 10)
      #expect(!FileManager.default.fileExists(atPath: half.path))
      _ = try resumed.trainer.train()
      expectEqual(resumed.state, whole.state)
      #expect(
        try MetricsLog.read(resumed.folder.metrics).map(\.step) == Array(stride(from: 2, through: 20, by: 2)))
    }
  }

  @Test func aDamagedCheckpointIsPassedOver() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      let run = try TinyRun(place)
      _ = try run.trainer.train()
      let newest = run.folder.checkpoints.appendingPathComponent("00000020/networks.safetensors")
      try Data("damaged".utf8).write(to: newest)
      #expect(try TinyRun(place).trainer.position.step == 15)
    }
  }

  @Test func aLossThatIsNoNumberStopsTheRun() throws {
    try withTemporaryFolder { folder in
      var recipe = TinyMethod.Recipe()
      recipe.failsAt = 13
      let run = try TinyRun(folder.appendingPathComponent("run"), recipe: recipe)
      let error = #expect(throws: RunError.self) { _ = try run.trainer.train() }
      #expect(error?.description.contains("step 14") == true)
      #expect(error?.description.contains("00000010") == true)
      #expect(run.folder.newestCheckpoint()?.info.position.step == 10)
    }
  }

  @Test func aFolderThatIsThereIsNotTouched() throws {
    try withTemporaryFolder { folder in
      let place = folder.appendingPathComponent("run")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let setting = MethodSetting(shape: ImageShape(channels: 1, height: 2, width: 2), totalImages: 1)
      let info = RunInfo(
        method: "tiny", dataset: "", seed: 0, device: "cpu", precision: "", version: "", started: Date())
      #expect(throws: RunError.self) {
        _ = try RunFolder(
          creating: place, info: info, plan: .init(options: .init(), setting: setting), recipeYAML: "")
      }
      #expect(throws: RunError.self) { _ = try RunFolder(opening: place) }
    }
  }

  @Test func runsAreNumbered() throws {
    try withTemporaryFolder { folder in
      let first = RunFolder.nextName(in: folder, method: "skrgan", dataset: "lungs")
      #expect(first.lastPathComponent == "00000-skrgan-lungs")
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("00011-pggan-x"), withIntermediateDirectories: true)
      let next = RunFolder.nextName(in: folder, method: "skrgan", dataset: "lungs")
      #expect(next.lastPathComponent == "00012-skrgan-lungs")
    }
  }

  @Test func unknownMethodsAndDevicesAreExplained() {
    let error = #expect(throws: RunError.self) { try TrainingSession.find("tinny", among: [TinyMethod.self]) }
    #expect(error?.description.contains("did you mean 'tiny'?") == true)
    #expect(throws: RunError.self) { try TrainingSession.device(named: "gpu") }
    #expect(throws: RunError.self) { try TrainingSession.device(named: "cuda:999") }
  }
}
