// Targets of a run: pairs, a second dataset of other images, and pairs torn apart.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

/// Learns targets from images by one convolution, as the tiny method learns images.
private final class TinyTranslation: Method {
  static let about = MethodDescription(name: "turn", title: "Turn", paper: "none", summary: "For tests.")
  let recipe: TinyMethod.Recipe
  let setting: MethodSetting
  let network: Conv2d
  let optimizer: Adam
  var counters: [String: Double] = [:]

  init(recipe: TinyMethod.Recipe, setting: MethodSetting) throws {
    (self.recipe, self.setting) = (recipe, setting)
    network = Conv2d(
      inputChannels: setting.shape.channels, outputChannels: setting.targets?.channels ?? 1, kernelSize: 1)
    optimizer = Adam(network.namedParameters, learningRate: recipe.learningRate)
  }

  var networks: [(name: String, module: Module)] { [("network", network)] }
  var optimizers: [(name: String, optimizer: any Optimizer)] { [("adam", optimizer)] }
  var trainingLayers: TrainingLayers { TrainingLayers(stored: ["targets"]) }
  func batchSize(imagesSeen: Int) -> Int { 2 }
  func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  func step(_ context: StepContext) -> [String: Tensor] {
    guard let targets = context.layers["targets"] else { return [:] }
    optimizer.zeroGradients()
    let loss = mseLoss(network(context.images), targets)
    loss.backward()
    optimizer.step()
    return ["loss": loss.detached()]
  }
}

@Suite struct TargetTests {
  private let types: [any Method.Type] = [TinyTranslation.self, TinyMethod.self]

  /// 12 items of 4 patients, three each, the last patient held out; item n is of brightness 10 n, its target of
  /// 10 n + 5.
  private func write(
    _ url: URL, pairs: Bool = true, channels: Int = 1, size: Int = 2,
    patients: [String] = ["a", "b", "c", "d"],
    shift: Int = 0
  ) throws {
    let target = LayerDescriptor(
      name: "targets", dtype: .uint8, itemShape: [1, size, size], intensity: IntensityRecord(window: "full"))
    let writer = try DatasetWriter(
      DatasetDescription(
        name: "set", channels: channels, height: size, width: size, bitDepth: 8,
        intensity: IntensityRecord(window: "range:0,\(9 + shift)"), companions: pairs ? [target] : []),
      to: url)
    let items = (0..<12).map {
      DatasetItem(
        id: "\($0)", patient: patients[$0 / 3 % patients.count], source: "", slice: $0 % 3,
        split: $0 < 9 || patients.count == 1 ? .train : .validation)
    }
    let levels = (Tensor.arange(12).reshaped([12, 1, 1, 1]) * 10).expanded([12, channels, size, size])
    let targets = levels[.all, 0..<1] + 5
    try writer.append(
      items, images: (levels + Double(shift)).to(.uint8),
      companions: pairs ? ["targets": targets.to(.uint8)] : [:])
    try writer.finish(provenance: Provenance(sources: 12, tool: "test"))
  }

  private func with<R>(_ body: (URL) throws -> R) throws -> R {
    try withTemporaryFolder { folder in
      try write(folder.appendingPathComponent("set"))
      return try body(folder)
    }
  }

  private func stream(_ folder: URL, target: String? = nil, seed: UInt64 = 3, shuffles: Bool = false) throws
    -> DatasetStream
  {
    var options = TrainingOptions(steps: 1, seed: seed)
    if shuffles { options.shufflesTargets = true }
    return try DatasetStream(
      Dataset.open(folder.appendingPathComponent("set")),
      target: target.map { try Dataset.open(folder.appendingPathComponent($0)) },
      layers: TrainingLayers(stored: ["targets"]), options: options, device: .cpu)
  }

  private func levels(_ images: Tensor) -> [Int] {
    images[.all, 0, 0, 0].array(of: Float.self).map { Int((($0 + 1) * 127.5).rounded()) }
  }

