// A published classification network whose inner features serve other purposes.

import LimnTorch

/// A classification network: features before the classifier, and the classifier's own answer.
public protocol Backbone: Module {
  /// The published network, such as `inception-v3-fid`.
  static var name: String { get }
  /// The length of ``features(_:)``'s vectors.
  static var featureCount: Int { get }

  /// Pooled features before the classifier.
  /// - Parameter x: float32 [N, 3, H, W], scaled as the network was trained.
  /// - Returns: float32 [N, `featureCount`].
  func features(_ x: Tensor) -> Tensor

  /// Class scores, not normalised.
  /// - Parameter x: as for ``features(_:)``.
  /// - Returns: float32 [N, classes].
  func callAsFunction(_ x: Tensor) -> Tensor
}
