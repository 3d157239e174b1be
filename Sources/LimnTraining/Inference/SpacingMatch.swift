// Images brought to the spacing that a network was trained at, and what it finds brought back.

import Foundation
import LimnImaging
import LimnTorch

/// From an image's grid to that of another spacing over the same area, and back.
public struct SpacingMatch: Sendable, Equatable {
  /// Rows and columns of the image.
  public let size: [Int]
  /// Rows and columns of the other grid.
  public let matched: [Int]
  /// Of the image, [row, column] in mm.
  public let spacing: [Double]
  /// Of the other grid, up to the rounding of its rows and columns.
  public let target: [Double]

  /// Spacings that differ by less are the same.
  private static let tolerance = 0.01
  /// Spacings that differ by a larger factor are hardly those of the same things.
  private static let limit = 16.0

  /// Nil where the spacings differ by no more than 1 %.
  /// - Parameters:
  ///   - size: rows and columns of the image.
  ///   - spacing: [row, column] in mm.
  ///   - target: the same of the other grid, whose outer edges are the image's.
  ///   - path: names the image in the error.
  /// - Throws: `RunError` where they differ by more than a factor of 16.
  public init?(size: [Int], from spacing: [Double], to target: [Double], path: String) throws {
    let ratios = zip(spacing, target).map { $0 / $1 }
    guard ratios.contains(where: { abs($0 - 1) > Self.tolerance }) else { return nil }
    guard ratios.allSatisfy({ (1 / Self.limit...Self.limit).contains($0) }) else {
      throw RunError(
        "\(path): pixels of \(Self.text(spacing)), more than \(Int(Self.limit)) times off the training images' "
          + "\(Self.text(target)); --no-resample takes them as they are")
    }
    (self.size, self.spacing, self.target) = (size, spacing, target)
    matched = zip(size, ratios).map { max(1, Int((Double($0) * $1).rounded())) }
  }

  /// What is done, for people to read.
  public var statement: String {
    "pixels of \(Self.text(spacing)) are brought to the training images' \(Self.text(target)), and what is found "
      + "back; --no-resample switches this off"
  }

  private static func text(_ spacing: [Double]) -> String {
    "\(spacing.reversed().map { String(format: "%.4g", $0) }.joined(separator: " x ")) mm"
  }

  /// An image [C, H, W] on the other grid; linear, antialiased where that is coarser.
  public func applied(to image: Tensor) -> Tensor {
    ImageResize.fit(image, height: matched[0], width: matched[1], mode: .stretch)
  }

  /// What was found on the other grid, [F, h, w], on the image's; linear. Probabilities still add up to 1.
  public func undone(_ found: Tensor) -> Tensor {
    ImageResize.fit(found, height: size[0], width: size[1], mode: .stretch)
  }
}
