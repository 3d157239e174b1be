// Images of any size brought to a size that a network takes, and what it gives brought back.

import LimnImaging
import LimnTorch

/// The sizes that a network takes.
public enum NetworkSizes: Sendable, Equatable {
  /// Rows and columns that are multiples of a number, and at least so many.
  case multiples(of: Int, from: Int)
  /// One size: rows and columns.
  case only([Int])
}

/// How images of one size are laid into a size that a network takes.
public struct SizeFrame: Sendable, Equatable {
  /// Rows and columns of the images.
  public let size: [Int]
  /// What they are scaled to.
  public let scaled: [Int]
  /// The size that the network is given.
  public let framed: [Int]
  /// What lies beyond the images: their mirror image, or black.
  private let mirrors: Bool

  /// For networks that take multiples, images are continued by their mirror images. For networks of one size they are
  /// laid into black, or, where they are larger, scaled down to fit.
  /// - Parameters:
  ///   - size: rows and columns of the images.
  ///   - sizes: what the network takes.
  ///   - enlarges: whether smaller images are scaled up to one size, since their scale means nothing, as an import does.
  public init(size: [Int], for sizes: NetworkSizes, enlarges: Bool = false) {
    self.size = size
    switch sizes {
    case .multiples(let number, let least):
      (scaled, mirrors) = (size, true)
      framed = size.map { (max($0, least) + number - 1) / number * number }
    case .only(let one):
      let ratios = zip(one, size).map { Double($0) / Double($1) }
      let fitting = ratios.min() ?? 1
      let scale = enlarges ? fitting : min(1, fitting)
      scaled = zip(size, one).map { min($1, max(1, Int((Double($0) * scale).rounded()))) }
      (framed, mirrors) = (one, false)
    }
  }

  /// Whether images are scaled.
  public var isScaled: Bool { scaled != size }

  /// Images [N, C, H, W] in [−1, 1] in the frame.
  public func applied(to images: Tensor) -> Tensor {
    let own = Self.resized(images, scaled)
    guard framed != scaled else { return own }
    let (top, left) = (before(0), before(1))
    guard !mirrors else {
      return own.mirrored(rows: -top..<framed[0] - top, columns: -left..<framed[1] - left)
    }
    let amounts = [left, framed[1] - scaled[1] - left, top, framed[0] - scaled[0] - top]
    return pad(own, amounts, mode: .constant(-1))
  }

  /// What was made of the framed images, [N, F, H, W], at the images' own pixels.
  public func undone(_ made: Tensor) -> Tensor {
    Self.resized(inner(made), size)
  }

  /// The images' part of what was made in the frame, not scaled back.
  package func inner(_ made: Tensor) -> Tensor {
    made.narrowed(dim: 2, start: before(0), length: scaled[0])
      .narrowed(dim: 3, start: before(1), length: scaled[1])
  }

  private func before(_ axis: Int) -> Int { (framed[axis] - scaled[axis]) / 2 }

  private static func resized(_ images: Tensor, _ size: [Int]) -> Tensor {
    guard Array(images.shape.suffix(2)) != size else { return images }
    return ImageResize.fit(images.flattened(from: 0, to: 1), height: size[0], width: size[1], mode: .stretch)
      .reshaped(Array(images.shape.prefix(2)) + size)
  }
}
