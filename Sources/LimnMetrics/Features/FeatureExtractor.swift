// What stands between images and the metrics of features: a network, its weights, and what it makes of an image.

import LimnTorch

/// Turns images into vectors that metrics of features compare.
public protocol FeatureExtractor: Sendable {
  /// The network and its variant, such as `inception-v3-fid`; part of the names of metrics.
  var name: String { get }
  /// Which weights, such as the first 12 digits of their SHA-256: features of other weights do not compare.
  var weights: String { get }
  /// The length of a vector.
  var dimension: Int { get }
  /// How an image becomes the network's input, in a sentence: size, resize method, value range.
  var preprocessing: String { get }

  /// The vectors of images; none depends on its neighbours in the batch.
  /// - Parameter images: uint8 [N, C, H, W] with C 1 (repeated) or 3, 0...255.
  /// - Returns: float32 [N, `dimension`].
  /// - Throws: ``MetricError`` for images that the network does not take.
  func features(of images: Tensor) throws -> Tensor
}
