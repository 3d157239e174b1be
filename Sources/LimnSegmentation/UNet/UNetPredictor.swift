// A trained U-Net as overlap-tile inference takes it.

import LimnTorch

/// Class probabilities of a U-Net for tiles.
public final class UNetPredictor: TilePredictor {
  private let network: UNet
  private var configuration: UNetConfiguration { network.configuration }

  /// - Parameter network: in its inference mode.
  public init(_ network: UNet) { self.network = network }

  public var inputChannels: Int { configuration.inputChannels }
  public var classCount: Int { configuration.classCount }
  public var alignment: Int { configuration.step }

  /// Without padding 96 of five levels: the margin of 92, and what lets the tile have a valid side.
  public var context: Int {
    configuration.padding == .same ? configuration.reach : aligned(configuration.margin)
  }

  private func aligned(_ side: Int) -> Int { (side + alignment - 1) / alignment * alignment }

  public func probabilities(_ tiles: Tensor) -> Tensor {
    withoutGradients { scores(tiles).to(.float32).softmax(dim: 1) }
  }

  private func scores(_ tiles: Tensor) -> Tensor {
    let (height, width) = (tiles.size(2) - 2 * context, tiles.size(3) - 2 * context)
    guard configuration.padding == .valid else {
      return network(tiles).centre(height: height, width: width)
    }
    // The output begins a margin after the input, and its side is a little more than a multiple of the step.
    let start = context - configuration.margin
    let inputs = [height, width].map { configuration.tile(covering: $0) }
    let output = network(
      tiles.mirrored(rows: start..<start + inputs[0], columns: start..<start + inputs[1]))
    return output.narrowed(dim: 2, start: 0, length: height).narrowed(dim: 3, start: 0, length: width)
  }
}