  private func pairs(_ batch: TrainingBatch) throws -> [(image: Int, target: Int)] {
    Array(zip(levels(batch.images), levels(try #require(batch.layers["targets"])))).map { ($0 / 10, $1) }
  }

  // MARK: - Batches

  @Test func pairsStayPairs() throws {
    try with { folder in
      let stream = try stream(folder)
      for (image, target) in try pairs(stream.batch(at: 0, count: 18)) { #expect(target == image * 10 + 5) }
      #expect(try stream.heldOut.flatMap(pairs).map(\.target) == [95, 105, 115])
    }
  }

  @Test func aSecondDatasetHasAnOrderOfItsOwn() throws {
    try with { folder in
      // Patient c is held out of neither, d of the first one.
      try write(
        folder.appendingPathComponent("other"), pairs: false, channels: 3, patients: ["x", "d", "c", "v"],
        shift: 7
      )
      let stream = try stream(folder, target: "other")
      let drawn = try pairs(stream.batch(at: 0, count: 36))
      #expect(Set(drawn.map(\.image)) == Set(0..<9))
      // Items 3 to 5 are patient d's.
      #expect(Set(drawn.map(\.target)) == Set([0, 1, 2, 6, 7, 8].map { $0 * 10 + 7 }))
      #expect(Set(drawn[0..<6].map(\.target)).count == 6 && Set(drawn[6..<12].map(\.target)).count == 6)
      #expect(Set(drawn.map { "\($0.image) \($0.target)" }).count > 20)
      #expect(try #require(stream.batch(at: 0, count: 4).layers["targets"]).shape == [4, 3, 2, 2])
      let later = try pairs(stream.batch(at: 7, count: 5))
      #expect(later.map(\.target) == drawn[7..<12].map(\.target))
      #expect(
        stream.heldOut.allSatisfy { $0.layers.isEmpty } && levels(stream.heldOut[0].images) == [90, 100, 110])
    }
  }

  @Test func onlyHeldOutPatientsAreNothingToDrawFrom() throws {
    try with { folder in
      try write(folder.appendingPathComponent("other"), pairs: false, patients: ["d"])
      #expect { try stream(folder, target: "other") } throws: { "\($0)".contains("not held out of") }
    }
  }

  @Test func theSecondDatasetIsAugmentedByItself() throws {
    try with { folder in
      try write(folder.appendingPathComponent("other"), pairs: false)
      var options = TrainingOptions(steps: 1, seed: 3, augmentation: "brightness:-0.1..0.1")
      options.seed = 5
      let stream = try DatasetStream(
        Dataset.open(folder.appendingPathComponent("set")),
        target: Dataset.open(folder.appendingPathComponent("other")),
        layers: TrainingLayers(stored: ["targets"]), options: options, device: .cpu)
      let batch = stream.batch(at: 0, count: 9)
      func offsets(_ images: Tensor) -> [Float] {
        images[.all, 0, 0, 0].array(of: Float.self).map { value in
          let level = (value + 1) * 127.5
          return level - (level / 10).rounded() * 10
        }
      }
      let (own, others) = (offsets(batch.images), offsets(try #require(batch.layers["targets"])))
      #expect(own != others && Set(others).count > 4)
    }
  }

  @Test func shuffledTargetsAreAnotherPatients() throws {
    try with { folder in
      let shuffled = try stream(folder, shuffles: true)
      let drawn = try pairs(shuffled.batch(at: 0, count: 27))
      var given: [Int: Set<Int>] = [:]
      for (image, target) in drawn {
        #expect(target % 10 == 5 && target / 30 != image / 3)
        // As far through the other patient's items.
        #expect(target / 10 % 3 == image % 3)
        given[image, default: []].insert(target)
      }
      #expect(given.count == 9)
      // In an epoch everybody's go to one other patient, and to another one in time.
      let owners = drawn.map { ($0.image / 3, $0.target / 30) }
      for epoch in 0..<3 {
        let pairs = Set(owners[9 * epoch..<9 * epoch + 9].map { "\($0.0)-\($0.1)" })
        #expect(pairs == ["0-1", "1-2", "2-0"] || pairs == ["0-2", "2-1", "1-0"])
      }
      #expect(try shuffled.heldOut.flatMap(pairs).map(\.target) == [95, 105, 115])
      let orders = try (0..<8).map { seed in
        try pairs(stream(folder, seed: UInt64(seed), shuffles: true).batch(at: 0, count: 27))
          .filter { $0.image == 0 }.map { $0.target / 30 }
      }
      #expect(Set(orders.joined()) == [1, 2] && orders.contains { Set($0).count == 2 })
      #expect(orders.contains { $0.first == 1 } && orders.contains { $0.first == 2 })
    }
    try withTemporaryFolder { folder in
      try write(folder.appendingPathComponent("set"), patients: ["a"])
      #expect { try stream(folder, shuffles: true) } throws: {
        "\($0)".contains("two or more for --shuffle-targets")
      }
    }
  }

  /// Patients with other numbers of slices: levels are kept as far as they can be.
  @Test func unequalPatientsShareLevels() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let writer = try DatasetWriter(
        DatasetDescription(name: "set", channels: 1, height: 1, width: 1, bitDepth: 8), to: url)
      let items = (0..<9).map { DatasetItem(id: "\($0)", patient: $0 < 6 ? "a" : "b", source: "") }
      try writer.append(items, images: Tensor.zeros([9, 1, 1, 1], dtype: .uint8))
      try writer.finish(provenance: Provenance(sources: 2, tool: "test"))
      let shuffle = try TargetShuffle(Dataset.open(url), Array(0..<9), 1)
      #expect((0..<9).map { shuffle.partner(of: $0, epoch: 4) } == [6, 6, 7, 7, 8, 8, 1, 3, 5])
    }
  }

  // MARK: - Runs

  private func request(_ folder: URL, target: String? = nil, steps: Int = 6) -> TrainingRequest {
    TrainingRequest(
      dataset: folder.appendingPathComponent("set"), target: target.map { folder.appendingPathComponent($0) },
      out: folder.appendingPathComponent("run"), settings: ["learning_rate=0.1"],
      options: TrainingOptions(steps: steps, threads: 1, checkpointEvery: 4))
  }

  private func state(_ run: URL) throws -> [String: Tensor] {
    let folder = try #require(try RunFolder(opening: run).newestCheckpoint()).folder
    return try Safetensors.read(folder.appendingPathComponent("networks.safetensors")).tensors
  }

  @Test func aMethodKnowsItsTargets() throws {
    try with { folder in
      try write(folder.appendingPathComponent("other"), pairs: false, channels: 3)
      func setting(_ request: TrainingRequest) throws -> MethodSetting {
        let run = try TrainingSession.begin(TinyTranslation.self, request).run
        defer { try? FileManager.default.removeItem(at: run.url) }
        return try run.readPlan().setting
      }
      let full = IntensityRecord(window: "full")
      #expect(
        try setting(request(folder)).targets == TargetSetting(channels: 1, intensity: full, isPaired: true))
      var shuffled = request(folder)
      shuffled.options.shufflesTargets = true
      #expect(try setting(shuffled).targets?.isPaired == false)
      let unpaired = try setting(request(folder, target: "other"))
      #expect(
        unpaired.targets
          == TargetSetting(channels: 3, intensity: IntensityRecord(window: "range:0,9"), isPaired: false))
      #expect(unpaired.layers == ["images", "targets"])
      let dry = try TrainingSession.dryRun(TinyTranslation.self, request(folder, target: "other"))
      #expect(dry.trainingItems == 9 && dry.trainingTargets == 9)
      #expect(try TrainingSession.dryRun(TinyTranslation.self, request(folder)).trainingTargets == nil)
    }
  }

