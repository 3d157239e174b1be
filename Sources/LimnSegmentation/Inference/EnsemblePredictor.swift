// Several networks as one: the mean of their probabilities, such as that of cross-validation's folds.

import LimnTorch

/// The mean of networks of the same classes.
final class EnsemblePredictor: SpreadPredictor {
  private let members: [any TilePredictor]

  /// - Parameter members: at least one; equal channels and classes.
  init(_ members: [any TilePredictor]) { self.members = members }

  var inputChannels: Int { members[0].inputChannels }
  var classCount: Int { members[0].classCount }
  /// Powers of two, so that the greatest is a multiple of all.
  var alignment: Int { members.map(\.alignment).max() ?? 1 }
  var context: Int { members.map(\.context).max() ?? 0 }

  func probabilities(_ tiles: Tensor) -> Tensor {
    mean(members.map { $0.probabilities(part(tiles, for: $0)) })
  }

  /// Over all answers of all members, each of which counts alike: the variance within members and between them.
  func meanAndSpread(_ tiles: Tensor) -> (mean: Tensor, spread: Tensor) {
    let answers = members.map { member in
      let part = part(tiles, for: member)
      if let member = member as? any SpreadPredictor { return member.meanAndSpread(part) }
      let answer = member.probabilities(part)
      return (mean: answer, spread: answer.zerosLike())
    }
    let centre = mean(answers.map(\.mean))
    let variance = mean(answers.map { $0.spread.square() + ($0.mean - centre).square() })
    return (centre, variance.sqrt())
  }

  private func mean(_ parts: [Tensor]) -> Tensor {
    parts.dropFirst().reduce(parts[0], +) / Double(parts.count)
  }

  /// What of a tile a member with less context takes.
  private func part(_ tiles: Tensor, for member: any TilePredictor) -> Tensor {
    let spare = context - member.context
    return tiles.centre(height: tiles.size(2) - 2 * spare, width: tiles.size(3) - 2 * spare)
  }
}
