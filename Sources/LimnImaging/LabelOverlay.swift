// Labels drawn over images: areas in translucent colours, and their borders, so that the anatomy stays visible.

import LimnTorch

/// Draws labels over images in the colours of ``LabelColours``; label 0 leaves the image as it is.
public struct LabelOverlay: Sendable, Equatable {
  /// How much of an area is colour: 0 leaves the image, 1 hides it.
  public var opacity: Double
  /// Whether the outermost pixels of each class are drawn in its full colour.
  public var hasContours: Bool

  /// Creates a way of drawing; opacity 0 with contours draws outlines alone.
  public init(opacity: Double = 0.35, hasContours: Bool = true) {
    precondition((0...1).contains(opacity), "an opacity is in 0...1, not \(opacity)")
    self.opacity = opacity
    self.hasContours = hasContours
  }

  /// Labels over images.
  /// - Parameters:
  ///   - images: [N, C, H, W] with C 1 or 3; uint8, or floats in [−1, 1].
  ///   - labels: [N, H, W], integers from 0.
  /// - Returns: uint8 [N, 3, H, W] on the CPU, as ``ContactSheet`` takes it.
  public func callAsFunction(_ images: Tensor, labels: Tensor) -> Tensor {
    let extent = [images.shape[0]] + images.shape.suffix(2)
    precondition(labels.shape == extent, "labels \(labels.shape) do not lie over images \(images.shape)")
    let classes = labels.to(.cpu).to(.int64)
    let gray = ContactSheet.bytes(images).to(.float32)
    let base = gray.expanded([extent[0], 3, extent[1], extent[2]])
    let colours = LabelColours.table.to(.float32).indexSelect(dim: 0, places(of: classes))
      .reshaped(extent + [3]).permuted([0, 3, 1, 2])
    let weights = weights(of: classes).unsqueezed(1)
    return (base + (colours - base) * weights).round().to(.uint8)
  }

  /// Places in the palette, [N·H·W]. Doubles, because a tensor of integers with a number gives float32.
  private func places(of classes: Tensor) -> Tensor {
    let labels = classes.flattened().to(.float64)
    let places = (labels - 1).remainder(255) + 1
    return Tensor.where(labels.isGreater(than: 0), places, labels.zerosLike()).to(.int64)
  }

  /// How much of each pixel is colour, [N, H, W].
  private func weights(of classes: Tensor) -> Tensor {
    let filled = classes.isGreater(than: 0).to(.float32) * opacity
    return hasContours ? filled.filled(where: Self.contours(of: classes), with: 1) : filled
  }

  /// The outermost pixels of each class: those of which one of the four neighbours has another label. The
  /// image's edge is no border.
  /// - Parameter labels: [N, H, W], integers; 0 has no contour.
  /// - Returns: bool [N, H, W].
  public static func contours(of labels: Tensor) -> Tensor {
    let differs = [1, 2].flatMap { dim in
      [1, -1].map { shift in neighbours(of: labels, dim: dim, shift: shift).isEqual(to: labels).logicalNot() }
    }
    return differs.dropFirst().reduce(differs[0]) { $0.logicalOr($1) }
      .logicalAnd(labels.isNotEqual(to: 0))
  }

  /// Each pixel's neighbour along an axis; its own label at the edge.
  private static func neighbours(of labels: Tensor, dim: Int, shift: Int) -> Tensor {
    let count = labels.shape[dim]
    let places = (0..<count).map { min(max($0 + shift, 0), count - 1) }
    return labels.indexSelect(dim: dim, Tensor(places).to(labels.device))
  }
}
