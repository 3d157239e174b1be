// What overlap-tile inference needs of a network.

import LimnTorch

/// Gives class probabilities for tiles of images.
///
/// Networks with poolings give the same answer for the same pixels only where tiles begin at the same place of
/// the pooling grid; so the kept parts of tiles begin at multiples of ``alignment`` of the image.
public protocol TilePredictor: AnyObject {
  /// Channels of an image.
  var inputChannels: Int { get }
  /// Classes, the background included.
  var classCount: Int { get }
  /// The kept part of every tile begins at multiples of this, in pixels.
  var alignment: Int { get }
  /// Pixels around the kept part that a tile must show beyond it, on every side.
  var context: Int { get }

  /// Class probabilities.
  /// - Parameter tiles: [N, C, h + 2 · context, w + 2 · context] in [−1, 1], h and w multiples of
  ///   ``alignment``, on the network's device.
  /// - Returns: [N, K, h, w], 0...1, adding up to 1 over K.
  func probabilities(_ tiles: Tensor) -> Tensor
}
