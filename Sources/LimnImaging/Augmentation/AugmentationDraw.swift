// What was drawn for a batch: applied at once, printed, stored as JSON, and applied again with equal bits.

import Foundation
import LimnTorch

/// The drawn transforms of each image of a batch, in the order of the list they were drawn from.
///
/// Applied twice to equal layers on the same kind of device it gives equal bits; noise is drawn on the layer's
/// device, and a CPU's differs from a GPU's.
public struct AugmentationDraw: Sendable, Equatable {
  /// The transforms of each image; empty for an image that stays as it is.
  public let images: [[DrawnTransform]]
  /// What lies beyond the images.
  public let border: AugmentationBorder
  /// How images and maps are read between their pixels; labels always take the nearest.
  public let interpolation: Interpolation

  /// Brings transforms together.
  public init(
    images: [[DrawnTransform]], border: AugmentationBorder = .reflect, interpolation: Interpolation = .linear
  ) {
    (self.images, self.border, self.interpolation) = (images, border, interpolation)
  }

  /// The layers after the transforms, which leave `batch` as it is.
  ///
  /// All spatial transforms act as one, so that each layer is interpolated once at most (images and maps
  /// by ``interpolation``, labels by the nearest pixel), and turns, flips and windows alone not at all. What follows a
  /// crop in the list therefore still sees the image beyond the crop. Intensities change after that, in the
  /// list's order, and stay within the image's range. Shrinking is not antialiased.
  /// - Parameter batch: as many images as were drawn for, all of one size.
  /// - Returns: layers of the same names and types; of another size where a window was drawn, which must then
  ///   give all images one size.
  public func callAsFunction(_ batch: AlignedBatch) -> AlignedBatch {
    precondition(
      images.count == batch.count, "\(images.count) draws do not fit a batch of \(batch.count) images")
    if let flaw = images.joined().lazy.compactMap(\.flaw).first { preconditionFailure("drawn: \(flaw)") }
    let source = Canvas(height: batch.height, width: batch.width)
    let plans = images.map { SpatialPlan($0, source: source) }
    precondition(
      plans.allSatisfy { $0.result == plans.first?.result },
      "the windows drawn give the images of a batch different sizes")
    guard !plans.isEmpty else { return batch }
    return applied(plans, to: batch)
  }

  private func applied(_ plans: [SpatialPlan], to batch: AlignedBatch) -> AlignedBatch {
    let tensors = batch.layers.values.map(\.values)
    // Rounding must not decide which of two pixels is the nearest.
    let isPrecise = interpolation == .nearest || tensors.contains { $0.dtype == .float64 }
    let sampler = SpatialSampler(
      plans, border: border, interpolation: interpolation, device: tensors.first?.device ?? .cpu,
      precision: isPrecise ? .float64 : .float32)
    let layers = batch.layers.mapValues { layer in
      let moved = sampler(layer)
      guard case .image(let range) = layer.kind else { return moved }
      return moved.with(IntensityTransforms.applied(images, to: moved.values, range: range))
    }
    return AlignedBatch(layers)
  }
}

extension AugmentationDraw: Codable {
  private enum CodingKeys: CodingKey { case images, border, interpolation }

  /// Reads what `encode(to:)` wrote.
  /// - Throws: `DecodingError` where the parameters of a transform are impossible.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    images = try container.decode([[DrawnTransform]].self, forKey: .images)
    border = try container.decode(AugmentationBorder.self, forKey: .border)
    interpolation = try container.decodeIfPresent(Interpolation.self, forKey: .interpolation) ?? .linear
    if let flaw = images.joined().lazy.compactMap(\.flaw).first {
      throw DecodingError.dataCorruptedError(
        forKey: .images, in: container, debugDescription: "found \(flaw)")
    }
  }
}

extension AugmentationDraw: CustomStringConvertible {
  /// A line for each image.
  public var description: String {
    images.enumerated().map { index, transforms in
      let list = transforms.isEmpty ? "unchanged" : transforms.map(\.description).joined(separator: ", ")
      return "\(index): \(list)"
    }.joined(separator: "\n")
  }
}
