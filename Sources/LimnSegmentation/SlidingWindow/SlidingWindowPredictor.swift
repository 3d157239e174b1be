// A trained window classifier as overlap-tile inference takes it: every pixel has a window of its own.

import LimnTorch

/// Class probabilities of a ``SlidingWindowNetwork`` for tiles, one window after another, as its paper does it: what
/// neighbouring windows share is computed for each of them again.
public final class SlidingWindowPredictor: TilePredictor {
  private let network: SlidingWindowNetwork
  /// Windows that are asked about at once; they and their maps are all that is held besides the tile.
  private let batch: Int

  /// - Parameters:
  ///   - network: whose weights are used as they are at each moment.
  ///   - batch: windows at once.
  public init(_ network: SlidingWindowNetwork, batch: Int = 32) {
    (self.network, self.batch) = (network, batch)
  }

  public var inputChannels: Int { network.configuration.inputChannels }
  public var classCount: Int { network.configuration.classCount }
  public var alignment: Int { 1 }
  public var context: Int { network.configuration.window / 2 }

  public func probabilities(_ tiles: Tensor) -> Tensor {
    let side = network.configuration.window
    let windows = tiles.unfolded(dim: 2, size: side, step: 1).unfolded(dim: 3, size: side, step: 1)
    // A view [N, C, h, w, side, side]: no window is copied before its turn.
    let items = (0..<tiles.size(0)).map { item in
      Tensor.cat((0..<windows.size(2)).map { row in answers(to: windows[item, .all, row]) }, dim: 0)
    }
    return Tensor.stack(items).reshaped([tiles.size(0), windows.size(2), windows.size(3), classCount])
      .permuted([0, 3, 1, 2])
  }

  /// - Parameter row: the windows of a row of pixels, [C, w, side, side].
  /// - Returns: [w, K].
  private func answers(to row: Tensor) -> Tensor {
    let count = row.size(1)
    return withoutGradients {
      .cat(
        stride(from: 0, to: count, by: batch).map { first in
          let part = row.narrowed(dim: 1, start: first, length: min(batch, count - first))
          return softmax(network(part.permuted([1, 0, 2, 3])).to(.float32), dim: 1)
        })
    }
  }
}
