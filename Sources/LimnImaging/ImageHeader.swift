// What a file holds, told without decoding a pixel.

import CMedical
import Foundation

/// A file's description, from its header alone.
public struct ImageHeader: Sendable, Codable, Equatable {
  /// The container.
  public var format: FileKind
  /// Channels that reading gives: 1, 3 for colour, or the volumes of a 4-D file.
  public var channels: Int
  /// Slices, frames or pages.
  public var depth: Int
  /// Pixels along y, upright.
  public var height: Int
  /// Pixels along x, upright.
  public var width: Int
  /// Significant bits of a stored sample.
  public var storedBits: Int
  /// Whether samples are stored as floating-point numbers.
  public var isFloatingPoint: Bool
  /// Millimetres between voxel centres along x, y and z; nil where the file does not say.
  public var spacing: SIMD3<Double>?
  /// Whether the file places its voxels in space.
  public var hasGeometry: Bool
  /// What a careful person would want to know before using the file, a line each.
  public var warnings: [String] = []
  /// What a DICOM file says beside this; nil for other formats.
  public var dicom: DICOMHeader?
}

extension ImageReader {
  /// Describes a file without decoding its pixels.
  /// - Throws: `ImagingError` where the content is of no known format or the header cannot be read.
  public static func probe(_ url: URL) throws -> ImageHeader {
    let path = url.path
    switch try kind(of: path) {
    case .png: return try described(path, .png, "a PNG file") { CMedPNGProbe($0, $1, &$2, &$3) }
    case .jpeg: return try described(path, .jpeg, "a JPEG file") { CMedJPEGProbe($0, $1, &$2, &$3) }
    case .tiff: return try tiffHeader(path)
    case .nifti: return try niftiHeader(path)
    case .dicom: return ImageHeader(try DICOMHeader(readingImage: path))
    }
  }

  private static func described(
    _ path: String, _ kind: FileKind, _ expected: String,
    _ probe: (UnsafeRawPointer?, Int, inout CMedImage, inout CMedError) -> Bool
  ) throws -> ImageHeader {
    let data = try contents(of: path)
    var image = CMedImage()
    try checked(path, expected: expected, advice: damagedAdvice) { error in
      data.withUnsafeBytes { probe($0.baseAddress, $0.count, &image, &error) }
    }
    return ImageHeader(kind, image)
  }

  private static func tiffHeader(_ path: String) throws -> ImageHeader {
    var image = CMedImage()
    try checked(path, expected: "a TIFF of gray or RGB pages of equal size", advice: damagedAdvice) { error in
      CMedTIFFProbe(path, maximumBytes, &image, &error)
    }
    return ImageHeader(.tiff, image)
  }

  private static func niftiHeader(_ path: String) throws -> ImageHeader {
    var image = CMedImage()
    try checked(path, expected: "a NIfTI-1 or NIfTI-2 file", advice: damagedAdvice) { error in
      CMedNIfTIReadHeader(path, maximumBytes, &image, &error)
    }
    var header = ImageHeader(.nifti, image)
    header.spacing = affine(of: image).spacing
    header.hasGeometry = image.hasAffine
    return header
  }

  static func affine(of image: CMedImage) -> Affine {
    Affine(withUnsafeBytes(of: image.affine) { Array($0.bindMemory(to: Double.self)) })
  }
}

extension ImageHeader {
  fileprivate init(_ format: FileKind, _ image: CMedImage) {
    let isTurned = image.orientation >= 5
    self.init(
      format: format, channels: Int(image.channels), depth: Int(image.depth),
      height: Int(isTurned ? image.width : image.height), width: Int(isTurned ? image.height : image.width),
      storedBits: Int(image.storedBits), isFloatingPoint: image.type == CMedTypeFloat32, spacing: nil,
      hasGeometry: false)
  }

  fileprivate init(_ header: DICOMHeader) {
    self.init(
      format: .dicom, channels: header.channels, depth: header.frameCount,
      height: header.rows, width: header.columns, storedBits: header.bitsStored,
      isFloatingPoint: header.isFloatingPoint, spacing: header.hasSpacing ? header.spacing : nil,
      hasGeometry: header.position != nil && header.normal != nil, dicom: header)
    if header.mayShowText { warnings.append("the pixels may show text that names the patient") }
  }
}
