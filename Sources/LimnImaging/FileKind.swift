// Telling what a file is by its content; names and extensions are not looked at.

import CMedical
import Foundation

/// The formats this room reads.
public enum FileKind: String, Sendable, Codable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case tiff = "TIFF"
  case nifti = "NIfTI"
  case dicom = "DICOM"

  /// What the file begins as; nil where it is none of them or cannot be opened.
  public init?(sniffing url: URL) { self.init(sniffing: url.path) }

  init?(sniffing path: String) {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    guard let start = try? handle.read(upToCount: 132).map({ [UInt8]($0) }) else { return nil }
    if let kind = FileKind(magic: start) {
      self = kind
    } else if FileKind.maybeNIfTI(start), CMedNIfTIProbe(path) {
      self = .nifti
    } else {
      return nil
    }
  }

  private init?(magic start: [UInt8]) {
    // First: the 128 bytes before a DICOM file's magic may make it a TIFF, too.
    if start.count >= 132, start[128..<132].elementsEqual("DICM".utf8) {
      self = .dicom
    } else if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if Self.tiffMagics.contains(where: { start.starts(with: $0) }) {
      self = .tiff
    } else if Self.isBareDICOM(start) {
      self = .dicom
    } else {
      return nil
    }
  }

  /// Classic and Big TIFF, in both byte orders.
  private static let tiffMagics: [[UInt8]] = [
    [0x49, 0x49, 0x2A, 0], [0x4D, 0x4D, 0, 0x2A], [0x49, 0x49, 0x2B, 0], [0x4D, 0x4D, 0, 0x2B],
  ]

  /// Gzip, or the header sizes 348 and 540 in either byte order.
  private static func maybeNIfTI(_ start: [UInt8]) -> Bool {
    let sizes: [[UInt8]] = [[0x5C, 1, 0, 0], [0, 0, 1, 0x5C], [0x1C, 2, 0, 0], [0, 0, 2, 0x1C]]
    return start.starts(with: [0x1F, 0x8B]) || sizes.contains { start.starts(with: $0) }
  }

  /// A data set without the 128-byte preamble: it opens with an element of group 2 or 8.
  private static func isBareDICOM(_ start: [UInt8]) -> Bool {
    guard start.count >= 8 else { return false }
    let isBigEndian = start[0] == 0
    let words = [0, 2].map { at in
      isBigEndian ? Int(start[at]) << 8 | Int(start[at + 1]) : Int(start[at + 1]) << 8 | Int(start[at])
    }
    guard words[0] == 2 || words[0] == 8, words[1] <= 0x18 else { return false }
    let isExplicit = start[4...5].allSatisfy { (0x41...0x5A).contains($0) }
    let length = start[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    return isExplicit || (length <= 64 && !isBigEndian)
  }
}
