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

  /// Copies whatever has the same name and shape; the rest, such as a last layer of other classes, keeps its
  /// fresh values. Optimisers and schedules begin anew.
  /// - Returns: what was taken, in a line for people.
  /// - Throws: ``RunError`` where less than half of the weights fit: that is another network.
  func copy(into method: any Method) throws -> String {
    let saved = try Safetensors.read(checkpoint.folder.appendingPathComponent("networks.safetensors")).tensors
    var (taken, total) = (0, 0)
    var fresh: [String] = []
    withoutGradients {
      for (key, tensor) in Checkpoint.networkState(method) {
        total += tensor.count
        if let value = saved[key], value.shape == tensor.shape {
          tensor.copy(from: value)
          taken += tensor.count
        } else {
          fresh.append(key)
        }
      }
    }
    guard 2 * taken >= total else {
      throw RunError(
        "\(run.path): \(taken) of \(total) weights have the names and shapes of this network; begin from a run "
          + "of the same method and recipe (\(checkpoint.info.method) there)")
    }
    let rest = fresh.isEmpty ? "" : ", all but \(fresh.sorted().joined(separator: ", "))"
    return "\(run.path), step \(checkpoint.info.position.step)\(rest)"
  }
}