  @Test func settingsOfOlderRunsAreRead() throws {
    let text = #"{"shape":{"channels":1,"height":2,"width":2},"totalImages":9}"#
    let setting = try JSONDecoder().decode(MethodSetting.self, from: Data(text.utf8))
    #expect(setting.targets == nil && setting.totalImages == 9)
  }

  @Test func aRunWithASecondDatasetGoesOnToTheSameBits() throws {
    try with { folder in
      let (run, other) = (folder.appendingPathComponent("run"), folder.appendingPathComponent("other"))
      try write(other, pairs: false, shift: 3)
      _ = try TrainingSession.begin(TinyTranslation.self, request(folder, target: "other")).trainer.train()
      let whole = try state(run)
      #expect(try String(contentsOf: RunFolder(opening: run).report, encoding: .utf8).contains(other.path))
      try FileManager.default.removeItem(at: run)
      _ = try TrainingSession.begin(TinyTranslation.self, request(folder, target: "other", steps: 3)).trainer
        .train()
      let moved = folder.appendingPathComponent("moved")
      try FileManager.default.moveItem(at: other, to: moved)
      try write(folder.appendingPathComponent("changed"), pairs: false, shift: 4)
      for (name, words) in [(nil, "with --target"), ("changed", "other pixels"), ("nowhere", "nowhere")] {
        #expect {
          try TrainingSession.resume(
            run, among: types, target: name.map { folder.appendingPathComponent($0) }, steps: 6)
        } throws: {
          "\($0)".contains(words)
        }
      }
      _ = try TrainingSession.resume(run, among: types, target: moved, steps: 6).trainer.train()
      expectEqual(try state(run), whole)
    }
  }

  @Test func whatDoesNotGoTogetherIsRefused() throws {
    try with { folder in
      try write(folder.appendingPathComponent("large"), pairs: false, size: 4)
      try write(folder.appendingPathComponent("other"), pairs: false)
      func line(_ type: any Method.Type, _ request: TrainingRequest) -> String {
        do {
          _ = try TrainingSession.begin(type, request)
          return ""
        } catch { return "\(error)" }
      }
      #expect(
        line(TinyTranslation.self, request(folder, target: "large")).contains(
          "images of 4×4 pixels, expected 2×2"))
      #expect(
        line(TinyMethod.self, request(folder, target: "other")).contains("--target: tiny has no targets"))
      var both = request(folder, target: "other")
      both.options.shufflesTargets = true
      #expect(line(TinyTranslation.self, both).contains("leave one out"))
      both.target = nil
      #expect(line(TinyMethod.self, both).contains("--shuffle-targets: tiny has no targets"))
      both.dataset = folder.appendingPathComponent("other")
      #expect(line(TinyTranslation.self, both).contains("'limn import --pair' makes them"))
      #expect(entries(folder) == ["large", "other", "set"])
      _ = try TrainingSession.begin(TinyTranslation.self, request(folder))
      #expect {
        try TrainingSession.resume(
          folder.appendingPathComponent("run"), among: types, target: folder.appendingPathComponent("other"))
      } throws: {
        "\($0)".contains("begun without a second dataset")
      }
    }
  }
}
