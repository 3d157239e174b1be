// A DICOM file's pixels: fragments put to their frames, decoded, palettes and modality tables applied, rescaled.

import CMedical
import Foundation
import LimnTorch

/// Decodes the pixels of a parsed file.
struct DICOMPixels {
  let file: DICOMFile
  let header: DICOMHeader

  private static let native: Set<String> = [
    DICOMFile.implicitLittleEndian, DICOMFile.explicitLittleEndian, DICOMFile.deflated,
    DICOMFile.explicitBigEndian,
  ]

  /// - Parameters:
  ///   - file: parsed.
  ///   - header: the file's, where it has been read before.
  init(_ file: DICOMFile, header: DICOMHeader? = nil) {
    self.file = file
    self.header = header ?? DICOMHeader(file)
  }

  /// Stored values [C, frames, Y, X]: no rescaling, colours as RGB, palettes not applied.
  func stored() throws -> (voxels: Tensor, bits: Int) {
    guard header.rows > 0, header.columns > 0 else { throw DICOMHeader.noImage(header.path) }
    let (spans, frames) = try fragments()
    var image = CMedImage()
    try withSpans(spans, frames) { fragments in
      try checked(
        header.path, expected: "a DICOM image that can be decoded", advice: ImageReader.damagedAdvice
      ) { error in
        withFormat {
          CMedDicomDecode($0, fragments, fragments.count, ImageReader.maximumBytes, &image, &error)
        }
      }
    }
    return (tensor(taking: image), Int(image.storedBits))
  }

  /// Values [C, frames, Y, X]: modality table or slope and intercept applied frame by frame, palettes as RGB.
  func values(_ frames: [DICOMFrame]) throws -> (voxels: Tensor, bits: Int) {
    let (stored, bits) = try stored()
    if header.photometric == "PALETTE COLOR" {
      guard header.samplesPerPixel == 1 else {
        throw refused("a palette for \(header.samplesPerPixel) samples a pixel", "one index a pixel")
      }
      let palette = try DICOMPalette(file.data, path: header.path)
      return (palette.applied(to: stored), palette.bits)
    }
    if let table = file.data.item(0x0028_3000).flatMap({ DICOMTable($0, isSigned: header.isSigned) }) {
      return (table.applied(to: stored), bits)
    }
    return (DICOMRescale(frames).applied(to: stored), bits)
  }

  // MARK: - Fragments

  private func withFormat<Result>(_ body: (UnsafePointer<CMedDicomFormat>) -> Result) -> Result {
    let data = file.data
    return file.transferSyntax.withCString { syntax in
      header.photometric.withCString { photometric in
        var format = CMedDicomFormat()
        (format.frames, format.rows) = (Int64(header.frameCount), Int64(header.rows))
        (format.columns, format.samples) = (Int64(header.columns), Int64(header.samplesPerPixel))
        (format.bitsAllocated, format.bitsStored) = (Int32(header.bitsAllocated), Int32(header.bitsStored))
        if header.isFloatingPoint { format.bitsStored = format.bitsAllocated }
        format.highBit = Int32(data.unsignedShort(0x0028_0102) ?? header.bitsStored - 1)
        (format.isSigned, format.isFloat) = (header.isSigned, header.isFloatingPoint)
        (format.isBigEndian, format.isPlanar) = (data.isBigEndian, data.unsignedShort(0x0028_0006) == 1)
        let isWord = data.elements[0x7FE0_0010]?.representation == "OW"
        format.isWordSwapped = data.isBigEndian && header.bitsAllocated <= 8 && isWord
        (format.transferSyntax, format.photometric) = (syntax, photometric)
        return body(&format)
      }
    }
  }

  private func withSpans<Result>(
    _ spans: [Range<Int>], _ frames: [Int], _ body: ([CMedFragment]) throws -> Result
  ) rethrows -> Result {
    try file.data.bytes.withUnsafeBytes { bytes in
      try body(
        zip(spans, frames).map { span, frame in
          CMedFragment(
            bytes: bytes.baseAddress?.advanced(by: span.lowerBound), count: span.count, frame: Int64(frame))
        })
    }
  }

