// Test-time augmentation: a network asked about the flipped and turned image, too.

import LimnTorch

/// Which versions of an image a network is asked about.
public enum TestTimeVersions: String, Codable, Sendable, CaseIterable {
  /// The image, its two mirror images and both flips together: 4.
  case flips
  /// The eight symmetries of the square: the four quarter turns of the image and of its mirror image.
  case symmetries
  /// The U-Net paper's "7 rotated versions of the input data" (section 4), which it does not describe: read here
  /// as the seven symmetries of the square other than the image as it is. No pixel is interpolated, unlike in
  /// turns by multiples of 45°, which would blur the image the network was trained on.
  case rotations

  var symmetries: [SquareSymmetry] {
    switch self {
    case .flips: SquareSymmetry.all.filter { $0.turns.isMultiple(of: 2) }
    case .symmetries: SquareSymmetry.all
    case .rotations: Array(SquareSymmetry.all.dropFirst())
    }
  }
}

/// A flip left to right, or none, and then counter-clockwise quarter turns.
struct SquareSymmetry: Sendable {
  let isFlipped: Bool
  let turns: Int

  static let all = [false, true].flatMap { flip in (0..<4).map { SquareSymmetry(isFlipped: flip, turns: $0) }
  }

  /// Images [..., H, W] so changed.
  func apply(_ images: Tensor) -> Tensor {
    (isFlipped ? images.flipped([-1]) : images).rotated90(turns, dims: [-2, -1])
  }

  /// What was so changed as it was.
  func undo(_ images: Tensor) -> Tensor {
    let upright = images.rotated90(-turns, dims: [-2, -1])
    return isFlipped ? upright.flipped([-1]) : upright
  }
}

/// A network that is asked about several versions of each tile, and answers by their mean.
///
/// A tile's versions are those of the whole image seen through it, so the answer does not depend on the tiles.
/// The mean follows flips and turns of images whose sides are multiples of the alignment.
public final class TestTimeAugmentation: SpreadPredictor {
  /// The network that is asked.
  public let predictor: any TilePredictor
  /// The versions it is asked about.
  public let versions: TestTimeVersions

  /// Asks `predictor` about `versions` of each tile.
  public init(_ predictor: any TilePredictor, versions: TestTimeVersions = .symmetries) {
    (self.predictor, self.versions) = (predictor, versions)
  }

  public var inputChannels: Int { predictor.inputChannels }
  public var classCount: Int { predictor.classCount }
  public var alignment: Int { predictor.alignment }
  public var context: Int { predictor.context }

  /// The mean of the probabilities over the versions.
  public func probabilities(_ tiles: Tensor) -> Tensor { meanAndSpread(tiles).mean }

  public func meanAndSpread(_ tiles: Tensor) -> (mean: Tensor, spread: Tensor) {
    let symmetries = versions.symmetries
    var mean = ask(symmetries[0], tiles)
    let squares = mean.zerosLike()
    // Welford 1962: equal answers have a spread of exactly 0.
    for (index, symmetry) in symmetries.enumerated().dropFirst() {
      let answer = ask(symmetry, tiles)
      let difference = answer - mean
      mean = mean + difference / Double(index + 1)
      squares.add(difference * (answer - mean))
    }
    return (mean, (squares / Double(symmetries.count)).sqrt())
  }

  private func ask(_ symmetry: SquareSymmetry, _ tiles: Tensor) -> Tensor {
    symmetry.undo(predictor.probabilities(symmetry.apply(tiles)))
  }
}
