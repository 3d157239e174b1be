// The loop: a short skeleton of hooks around a method's step.

import Foundation
import LimnImaging
import LimnTorch
import Logging

/// Batches by position in an endless stream: a pure function, so that a resumed run sees what it would have
/// seen.
public protocol TrainingData {
  /// The images `position ..< position + count` of the stream, on the device, with what the method learns from
  /// besides.
  func batch(at position: Int, count: Int) -> TrainingBatch

  /// Images of the validation split, whole and unchanged, on the device; the same ones each time.
  var heldOut: [TrainingBatch] { get }
}

extension TrainingData {
  public var heldOut: [TrainingBatch] { [] }
}

/// Trains a method in a run folder, from the start or from the newest checkpoint.
public final class Trainer {
  /// How a run came to its end.
  public enum Outcome: Equatable {
    case finished
    /// Someone asked to stop; the state is saved.
    case interrupted
  }

  private let run: RunFolder
  private let method: any Method
  private let data: any TrainingData
  private let plan: RunFolder.Plan
  private let recipeYAML: String
  private let methodName: String
  private var options: TrainingOptions { plan.options }

  /// How far the run is.
  public private(set) var position = RunPosition.start
  private var latest: [String: Tensor] = [:]
  /// The step of the newest checkpoint.
  private var savedStep: Int?
  private var metrics: MetricsLog
  private let board: TensorBoardWriter
  private let line: ProgressLine
  private let logger: Logger
  private var clock = ContinuousClock.now

  /// Prepares a run; with a checkpoint in the folder, at that point.
  /// - Parameters:
  ///   - run: the folder, made or opened to be resumed.
  ///   - method: built from the run's recipe and setting, on the device.
  ///   - data: the same stream each time.
  ///   - plan: takes the place of the folder's own when training begins; nil: none does.
  /// - Throws: ``RunError`` or `ReportingError` naming what in the folder cannot be read.
  public init(
    run: RunFolder, method: any Method, data: any TrainingData, plan: RunFolder.Plan? = nil
  ) throws {
    (self.run, self.method, self.data) = (run, method, data)
    let plan = try plan ?? run.readPlan()
    self.plan = plan
    recipeYAML = try run.readRecipe()
    methodName = type(of: method).about.name
    let checkpoint = try run.restoreNewestCheckpoint(into: method, optimizers: true)
    if let checkpoint { position = checkpoint.info.position }
    savedStep = checkpoint?.info.position.step
    logger = run.logger()
    metrics = try MetricsLog(url: run.metrics, resumeStep: position.step)
    // Events of a process that was killed before its first checkpoint are to be dropped, too.
    board = try TensorBoardWriter(folder: run.url, resumingAfter: checkpoint?.info.position.step ?? -1)
    line = ProgressLine(
      label: plan.options.steps == nil ? "image" : "step", total: plan.options.steps ?? plan.options.images,
      unit: "img", start: plan.options.steps == nil ? position.images : position.step,
      startItems: position.images, startWork: method.effort(images: position.images),
      totalWork: plan.options.imagesAtEnd(from: position, method).map(method.effort))
    for name in try run.setAside(after: position.step) {
      let words = "checkpoint \(name) cannot be read and is set aside; going on from step \(position.step)"
      line.note(words)
      logger.warning("\(words)")
    }
  }

  /// Whether nothing is left to do.
  public var isComplete: Bool { options.isComplete(position) }

  /// Runs to the end, or until someone asks to stop.
  /// - Throws: ``RunError`` when a loss or weight is not a number, naming the last good checkpoint.
  public func train() throws -> Outcome {
    Torch.threadCount = options.threads
    Torch.keepFreedMemory()
    clock = .now
    try run.write(plan)
    logger.info(
      "\(position.step == 0 ? "begun" : "resumed") with Limn \(LimnVersion.current), libtorch \(Torch.version)",
      metadata: place)
    if position.step == 0 { try sample() }
    while !isComplete && !Interruption.isRequested { try advance() }
    if savedStep != position.step { try save() }
    line.finish(progress, items: position.images, work: work) { details }
    try report()
    logger.info("\(isComplete ? "finished" : "interrupted")", metadata: place)
    return isComplete ? .finished : .interrupted
  }

