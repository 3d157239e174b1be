// One DICOM file: its meta information, its transfer syntax, its data set.

import CMedical
import Foundation

/// A DICOM file that has been parsed; pixels are places in it until they are decoded.
struct DICOMFile {
  var path: String
  var transferSyntax: String
  var data: DICOMDataSet

  static let implicitLittleEndian = "1.2.840.10008.1.2"
  static let explicitLittleEndian = "1.2.840.10008.1.2.1"
  static let deflated = "1.2.840.10008.1.2.1.99"
  static let explicitBigEndian = "1.2.840.10008.1.2.2"
  private static let pixelTags: Set<DICOMTag> = [0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010]

  /// Parses the file at `path` up to its pixels.
  /// - Throws: `ImagingError`.
  init(reading path: String) throws {
    let bytes = try ImageReader.contents(of: path)
    do {
      try self.init(bytes, path: path)
    } catch let failure as DICOMParser.Failure {
      throw ImagingError(
        file: path, found: failure.reason, expected: "a DICOM file", advice: ImageReader.damagedAdvice)
    }
  }

  private init(_ bytes: Data, path: String) throws {
    self.path = path
    let hasPreamble = bytes.count >= 132 && bytes[128..<132].elementsEqual("DICM".utf8)
    var meta = DICOMParser(bytes, from: hasPreamble ? 132 : 0, isBigEndian: false, isExplicit: true)
    let information = try meta.dataSet(to: bytes.count, while: { $0 >> 16 == 2 })
    let start = meta.position
    let guess = Encoding(guessing: bytes, at: start)
    transferSyntax = information.text(0x0002_0010) ?? guess.transferSyntax
    let isDeflated = transferSyntax == Self.deflated
    let body = isDeflated ? try inflated(bytes.dropFirst(start), path: path) : bytes
    let encoding =
      isDeflated
      ? Encoding(isBigEndian: false, isExplicit: true)
      : Encoding(transferSyntax: transferSyntax, guess: guess)
    var parser = DICOMParser(
      body, from: isDeflated ? 0 : start, isBigEndian: encoding.isBigEndian, isExplicit: encoding.isExplicit)
    data = try parser.dataSet(to: body.count, stopAfter: Self.pixelTags.contains)
  }

  /// Byte order and whether elements name their value representation.
  private struct Encoding {
    var isBigEndian: Bool
    var isExplicit: Bool

    init(isBigEndian: Bool, isExplicit: Bool) {
      self.isBigEndian = isBigEndian
      self.isExplicit = isExplicit
    }

    /// What the first element looks like; low groups come first, so a zero second byte is a low one.
    init(guessing bytes: Data, at start: Int) {
      let first = [UInt8](bytes.dropFirst(start).prefix(6))
      isBigEndian = first.count == 6 && first[0] == 0 && first[1] != 0
      isExplicit = first.count == 6 && first[4...5].allSatisfy { (0x41...0x5A).contains($0) }
    }

    /// Files that name implicit VR and use explicit exist; the first element decides.
    init(transferSyntax: String, guess: Encoding) {
      isBigEndian = transferSyntax == DICOMFile.explicitBigEndian
      isExplicit = transferSyntax != DICOMFile.implicitLittleEndian || guess.isExplicit
    }

    var transferSyntax: String {
      if !isExplicit { return DICOMFile.implicitLittleEndian }
      return isBigEndian ? DICOMFile.explicitBigEndian : DICOMFile.explicitLittleEndian
    }
  }
}

/// What a deflated data set holds.
private func inflated(_ bytes: Data, path: String) throws -> Data {
  var buffer = CMedBuffer()
  defer { CMedBufferFree(&buffer) }
  try checked(path, expected: "a complete deflated data set", advice: ImageReader.damagedAdvice) { error in
    bytes.withUnsafeBytes {
      CMedInflate($0.baseAddress, $0.count, ImageReader.maximumBytes, &buffer, &error)
    }
  }
  return Data(bytes: buffer.bytes, count: buffer.count)
}