  /// Where the pixels lie and to which frame each part belongs.
  private func fragments() throws -> (spans: [Range<Int>], frames: [Int]) {
    let tags: [DICOMTag] = [0x7FE0_0010, 0x7FE0_0008, 0x7FE0_0009]
    guard let content = tags.lazy.compactMap({ file.data.elements[$0]?.content }).first else {
      throw refused("an image without pixels", "pixels in the file itself")
    }
    switch content {
    case .value(let range):
      // A native syntax in an encapsulated file's clothes, or the other way round, is not guessed at.
      guard Self.native.contains(file.transferSyntax) else {
        throw refused("native pixels in a compressed transfer syntax", "fragments")
      }
      return ([range], [0])
    case .fragments(let ranges):
      guard !Self.native.contains(file.transferSyntax) else {
        throw refused("compressed pixels in a native transfer syntax", "native pixels")
      }
      let parts = Array(ranges.dropFirst())
      return (parts, assigned(parts, table: ranges.first ?? 0..<0))
    case .items:
      throw refused("a sequence where pixels should be", "pixels")
    }
  }

  private func refused(_ found: String, _ expected: String) -> ImagingError {
    ImagingError(file: header.path, found: found, expected: expected, advice: ImageReader.damagedAdvice)
  }

  /// The frame of each fragment: one each, by the offset table, or by the codec's start marks.
  private func assigned(_ parts: [Range<Int>], table: Range<Int>) -> [Int] {
    let frames = header.frameCount
    if parts.count == frames { return Array(0..<frames) }
    if frames == 1 { return [Int](repeating: 0, count: parts.count) }
    let starts = offsets(in: table)
    guard starts.count == frames, let first = parts.first?.lowerBound else { return byStartMarks(parts) }
    // Offsets count from the first fragment's item, whose tag and length take eight bytes.
    return parts.map { part in (starts.lastIndex { $0 <= part.lowerBound - first } ?? 0) }
  }

  private func offsets(in table: Range<Int>) -> [Int] {
    let extended = file.data.numbers(0x7FE0_0001, as: UInt64.self).compactMap { Int(exactly: $0) }
    guard extended.isEmpty else { return extended }
    return file.data.bytes.withUnsafeBytes { bytes in
      stride(from: table.lowerBound, to: table.upperBound - 3, by: 4)
        .map { Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))) }
    }
  }

  /// JPEG's and JPEG-LS's start of image, JPEG 2000's start of codestream or signature box.
  private static let startMarks: [[UInt8]] = [
    [0xFF, 0xD8, 0xFF], [0xFF, 0x4F, 0xFF, 0x51], [0, 0, 0, 0x0C],
  ]

  private func byStartMarks(_ parts: [Range<Int>]) -> [Int] {
    var frame = -1
    return parts.map { part in
      let start = file.data.bytes[part.prefix(4)]
      if Self.startMarks.contains(where: { start.starts(with: $0) }) { frame += 1 }
      return max(frame, 0)
    }
  }
}

/// Slope and intercept of each frame (PS3.3, C.11.1).
struct DICOMRescale {
  private let lines: [(slope: Double, intercept: Double)]

  init(_ frames: [DICOMFrame]) { lines = frames.map { ($0.slope, $0.intercept) } }

  /// Stored values [C, frames, Y, X] to modality values: unchanged where every line is the identity; int16
  /// where all numbers are whole and the results fit; else float32.
  func applied(to stored: Tensor) -> Tensor {
    guard lines.contains(where: { $0.slope != 1 || $0.intercept != 0 }) else {
      return stored.dtype == .float64 ? narrowed(stored) : stored
    }
    let shape = [1, lines.count, 1, 1]
    // 32-bit integers have more digits than float32.
    let isWide = stored.dtype == .int32 || stored.dtype == .float64
    let wide = stored.to(isWide ? .float64 : .float32)
    let type = wide.dtype
    let values =
      wide * Tensor(lines.map(\.slope), shape: shape).to(type)
      + Tensor(lines.map(\.intercept), shape: shape).to(type)
    let isWhole = lines.allSatisfy {
      $0.slope == $0.slope.rounded() && $0.intercept == $0.intercept.rounded()
    }
    let isInteger = stored.dtype != .float32 && stored.dtype != .float64
    let fits = values.min().item() >= -32_768 && values.max().item() <= 32_767
    return isWhole && isInteger && fits ? values.to(.int16) : values.to(.float32)
  }

  /// Unsigned 32-bit integers fit int32 nearly always; double floats are rounded.
  private func narrowed(_ values: Tensor) -> Tensor {
    let isWhole = (values - values.round()).abs().max().item() == 0
    let fits = values.min().item() >= Double(Int32.min) && values.max().item() <= Double(Int32.max)
    return values.to(isWhole && fits ? .int32 : .float32)
  }
}