  private func advance() throws {
    let count = method.batchSize(imagesSeen: position.images)
    let batch = data.batch(at: position.images, count: count)
    let context = StepContext(
      step: position.step, imagesSeen: position.images, images: batch.images,
      precision: options.precision.dtype, seed: options.seed, layers: batch.layers)
    seedDefaultGenerator(context)
    latest = method.step(context)
    position.step += 1
    position.images += count
    if position.step % options.logEvery == 0 { try log() }
    // The last sheets come before the last checkpoint: whatever is complete has both.
    if position.step % options.sampleEvery == 0 || isComplete { try sample() }
    if position.step % options.checkpointEvery == 0 { try save() }
    line.update(progress, items: position.images, work: work) { details }
  }

  /// Operators without a generator argument, such as dropout, draw from the default one.
  private func seedDefaultGenerator(_ context: StepContext) {
    Generator.default(on: context.device).reseed(Seed.derive(options.seed, UInt64(position.step), 0xD0))
  }

  // MARK: - Hooks

  private func log() throws {
    let values = latest.mapValues { $0.item() }
    try record(values)
    try requireFinite(values)
  }

  private func record(_ values: [String: Double]) throws {
    measureTime()
    try metrics.append(
      MetricsRow(step: position.step, images: position.images, time: position.seconds, values: values))
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      board.addScalar(name, value, step: position.step)
    }
    try board.flush()
  }

  private func sample() throws {
    // Weights that have learned nothing have nothing to show on held-out images.
    let examination = position.step == 0 ? Examination() : method.examine(data.heldOut)
    if !examination.measures.isEmpty { try record(examination.measures) }
    let text = method is any GenerativeMethod ? PNGFile.syntheticText("drawn by Limn's \(methodName)") : [:]
    for (name, images) in method.previews(seed: options.seed) + examination.pictures {
      let sheet = try PNGFile.encode(pixels: ContactSheet().image(of: images), text: text)
      let prefix = name.isEmpty ? "" : "\(name)-"
      let file = "\(prefix)\(String(format: "%06d", position.step)).png"
      try AtomicFile.write(sheet, to: run.samples.appendingPathComponent(file))
      try board.addImage(name.isEmpty ? "samples" : name, png: sheet, step: position.step)
    }
    try report()
  }

  private func save() throws {
    measureTime()
    try requireFinite(latest.mapValues { $0.item() })
    try requireFinite(sumsOfWeights())
    let info = CheckpointInfo(
      method: methodName, position: position, setting: plan.setting, recipe: recipeYAML,
      counters: method.counters, limnVersion: LimnVersion.current)
    _ = try Checkpoint.write(method, info: info, in: run.checkpoints)
    savedStep = position.step
    logger.info("checkpoint written", metadata: place)
    run.prune(keeping: options.keepCheckpoints)
  }

  private func report() throws { try RunReport.write(runFolder: run.url) }

  private func requireFinite(_ values: [String: Double]) throws {
    guard let bad = values.filter({ !$0.value.isFinite }).min(by: { $0.key < $1.key }) else { return }
    let good = run.newestCheckpoint().map { "the last good checkpoint is \($0.folder.path)" }
    logger.error("\(bad.key) is \(bad.value)", metadata: place)
    throw RunError(
      "\(bad.key) is \(bad.value.isNaN ? "not a number" : "infinite") at step \(position.step); \(good ?? "no checkpoint had been written"). "
        + "A smaller learning rate or float32 precision may help.")
  }

  /// A sum is a number if all that it adds are.
  private func sumsOfWeights() -> [String: Double] {
    var sums: [String: Double] = [:]
    for (name, module) in method.networks {
      for (key, tensor) in module.stateDict where tensor.dtype.isFloatingPoint {
        sums["the sum of weight \(name).\(key)"] = tensor.detached().sum().item()
      }
    }
    return sums
  }

  private func measureTime() {
    let now = ContinuousClock.now
    position.seconds += (now - clock) / .seconds(1)
    clock = now
  }

  private var place: Logger.Metadata { ["step": "\(position.step)", "images": "\(position.images)"] }

  // MARK: - What the live line shows

  private var progress: Int { options.steps == nil ? position.images : position.step }

  private var work: Double { method.effort(images: position.images) }

  private var details: [String] {
    latest.filter { $0.key.hasPrefix("loss") }.sorted { $0.key < $1.key }.map { name, value in
      let short = name.dropFirst("loss".count).drop { $0 == "_" || $0 == "/" }
      return "\(short.isEmpty ? "loss" : String(short)) \(HumanReadable.number(value.item()))"
    }
  }
}
