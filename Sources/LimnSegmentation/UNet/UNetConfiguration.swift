// What a U-Net is built from, and how large its tiles may be.

import LimnTorch
import LimnTraining

/// Whether convolutions see beyond the tile.
public enum UNetPadding: String, Codable, Sendable, CaseIterable {
  /// They do not: each takes a pixel off every side, and an output pixel depends on nothing but the image (the
  /// paper).
  case valid
  /// Zeros lie around the tile, which keeps its size.
  case same
}

/// What follows a convolution before its ReLU.
public enum UNetNormalization: String, Codable, Sendable, CaseIterable { case none, instance, batch }

/// Which of the two published networks.
public enum UNetVariant: String, Codable, Sendable, CaseIterable {
  /// Figure 1 of the paper.
  case figure
  /// The network that the authors released: ReLU after each up-convolution, and twice the channels out of the
  /// last one.
  case released
}

/// The shape of a U-Net.
public struct UNetConfiguration: Codable, Sendable, Equatable {
  /// Channels of an image.
  public var inputChannels: Int
  /// Classes, the background included.
  public var classCount: Int
  /// Resolutions; each but the first has half the pixels a side of the one before.
  public var levels = 5
  /// Channels of the finest level; each further one has twice as many.
  public var width = 64
  public var padding = UNetPadding.valid
  public var normalization = UNetNormalization.none
  public var variant = UNetVariant.figure
  /// The coarsest levels after whose convolutions half the values are dropped in training.
  public var dropoutLevels = 2
  /// Whether coarser levels of the decoder answer, too.
  public var hasDeepSupervision = false

  /// The paper's network.
  public init(inputChannels: Int, classCount: Int) {
    (self.inputChannels, self.classCount) = (inputChannels, classCount)
  }

  /// Channels at each level, finest first.
  public var widths: [Int] { (0..<levels).map { width << $0 } }

  /// Sides of tiles are a multiple of this, apart from an offset.
  public var step: Int { 1 << (levels - 1) }

  /// Pixels that the output lacks on every side: 92 of five levels.
  public var margin: Int { padding == .same ? 0 : (input(coarsest: 0) - output(coarsest: 0)) / 2 }

  /// How far an output pixel of a padded network sees at most, in pixels: what a tile must have beyond the
  /// pixels that are kept of it. A multiple of ``step``, since poolings tell pixels apart by their places.
  public var reach: Int {
    let farthest =
      (0..<step).map { place in
        let lowest = extent(of: place)
        return max(place - lowest.lowerBound, lowest.upperBound - 1 - place)
      }.max() ?? 0
    return (farthest + step - 1) / step * step
  }

  /// The pixels that an output pixel depends on.
  private func extent(of place: Int) -> Range<Int> {
    func floored(_ x: Int) -> Int { x >> 1 }
    var (low, high) = (place, place)
    // Up the decoder, two convolutions and an up-convolution a level; then the coarsest level, and down again.
    for _ in 1..<levels { (low, high) = (floored(low - 2), floored(high + 2)) }
    (low, high) = (low - 2, high + 2)
    for _ in 1..<levels { (low, high) = (2 * low - 2, 2 * high + 1 + 2) }
    return low..<high + 1
  }

  /// The input side whose coarsest level begins with `coarsest` + 4 pixels, and so ends with `coarsest`.
  private func input(coarsest: Int) -> Int {
    (1..<levels).reduce(coarsest + 4) { side, _ in 2 * side + 4 }
  }

  private func output(coarsest: Int) -> Int {
    (1..<levels).reduce(coarsest) { side, _ in 2 * side - 4 }
  }

  /// Whether every pooling has an even side to halve, and something is left at the end.
  public func isTile(_ side: Int) -> Bool {
    guard padding == .valid else { return side > 0 && side.isMultiple(of: step) }
    let offset = input(coarsest: 0)
    return side >= smallestTile && (side - offset).isMultiple(of: step)
  }

  /// The smallest side of a tile: 188 of five levels.
  public var smallestTile: Int {
    guard padding == .valid else { return step }
    let coarsest = (1...).first { output(coarsest: $0) > 0 } ?? 1
    return input(coarsest: coarsest)
  }

  /// The smallest tile whose output has at least so many pixels a side.
  public func tile(covering output: Int) -> Int {
    guard output + 2 * margin > smallestTile else { return smallestTile }
    let steps = (output + 2 * margin - smallestTile + step - 1) / step
    return smallestTile + steps * step
  }

  /// - Throws: `RecipeError` that explains which sides a tile may have.
  public func check(tile side: Int) throws {
    guard !isTile(side) else { return }
    let larger = tile(covering: max(1, side - 2 * margin))
    let smaller = larger - step
    let nearest = smaller >= smallestTile ? "\(smaller) or \(larger)" : "\(larger)"
    let reason =
      padding == .valid
      ? "without padding, \(levels - 1) poolings must each find an even side, so a tile is \(smallestTile) or "
        + "larger by a multiple of \(step)"
      : "\(levels - 1) poolings must each find an even side, so a tile is a multiple of \(step)"
    throw RecipeError("a tile of \(side) pixels: \(reason); nearest: \(nearest)")
  }
}
