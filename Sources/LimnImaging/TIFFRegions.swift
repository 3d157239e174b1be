// TIFFs larger than memory: reading any rectangle, and writing row by row.

import CMedical
import Foundation
import LimnTorch

/// Reads parts of a TIFF of one page: gray or RGB of 8 or 16 bits, gray float32; in strips or tiles.
///
/// In memory are the part that is read and one row or tile. Rows of a strip can be decoded only in order, so that
/// reading from the top down is fast, and jumping within files of one long strip is slow.
public final class TIFFRegionReader {
  /// The file's path.
  public let path: String
  /// 1, or 3 for colour; alpha is dropped.
  public let channels: Int
  /// Pixels along y.
  public let height: Int
  /// Pixels along x.
  public let width: Int
  /// uint8, uint16 or float32.
  public let dtype: DType
  /// Bits of a stored sample.
  public let storedBits: Int
  private let file: OpaquePointer

  private static let expected = "a TIFF of one page, gray or RGB of 8 or 16 bits or gray float32"

  /// Opens a file.
  /// - Throws: `ImagingError` for a file of another format or kind, with more than one page, or damaged.
  public init(_ url: URL) throws {
    let path = url.path
    let kind = try ImageReader.kind(of: path)
    guard kind == .tiff else {
      throw ImagingError(
        file: path, found: "a \(kind.rawValue) file", expected: Self.expected,
        advice: "convert it, or read it whole")
    }
    var image = CMedImage()
    var opened: OpaquePointer?
    try checked(path, expected: Self.expected, advice: ImageReader.damagedAdvice) { error in
      opened = CMedTIFFOpen(path, ImageReader.maximumBytes, &image, &error)
      return opened != nil
    }
    guard let opened else { preconditionFailure("a door that succeeds gives a file") }
    (file, self.path) = (opened, path)
    (channels, height, width) = (Int(image.channels), Int(image.height), Int(image.width))
    (dtype, storedBits) = (DType(image.type), Int(image.storedBits))
  }

  deinit { CMedTIFFClose(file) }

  /// Reads a rectangle of at least one pixel within the image.
  /// - Returns: [C, rows, columns] of the file's type.
  /// - Throws: `ImagingError` where that part is damaged, or larger than ``ImageReader/maximumBytes``.
  public func read(rows: Range<Int>, columns: Range<Int>) throws -> Tensor {
    precondition(
      !rows.isEmpty && !columns.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= height
        && columns.lowerBound >= 0 && columns.upperBound <= width,
      "rows \(rows) and columns \(columns) of an image of \(height) x \(width)")
    var image = CMedImage()
    try checked(path, expected: "a complete TIFF file", advice: ImageReader.damagedAdvice) { error in
      CMedTIFFReadRegion(
        file, UInt32(columns.lowerBound), UInt32(rows.lowerBound), UInt32(columns.count),
        UInt32(rows.count), &image, &error)
    }
    return tensor(taking: image).squeezed(1)
  }
}

extension IntensityWindow {
  /// The window that shows a TIFF of any size; its pixels are read, strip by strip, where their values decide.
  /// - Throws: `ImagingError` where it cannot be read, or where floats decide, which cannot be counted.
  public func display(of reader: TIFFRegionReader) throws -> DisplayWindow {
    if let known = knownLimits(reader.dtype, reader.storedBits) {
      return DisplayWindow(low: known.low, high: known.high)
    }
    guard !reader.dtype.isFloatingPoint else {
      throw ImagingError(
        file: reader.path, found: "\(reader.dtype) pixels and a window that follows the whole image",
        expected: "a window from one value to another", advice: "give the values that are black and white")
    }
    var ranks = ValueRanks(except: nil)
    for row in stride(from: 0, to: reader.height, by: 256) {
      ranks.add(
        try reader.read(rows: row..<min(row + 256, reader.height), columns: 0..<reader.width))
    }
    let (low, high) = ranks.percentiles(percents)
    return DisplayWindow(low: low, high: high)
  }
}

