// A trained U-Net as overlap-tile inference takes it.

import LimnTorch

/// Class probabilities of a U-Net for tiles.
///
/// A padded network is applied to tiles without its padding: what it gives where the zeros are out of sight is what
/// the same weights give without any, and the coarse way down need not be answered at the tile's rim. Instance
/// normalisation, whose statistics are the tile's, keeps the padding, and is not seamless.
public final class UNetPredictor: TilePredictor {
  private let network: UNet
  private var configuration: UNetConfiguration { network.configuration }

  /// Takes the network's weights as they are now.
  public init(_ network: UNet) { self.network = network.forTiles() }

  public var inputChannels: Int { configuration.inputChannels }
  public var classCount: Int { configuration.classCount }
  public var alignment: Int { configuration.step }

  /// Without padding 94 of five levels: the margin of 92, and 2 that let the tile have a valid side, and put its
  /// poolings where those of a padded network are.
  public var context: Int {
    configuration.padding == .same ? configuration.reach : configuration.margin + 2
  }

  /// What the network holds at its peak for a pixel of a tile, in bytes, about (measured, float32): the finest
  /// skips, raised features, both joined, a convolution's input and output; scores and probabilities.
  public var bytesPerPixel: Int { 4 * (10 * configuration.width + 4 * classCount) }

  public func probabilities(_ tiles: Tensor) -> Tensor {
    let (height, width) = (tiles.size(2) - 2 * context, tiles.size(3) - 2 * context)
    return withoutGradients {
      softmax(network(tiles).centre(height: height, width: width).to(.float32), dim: 1)
    }
  }
}

extension UNet {
  /// A copy for inference, laid out for speed, without padding where that changes nothing.
  fileprivate func forTiles() -> UNet {
    var shape = configuration
    if shape.normalization != .instance { shape.padding = .valid }
    let copy = Initialization.with(Generator(seed: 0)) { UNet(shape) }
    copy.move(to: device)
    let weights = stateDict
    withoutGradients {
      for (key, tensor) in copy.stateDict { weights[key].map(tensor.copy) }
    }
    copy.requireGradients(false)
    copy.evaluate()
    copy.layOut(.channelsLast)
    return copy
  }
}
