// Several networks as one: the mean of their probabilities, such as that of cross-validation's folds.

import LimnTorch

/// The mean of networks of the same classes.
final class EnsemblePredictor: TilePredictor {
  private let members: [any TilePredictor]

  /// - Parameter members: at least one; equal channels and classes.
  init(_ members: [any TilePredictor]) { self.members = members }

  var inputChannels: Int { members[0].inputChannels }
  var classCount: Int { members[0].classCount }
  /// Powers of two, so that the greatest is a multiple of all.
  var alignment: Int { members.map(\.alignment).max() ?? 1 }
  var context: Int { members.map(\.context).max() ?? 0 }

  func probabilities(_ tiles: Tensor) -> Tensor {
    let parts = members.map { member in
      let spare = context - member.context
      return member.probabilities(
        tiles.centre(height: tiles.size(2) - 2 * spare, width: tiles.size(3) - 2 * spare))
    }
    return parts.dropFirst().reduce(parts[0], +) / Double(parts.count)
  }
}