/// What a TIFF that is written row by row will hold.
public struct TIFFFormat: Sendable {
  /// 1 or 3.
  public var channels: Int
  /// Pixels along y.
  public var height: Int
  /// Pixels along x.
  public var width: Int
  /// uint8, uint16, int16, int32 or float32.
  public var dtype: DType
  /// The colours of the numbers from 0, at most 256, for one channel of uint8; gray where nil.
  public var palette: [LabelColours.Colour]?
  /// The file's ImageDescription, such as that it is synthetic.
  public var description: String

  /// Creates a format.
  public init(
    channels: Int = 1, height: Int, width: Int, dtype: DType, palette: [LabelColours.Colour]? = nil,
    description: String = ""
  ) {
    (self.channels, self.height, self.width, self.dtype) = (channels, height, width, dtype)
    (self.palette, self.description) = (palette, description)
  }
}

/// Writes a TIFF from the top down: strips, deflated, as BigTIFF where it may pass 4 GiB.
public final class TIFFStripWriter {
  private let format: TIFFFormat
  private let path: String
  private let file: OpaquePointer
  private static let advice = "see that the format and the rows agree, and that the disk has room"

  /// Lets `contents` append all rows of a file. The file appears whole or not at all.
  /// - Throws: `ImagingError` for what a TIFF cannot hold or rows that are too many or too few, `AtomicFileError`
  ///   where it cannot be written, or what `contents` throws.
  public static func write(
    _ format: TIFFFormat, to url: URL, contents: (TIFFStripWriter) throws -> Void
  ) throws {
    try AtomicFile.write(to: url) { beside in
      let writer = try TIFFStripWriter(format, beside: beside, path: url.path)
      try contents(writer)
      try writer.finish()
    }
  }

  private init(_ format: TIFFFormat, beside: URL, path: String) throws {
    var image = CMedImage()
    (image.channels, image.depth) = (Int64(format.channels), 1)
    (image.height, image.width) = (Int64(format.height), Int64(format.width))
    guard let type = format.dtype.medical, (1...256).contains(format.palette?.count ?? 1) else {
      throw ImagingError(
        file: path, found: "\(format.dtype) pixels and \(format.palette?.count ?? 0) colours",
        expected: "uint8, uint16, int16, int32 or float32, and at most 256 colours",
        advice: "convert the pixels first")
    }
    image.type = type
    let used = format.palette?.flatMap { [$0.red, $0.green, $0.blue] }
    let colours = used.map { $0 + [UInt8](repeating: 0, count: 3 * 256 - $0.count) }
    var created: OpaquePointer?
    try checked(path, expected: "1 or 3 channels of at least one pixel", advice: Self.advice) { error in
      // The door copies the colours.
      created =
        colours.map { CMedTIFFCreate(beside.path, &image, $0, format.description, &error) }
        ?? CMedTIFFCreate(beside.path, &image, nil, format.description, &error)
      return created != nil
    }
    guard let created else { preconditionFailure("a door that succeeds gives a file") }
    (self.format, self.path, file) = (format, path, created)
  }

  deinit { CMedTIFFAbandon(file) }

  /// Writes the next rows.
  /// - Parameter rows: [C, h, W] of the format's type.
  /// - Throws: `ImagingError` where they do not fit, or cannot be written.
  public func append(_ rows: Tensor) throws {
    let shape = [format.channels, rows.rank == 3 ? rows.size(1) : 0, format.width]
    guard rows.shape == shape, rows.dtype == format.dtype else {
      throw ImagingError(
        file: path, found: "rows of \(rows.summary)",
        expected: "\(format.dtype)[\(format.channels), h, \(format.width)]", advice: Self.advice)
    }
    let laidOut = rows.permuted([1, 2, 0]).contiguous()
    try checked(path, expected: "\(format.height) rows", advice: Self.advice) { error in
      laidOut.withUnsafeBytes { CMedTIFFWriteRows(file, $0.baseAddress, Int64(shape[1]), &error) }
    }
  }

  private func finish() throws {
    try checked(path, expected: "\(format.height) rows", advice: Self.advice) { CMedTIFFFinish(file, &$0) }
  }
}
