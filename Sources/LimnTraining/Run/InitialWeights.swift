// The weights of another run as the beginning of a new one: pre-training, then fine-tuning.

import Foundation
import LimnTorch

/// What a new run takes over from another one.
struct InitialWeights {
  private let run: URL
  private let checkpoint: Checkpoint

  /// The newest checkpoint of a run.
  /// - Throws: ``RunError`` if the folder holds no run, or no checkpoint yet.
  init(of run: URL) throws {
    guard let checkpoint = try RunFolder(opening: run).newestCheckpoint() else {
      throw RunError("\(run.path): no checkpoint yet to begin from; train it first")
    }
    (self.run, self.checkpoint) = (run, checkpoint)
  }

  /// Copies whatever has the same name and shape; the rest, such as a last layer of other classes or a network that
  /// the other run does not have, keeps its fresh values. Optimisers and schedules begin anew.
  /// - Returns: what was taken, in a line for people.
  /// - Throws: ``RunError`` where of every network less than half of the weights fit: these are others.
  func copy(into method: any Method) throws -> String {
    let saved = try Safetensors.read(checkpoint.folder.appendingPathComponent("networks.safetensors")).tensors
    var (taken, total) = (0, 0)
    var fresh: [String] = []
    for (name, module) in method.networks {
      let own = module.stateDict
      let fitting = own.filter { saved["\(name).\($0.key)"]?.shape == $0.value.shape }
      let (found, all) = (fitting.values.reduce(0) { $0 + $1.count }, own.values.reduce(0) { $0 + $1.count })
      total += all
      guard 2 * found >= all else {
        fresh.append(name)
        continue
      }
      taken += found
      fresh += own.keys.filter { fitting[$0] == nil }.map { "\(name).\($0)" }
      withoutGradients {
        for (key, tensor) in fitting { saved["\(name).\(key)"].map(tensor.copy) }
      }
    }
    guard taken > 0 else {
      throw RunError(
        "\(run.path): \(taken) of \(total) weights have the names and shapes of this network; begin from a run "
          + "of the same method and recipe (\(checkpoint.info.method) there)")
    }
    let rest = fresh.isEmpty ? "" : ", all but \(fresh.sorted().joined(separator: ", "))"
    return "\(run.path), step \(checkpoint.info.position.step)\(rest)"
  }
}
