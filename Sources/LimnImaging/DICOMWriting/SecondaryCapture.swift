// Secondary Capture: an image that a program made, as any DICOM viewer and archive takes it (PS3.3 A.8.1).

import Foundation
import LimnTorch

/// A DICOM Secondary Capture image.
public struct SecondaryCapture: Sendable {
  /// Whom and what the image belongs to.
  public var identity: DICOMSeriesIdentity
  /// SOPInstanceUID.
  public var instance = DICOMUID.new()
  /// From 1 within the series.
  public var number = 1
  /// [C, H, W] with C 1 or 3, uint8 or uint16.
  public var pixels: Tensor
  /// Pixel (column, row, 0) to millimetres, RAS+; nil where the image has no place. The third column is the
  /// step to the next slice.
  public var affine: Affine?
  /// Millimetres between pixel centres, [row, column], of an image without a place; nil where not known.
  public var spacing: [Double]?
  /// What the pixels stand for; themselves where nil.
  public var scale: ValueScale?

  /// SecondaryCaptureImageStorage.
  public static let sopClass = "1.2.840.10008.5.1.4.1.1.7"

  /// An image without a place.
  public init(identity: DICOMSeriesIdentity, pixels: Tensor) {
    (self.identity, self.pixels) = (identity, pixels)
  }

  /// The file. A place whose rows and columns are not at right angles is left out: DICOM cannot say it.
  /// - Throws: `ImagingError` for pixels of another shape or type.
  public func encoded() throws -> Data {
    try checkImage(pixels, format: "DICOM")
    guard [.uint8, .uint16].contains(pixels.dtype) else {
      throw ImagingError(
        file: "DICOM", found: "pixels of type \(pixels.dtype)", expected: "uint8 or uint16",
        advice: "convert the pixels first")
    }
    let elements =
      identity.elements(
        class: Self.sopClass, instance: instance, number: number, modality: identity.modality ?? "OT")
      + [.text(0x0008_0064, .cs, "WSD"), .text(0x0020_0060, .cs, "")] + marks + place + image
    return DICOMPart10.encoded(elements, class: Self.sopClass, instance: instance)
  }

  /// Nobody has looked whether letters are in a scanned picture; a drawn one shows nobody's name.
  private var marks: [WrittenElement] {
    identity.isSynthetic
      ? [.text(0x0008_0008, .cs, "DERIVED", "SECONDARY", "SYNTHETIC"), .text(0x0028_0301, .cs, "NO")]
      : [.text(0x0008_0008, .cs, "DERIVED", "SECONDARY")]
  }

  private var place: [WrittenElement] {
    guard let plane = affine.flatMap(ImagePlane.init) else {
      return spacing.map { [.decimals(0x0028_0030, $0)] } ?? []
    }
    return plane.spacingElements + [
      plane.positionElement, plane.orientationElement, .text(0x0020_0052, .ui, identity.frameOfReference),
      .text(0x0020_1040, .lo, ""),
    ]
  }

  /// Image Pixel module (C.7.6.3), Modality LUT (C.11.1) where pixels stand for something; everything is shown.
  private var image: [WrittenElement] {
    let isColour = pixels.shape[0] == 3
    let bits = 8 * pixels.dtype.size
    let stored = pixels.permuted([1, 2, 0]).contiguous().withUnsafeBytes { Data($0) }
    let layout: [WrittenElement] = [
      .shorts(0x0028_0002, [isColour ? 3 : 1]),
      .text(0x0028_0004, .cs, isColour ? "RGB" : "MONOCHROME2"), .shorts(0x0028_0010, [pixels.shape[1]]),
      .shorts(0x0028_0011, [pixels.shape[2]]), .shorts(0x0028_0100, [bits]), .shorts(0x0028_0101, [bits]),
      .shorts(0x0028_0102, [bits - 1]), .shorts(0x0028_0103, [0]),
      WrittenElement(0x7FE0_0010, bits == 8 ? .ob : .ow, bytes: stored),
    ]
    if isColour { return layout + [.shorts(0x0028_0006, [0])] }
    let rescale: [WrittenElement] =
      scale.map {
        [
          .decimals(0x0028_1052, [$0.intercept]), .decimals(0x0028_1053, [$0.slope]),
          .text(0x0028_1054, .lo, $0.unit == .hounsfield ? "HU" : "US"),
        ]
      } ?? []
    let (slope, intercept) = (scale?.slope ?? 1, scale?.intercept ?? 0)
    let (levels, middle) = (Double(1 << bits), Double(1 << (bits - 1)))
    let window: [WrittenElement] = [
      .decimals(0x0028_1050, [intercept + slope * middle]), .decimals(0x0028_1051, [slope * levels]),
    ]
    return layout + rescale + (bits == 16 || scale != nil ? window : [])
  }
}
