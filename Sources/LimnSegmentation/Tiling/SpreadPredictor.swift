// Networks that are asked more than once.

import LimnTorch

/// Answers by the mean of several answers, and tells how far they lie apart.
public protocol SpreadPredictor: TilePredictor {
  /// The mean of the probabilities, and their standard deviation (that of these answers, divided by their
  /// number). Joined along the classes, both are an answer for ``OverlapTile/answers(to:progress:answer:)``.
  /// - Parameter tiles: as ``TilePredictor/probabilities(_:)`` takes them.
  /// - Returns: [N, K, h, w] each.
  func meanAndSpread(_ tiles: Tensor) -> (mean: Tensor, spread: Tensor)
}
