// Reading any single file: its content decides the format.

import CMedical
import Foundation
import LimnTorch

/// Reads PNG, JPEG, TIFF, NIfTI and single DICOM files into volumes.
public enum ImageReader {
  /// No file may ask for more memory than this for its decoded pixels: 4 GiB.
  public static let maximumBytes = 4 << 30

  /// Whether the file's content begins like a format that this reader knows.
  public static func isReadable(_ url: URL) -> Bool { FileKind(sniffing: url.path) != nil }

  /// Reads one file.
  ///
  /// Pictures are volumes of one slice (a TIFF's pages are slices) with 1 or 3 channels: palettes expanded,
  /// alpha dropped, EXIF orientation applied. Integers stay as they are stored; NIfTI scaling gives float32,
  /// DICOM rescaling int16 or float32. DICOM's MONOCHROME1 stays as stored, too: ``SourceInfo`` tells of it.
  /// - Throws: `ImagingError`.
  public static func read(_ url: URL) throws -> Volume {
    let path = url.path
    let kind = try kind(of: path)
    return switch kind {
    case .png: try picture(path, kind, decode: CMedPNGRead)
    case .jpeg: try picture(path, kind, decode: CMedJPEGRead)
    case .tiff: try tiff(path)
    case .nifti: try nifti(path)
    case .dicom: try DICOMSeries.readFile(path)
    }
  }

  static func kind(of path: String) throws -> FileKind {
    guard FileManager.default.fileExists(atPath: path) else {
      throw ImagingError(
        file: path, found: "no such file", expected: "an image", advice: "check the path")
    }
    guard let kind = FileKind(sniffing: path) else { throw unknownContent(path) }
    return kind
  }

  private typealias MemoryDecoder = (
    UnsafeRawPointer?, Int, Int, UnsafeMutablePointer<CMedImage>?, UnsafeMutablePointer<CMedError>?
  ) -> Bool

  private static func picture(_ path: String, _ kind: FileKind, decode: MemoryDecoder) throws -> Volume {
    let data = try contents(of: path)
    var image = CMedImage()
    try checked(path, expected: "a complete \(kind.rawValue) file", advice: damagedAdvice) { error in
      data.withUnsafeBytes { decode($0.baseAddress, $0.count, maximumBytes, &image, &error) }
    }
    let upright = tensor(taking: image).turned(byEXIF: Int(image.orientation))
    return Volume(
      voxels: upright, affine: .picture(), storedBits: Int(image.storedBits),
      info: SourceInfo(path: path, format: kind.rawValue))
  }

  /// A PNG's samples, [C, H, W].
  static func picture(_ png: Data, named path: String) throws -> Tensor {
    var image = CMedImage()
    try checked(path, expected: "a complete PNG file", advice: damagedAdvice) { error in
      png.withUnsafeBytes { CMedPNGRead($0.baseAddress, $0.count, maximumBytes, &image, &error) }
    }
    return tensor(taking: image).squeezed(1)
  }

  private static func tiff(_ path: String) throws -> Volume {
    var image = CMedImage()
    try checked(path, expected: "a TIFF of gray or RGB pages of equal size", advice: damagedAdvice) { error in
      CMedTIFFRead(path, maximumBytes, &image, &error)
    }
    return Volume(
      voxels: tensor(taking: image), affine: .picture(), storedBits: Int(image.storedBits),
      info: SourceInfo(path: path, format: FileKind.tiff.rawValue))
  }

  private static func nifti(_ path: String) throws -> Volume {
    var image = CMedImage()
    try checked(path, expected: "a complete NIfTI-1 or NIfTI-2 file", advice: damagedAdvice) { error in
      CMedNIfTIRead(path, maximumBytes, &image, &error)
    }
    let affine = affine(of: image)
    var info = SourceInfo(path: path, format: FileKind.nifti.rawValue, hasGeometry: image.hasAffine)
    if !image.hasAffine {
      info.warnings.append("neither qform nor sform: the axes are taken to point right, front and up")
    }
    return Volume(
      voxels: tensor(taking: image), affine: affine, storedBits: Int(image.storedBits), info: info)
  }

  static let damagedAdvice = "it may be cut short, damaged or of a rare kind: export it again or leave it out"

  static func contents(of path: String) throws -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw ImagingError(
        file: path, found: "a file that cannot be opened", expected: "a readable file",
        advice: "check its permissions")
    }
  }

  private static func unknownContent(_ path: String) -> ImagingError {
    let start = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: 16) } ?? Data()
    let isText = !start.isEmpty && start.allSatisfy { (32..<127).contains($0) || (9...13).contains($0) }
    let hex = start.prefix(8).map { String(format: "%02x", $0) }.joined(separator: " ")
    let found = start.isEmpty ? "an empty file" : isText ? "text" : "a file that begins with \(hex)"
    return ImagingError(
      file: path, found: found, expected: "PNG, JPEG, TIFF, NIfTI or DICOM",
      advice: "convert it, or leave it out")
  }
}

extension Tensor {
  /// Undoes an EXIF orientation (1 to 8) on [C, Z, Y, X].
  fileprivate func turned(byEXIF orientation: Int) -> Tensor {
    guard orientation > 1 else { return self }
    let swapped = orientation >= 5 ? transposed(2, 3) : self
    let flips: [Int: [Int]] = [2: [3], 3: [2, 3], 4: [2], 6: [3], 7: [2, 3], 8: [2]]
    return (flips[orientation].map(swapped.flipped) ?? swapped).contiguous()
  }
}
