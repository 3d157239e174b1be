// Checkpoints: the whole state of a run in one folder, written beside its place and renamed.

import Foundation
import LimnTorch

/// The readable half of a checkpoint.
public struct CheckpointInfo: Codable, Equatable, Sendable {
  /// Its name on the command line.
  public var method: String
  /// How far the run was.
  public var position: RunPosition
  /// What the networks were built for; with the recipe it gives the architecture.
  public var setting: MethodSetting
  /// The resolved recipe, YAML.
  public var recipe: String
  /// The method's own numbers, such as its growth phase.
  public var counters: [String: Double]
  /// The version that wrote the checkpoint.
  public var limnVersion: String
}

/// Reads and writes `checkpoints/00000200/` with `state.json`, `networks.safetensors`,
/// `optimizers.safetensors`.
public struct Checkpoint {
  /// Where it lies.
  public let folder: URL
  /// What it is of.
  public let info: CheckpointInfo

  /// Opens a checkpoint.
  /// - Throws: ``RunError`` if it is not one.
  public init(folder: URL) throws {
    self.folder = folder
    guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent("state.json").path),
      let info = try? JSONDecoder().decode(CheckpointInfo.self, from: data)
    else { throw RunError("\(folder.path): not a checkpoint; expected state.json beside the weights") }
    self.info = info
  }

  /// Copies the saved state into a method built from the same recipe and setting.
  /// - Parameters:
  ///   - method: receives weights and averages.
  ///   - optimizers: also the optimisers' moments, which sampling does not need.
  /// - Throws: an error naming the file that cannot be read, or the keys that do not fit.
  public func restore(_ method: any Method, optimizers: Bool) throws {
    let weights = try Safetensors.read(folder.appendingPathComponent("networks.safetensors")).tensors
    for (name, module) in method.networks { try module.load(weights, prefix: "\(name).") }
    method.counters = info.counters
    guard optimizers else { return }
    let moments = try Safetensors.read(folder.appendingPathComponent("optimizers.safetensors")).tensors
    for (name, optimizer) in method.optimizers {
      let own = moments.filter { $0.key.hasPrefix("\(name)/") }
      try optimizer.load(
        state: Dictionary(
          uniqueKeysWithValues: own.map { (String($0.key.dropFirst(name.count + 1)), $0.value) }))
    }
  }

  /// Writes the state of a method below `checkpoints` and gives the new checkpoint.
  static func write(_ method: any Method, info: CheckpointInfo, in checkpoints: URL) throws -> Checkpoint {
    let place = checkpoints.appendingPathComponent(name(step: info.position.step))
    let temporary = WholeFolder.temporaryPlace(beside: place)
    let files = FileManager.default
    try files.createDirectory(at: temporary, withIntermediateDirectories: true)
    do {
      try Safetensors.write(
        networkState(method), to: temporary.appendingPathComponent("networks.safetensors"))
      try Safetensors.write(
        optimizerState(method), to: temporary.appendingPathComponent("optimizers.safetensors"))
      try AtomicFile.write(
        JSONEncoder.readable.encode(info), to: temporary.appendingPathComponent("state.json"))
      try WholeFolder.publish(temporary, at: place)
    } catch {
      try? files.removeItem(at: temporary)
      throw error
    }
    return try Checkpoint(folder: place)
  }

  static func name(step: Int) -> String {
    let digits = String(step)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  private static func networkState(_ method: any Method) -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, module) in method.networks {
      for (key, tensor) in module.stateDict { state["\(name).\(key)"] = tensor }
    }
    return state
  }

  private static func optimizerState(_ method: any Method) -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, optimizer) in method.optimizers {
      for (key, tensor) in optimizer.state { state["\(name)/\(key)"] = tensor }
    }
    return state
  }
}

/// What is wrong with a run folder, in one line.
public struct RunError: Error, CustomStringConvertible, LocalizedError {
  /// One line: what was found, what was expected, what to do.
  public let description: String
  public var errorDescription: String? { description }
  /// Carries one line.
  public init(_ description: String) { self.description = description.asPlainLine }
}
