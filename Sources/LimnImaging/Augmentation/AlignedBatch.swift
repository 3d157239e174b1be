// Layers of a batch that lie over one another, pixel on pixel; each layer's type says how it may be changed.

import LimnTorch

/// One layer of a batch: images, maps that go with them, or labels.
///
/// The kind decides what an augmentation does to the layer (torchio's `ScalarImage` and `LabelMap`:
/// Pérez-García et al. 2021, section 2.1).
public struct AlignedLayer: Sendable {
  /// What the numbers of a layer are.
  public enum Kind: Sendable, Equatable {
    /// Intensities, with the values of black and white: moved, interpolated linearly, and changed in
    /// intensity.
    case image(range: ClosedRange<Double>)
    /// Other numbers at places of the image, such as sketches or loss weights: moved and interpolated
    /// linearly, never changed in intensity.
    case map
    /// Classes or instances: moved, each pixel taking its nearest one's label.
    case labels
  }

  /// [N, C, H, W]; labels also [N, H, W].
  public let values: Tensor
  /// What the numbers are.
  public let kind: Kind
  /// What lies beyond the border where ``AugmentationBorder/constant`` is asked for.
  public let outside: Double

  /// Images.
  /// - Parameters:
  ///   - values: [N, C, H, W], floating point.
  ///   - range: black and white; intensity transforms are relative to it and cut off what leaves it.
  ///   - outside: the value beyond a constant border; black where nil.
  /// - Returns: the layer.
  public static func image(
    _ values: Tensor, range: ClosedRange<Double> = -1...1, outside: Double? = nil
  ) -> AlignedLayer {
    precondition(
      values.rank == 4 && values.dtype.isFloatingPoint,
      "images to augment are floating point [N, C, H, W], not \(values.summary)")
    precondition(range.upperBound > range.lowerBound, "an image's range needs white above black")
    return AlignedLayer(
      values: values, kind: .image(range: range), outside: outside ?? range.lowerBound)
  }

  /// Maps that go with the images.
  /// - Parameters:
  ///   - values: [N, C, H, W], floating point.
  ///   - outside: the value beyond a constant border.
  /// - Returns: the layer.
  public static func map(_ values: Tensor, outside: Double = 0) -> AlignedLayer {
    precondition(
      values.rank == 4 && values.dtype.isFloatingPoint,
      "maps to augment are floating point [N, C, H, W], not \(values.summary)")
    return AlignedLayer(values: values, kind: .map, outside: outside)
  }

  /// Labels.
  /// - Parameters:
  ///   - values: [N, H, W] or [N, C, H, W], integers or booleans.
  ///   - outside: the label beyond a constant border.
  /// - Returns: the layer.
  public static func labels(_ values: Tensor, outside: Int = 0) -> AlignedLayer {
    precondition(
      [3, 4].contains(values.rank) && !values.dtype.isFloatingPoint,
      "labels to augment are integers [N, H, W] or [N, C, H, W], not \(values.summary)")
    return AlignedLayer(values: values, kind: .labels, outside: Double(outside))
  }

  func with(_ values: Tensor) -> AlignedLayer { AlignedLayer(values: values, kind: kind, outside: outside) }
}

/// Layers of equal N, H and W on one device, by name; what is done to one layer's geometry is done to all.
public struct AlignedBatch: Sendable {
  /// The layers by name.
  public let layers: [String: AlignedLayer]
  /// Images in the batch.
  public let count: Int
  /// Rows of each image.
  public let height: Int
  /// Columns of each image.
  public let width: Int

  /// Brings layers together.
  /// - Parameter layers: at least one; equal N, H and W.
  public init(_ layers: [String: AlignedLayer]) {
    let extents = layers.mapValues { [$0.values.shape[0]] + $0.values.shape.suffix(2) }
    guard let extent = extents.values.first else { preconditionFailure("a batch has at least one layer") }
    precondition(
      extents.values.allSatisfy { $0 == extent },
      "layers of a batch lie over one another, but [N, H, W] differ: \(extents)")
    self.layers = layers
    (count, height, width) = (extent[0], extent[1], extent[2])
  }

  /// The values of a layer, which must be there.
  public subscript(name: String) -> Tensor {
    guard let layer = layers[name] else {
      preconditionFailure("the batch has no layer \(name); it has \(layers.keys.sorted())")
    }
    return layer.values
  }
}
