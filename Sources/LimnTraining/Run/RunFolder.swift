// The folder of a run: everything needed to resume, to sample, to understand.

import Foundation
import LimnTorch
import Yams

/// `runs/00012-skrgan-lungct/`: recipe.yaml, run.json, training.json, metrics.jsonl, samples/, checkpoints/,
/// report.html.
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL

  /// One folder for each checkpoint, named by its step.
  public var checkpoints: URL { url.appendingPathComponent("checkpoints") }
  /// Sheets of previews, named by their steps.
  public var samples: URL { url.appendingPathComponent("samples") }
  /// One JSON object a line.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// The page that shows the run.
  public var report: URL { url.appendingPathComponent("report.html") }
  private let lock: RunLock?
  private var plan: URL { url.appendingPathComponent("training.json") }
  private var recipe: URL { url.appendingPathComponent("recipe.yaml") }

  /// How the run was begun, all that a resume needs besides the checkpoint.
  public struct Plan: Codable, Equatable, Sendable {
    /// Length, seed, device and intervals.
    public var options: TrainingOptions
    /// What the networks are built for.
    public var setting: MethodSetting
    /// The content hash of the dataset, so that another one is not taken for it; nil: not checked.
    public var dataset: String?
    /// The same of the second dataset, which the targets come from; nil: there is none.
    public var target: String?

    /// All that a resume needs besides the checkpoint.
    public init(
      options: TrainingOptions, setting: MethodSetting, dataset: String? = nil, target: String? = nil
    ) {
      (self.options, self.setting, self.dataset, self.target) = (options, setting, dataset, target)
    }
  }

  /// Opens an existing run to look at it; nothing in it is changed.
  /// - Throws: ``RunError`` if the folder holds none.
  public init(opening url: URL) throws {
    try self.init(url, lock: nil)
  }

  /// Opens an existing run to go on with it, and removes what a killed process has left half-written.
  /// - Throws: ``RunError`` if the folder holds none, or if another process is training it.
  public init(resuming url: URL) throws {
    _ = try RunFolder(opening: url)
    try self.init(url, lock: RunLock(url))
    for folder in [url, checkpoints, samples] { WholeFolder.removeLeftovers(in: folder) }
  }

  private init(_ url: URL, lock: RunLock?) throws {
    (self.url, self.lock) = (url, lock)
    guard FileManager.default.fileExists(atPath: plan.path) else {
      throw RunError("\(url.path): not a run; expected a folder that 'limn train' has written")
    }
  }

  /// Makes a run folder, complete from its first moment: it is filled beside its place and renamed.
  /// - Parameters:
  ///   - url: where it will be.
  ///   - info: what the run is.
  ///   - plan: how it is carried out.
  ///   - recipeYAML: the resolved recipe.
  ///   - beginning: writes what else the folder holds from the beginning.
  /// - Throws: ``RunError`` if something is there already.
  public init(
    creating url: URL, info: RunInfo, plan: Plan, recipeYAML: String,
    beginning: (RunFolder) throws -> Void = { _ in }
  ) throws {
    let files = FileManager.default
    guard !files.fileExists(atPath: url.path) else {
      throw RunError("\(url.path): exists already; give another --out, or continue it with --resume")
    }
    let parent = url.deletingLastPathComponent()
    try files.createDirectory(at: parent, withIntermediateDirectories: true)
    WholeFolder.removeLeftovers(in: parent, beside: url.lastPathComponent, where: RunLock.isFree)
    let temporary = WholeFolder.temporaryPlace(beside: url)
    do {
      try files.createDirectory(at: temporary, withIntermediateDirectories: true)
      let lock = try RunLock(temporary)
      let folder = RunFolder(filling: temporary)
      try folder.fill(info, plan, recipeYAML)
      try beginning(folder)
      try WholeFolder.move(temporary, to: url)
      try self.init(url, lock: lock)
    } catch {
      try? files.removeItem(at: temporary)
      throw error
    }
  }

  private init(filling url: URL) { (self.url, lock) = (url, nil) }

  private func fill(_ info: RunInfo, _ plan: Plan, _ recipeYAML: String) throws {
    for folder in [checkpoints, samples] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    try info.write(to: url)
    try AtomicFile.write(Data(recipeYAML.utf8), to: recipe)
    try write(plan)
    try Data().write(to: metrics)
  }

  /// Writes a checkpoint of step 0.
  func saveBeginning(of method: any Method, _ plan: Plan, recipeYAML: String) throws {
    let info = CheckpointInfo(
      method: type(of: method).about.name, position: .start, setting: plan.setting, recipe: recipeYAML,
      counters: method.counters, limnVersion: LimnVersion.current)
    _ = try Checkpoint.write(method, info: info, in: checkpoints)
  }

  /// The next free name below a folder: `00012-skrgan-lungct`.
  public static func nextName(in parent: URL, method: String, dataset: String) -> URL {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    let highest = names.compactMap { Int($0.prefix { $0.isNumber }) }.max() ?? -1
    return parent.appendingPathComponent(String(format: "%05d", highest + 1) + "-\(method)-\(dataset)")
  }

  /// How the run was begun.
  /// - Throws: ``RunError`` if `training.json` is missing or damaged.
  public func readPlan() throws -> Plan {
    guard let data = FileManager.default.contents(atPath: plan.path),
      let plan = try? JSONDecoder().decode(Plan.self, from: data)
    else { throw RunError("\(plan.path): not what 'limn train' writes") }
    return plan
  }

  /// Replaces the plan, when a run is to go on longer than it was begun for.
  func write(_ plan: Plan) throws { try AtomicFile.write(JSONEncoder.readable.encode(plan), to: self.plan) }

  /// The resolved recipe, YAML.
  /// - Throws: ``RunError`` if `recipe.yaml` is missing.
  public func readRecipe() throws -> String {
    guard let data = FileManager.default.contents(atPath: recipe.path) else {
      throw RunError("\(recipe.path): not found; a run folder holds its resolved recipe")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// The checkpoints, oldest first.
  public func listCheckpoints() -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints.path)) ?? []
    return names.filter { Int($0) != nil }.sorted().map { checkpoints.appendingPathComponent($0) }
  }

  /// The newest checkpoint that can be read; nil before the first.
  public func newestCheckpoint() -> Checkpoint? {
    listCheckpoints().reversed().lazy.compactMap { try? Checkpoint(folder: $0) }.first
  }

  /// Restores the newest checkpoint that is whole; a damaged one is passed over.
  /// - Parameters:
  ///   - method: built from the run's recipe and setting.
  ///   - optimizers: also the optimisers' state.
  /// - Returns: the checkpoint, nil where none has been written.
  /// - Throws: what is wrong with the newest one, where none can be restored.
  func restoreNewestCheckpoint(into method: any Method, optimizers: Bool) throws -> Checkpoint? {
    var reason: (any Error)?
    for folder in listCheckpoints().reversed() {
      do {
        let checkpoint = try Checkpoint(folder: folder)
        try checkpoint.restore(method, optimizers: optimizers)
        return checkpoint
      } catch {
        reason = reason ?? error
      }
    }
    if let reason { throw reason }
    return nil
  }

  /// Removes all but the newest checkpoints.
  func prune(keeping count: Int) { listCheckpoints().dropLast(max(1, count)).forEach(WholeFolder.remove) }

  /// Takes away what lies after the step that a run goes on from: sheets, which will be drawn again, and
  /// checkpoints, which could not be read; these stay as `STEP.damaged`.
  /// - Returns: the names of these checkpoints.
  func setAside(after step: Int) throws -> [String] {
    for sheet in SampleGroup.all(in: samples).flatMap(\.sheets) where sheet.step > step {
      try FileManager.default.removeItem(at: sheet.url)
    }
    let damaged = listCheckpoints().filter { (Int($0.lastPathComponent) ?? 0) > step }
    for checkpoint in damaged {
      let place = checkpoint.appendingPathExtension("damaged")
      WholeFolder.remove(place)
      try WholeFolder.move(checkpoint, to: place)
    }
    return damaged.map(\.lastPathComponent)
  }
}
