// A parsed DICOM data set: elements by tag, values as places in the file's bytes, sequences as data sets.

import Foundation

/// A DICOM tag: group and element, as in `0x0010_0020`.
typealias DICOMTag = UInt32

/// What stands behind a tag.
struct DICOMElement: Sendable {
  enum Content: Sendable {
    /// Where the value lies in the bytes.
    case value(Range<Int>)
    case items([DICOMDataSet])
    /// Where the fragments of encapsulated pixels lie, the offset table first.
    case fragments([Range<Int>])
  }

  /// Two letters, or empty where the file does not say.
  var representation: String
  var content: Content
}

/// One data set of a file or of a sequence's item.
struct DICOMDataSet: Sendable {
  let bytes: Data
  let isBigEndian: Bool
  var elements: [DICOMTag: DICOMElement] = [:]

  /// The value's bytes; nil where there is no such element or it is a sequence.
  func value(_ tag: DICOMTag) -> Data? {
    guard case .value(let range) = elements[tag]?.content else { return nil }
    return bytes[range]
  }

  /// The element's text without the padding DICOM allows at either end; nil where that leaves nothing.
  func text(_ tag: DICOMTag) -> String? {
    value(tag).map(Self.unpadded).flatMap { $0.isEmpty ? nil : Self.decoded($0) }
  }

  /// The backslash-separated texts of an element.
  func texts(_ tag: DICOMTag) -> [String] {
    guard let whole = value(tag).map(Self.unpadded), !whole.isEmpty else { return [] }
    return whole.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
      .map { Self.decoded(Self.unpadded($0)) }
  }

  private static func unpadded(_ bytes: Data) -> Data {
    func isPadding(_ byte: UInt8) -> Bool { [0, 9, 10, 13, 32].contains(byte) }
    guard let first = bytes.firstIndex(where: { !isPadding($0) }),
      let last = bytes.lastIndex(where: { !isPadding($0) })
    else { return Data() }
    return bytes[first...last]
  }

  private static func decoded(_ bytes: Data) -> String {
    String(validating: bytes, as: UTF8.self)
      ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  /// The finite numbers of a decimal or integer string; empty where one of them is none.
  func decimals(_ tag: DICOMTag) -> [Double] {
    let texts = texts(tag)
    let finite = texts.compactMap { Double($0) ?? Double($0.replacing(",", with: ".")) }.filter(\.isFinite)
    return finite.count == texts.count ? finite : []
  }

  /// The first `count` decimals; nil where there are fewer.
  func vector(_ tag: DICOMTag, count: Int) -> [Double]? {
    let found = decimals(tag)
    return found.count >= count ? Array(found.prefix(count)) : nil
  }

  func decimal(_ tag: DICOMTag) -> Double? { decimals(tag).first }

  func integer(_ tag: DICOMTag) -> Int? { decimal(tag).flatMap { Int(exactly: $0.rounded()) } }

  /// The values of a binary element such as US, UL or FD, in host order.
  func numbers<Number>(_ tag: DICOMTag, as type: Number.Type) -> [Number] where Number: FixedWidthInteger {
    guard let raw = value(tag) else { return [] }
    let size = MemoryLayout<Number>.size
    return raw.withUnsafeBytes { buffer in
      (0..<buffer.count / size).map { index in
        let stored = buffer.loadUnaligned(fromByteOffset: index * size, as: Number.self)
        return isBigEndian ? Number(bigEndian: stored) : Number(littleEndian: stored)
      }
    }
  }

  func unsignedShort(_ tag: DICOMTag) -> Int? { numbers(tag, as: UInt16.self).first.map(Int.init) }

  func unsignedLong(_ tag: DICOMTag) -> Int? { numbers(tag, as: UInt32.self).first.map(Int.init) }

  /// The values of an FD element.
  func doubles(_ tag: DICOMTag) -> [Double] {
    numbers(tag, as: UInt64.self).map(Double.init(bitPattern:)).filter(\.isFinite)
  }

  /// The items of a sequence; empty where there is none.
  func items(_ tag: DICOMTag) -> [DICOMDataSet] {
    switch elements[tag]?.content {
    case .items(let items): items
    // Implicit VR does not say which values of a stated length are sequences.
    case .value(let range): (try? DICOMParser(reading: self).items(in: range)) ?? []
    case .fragments, nil: []
    }
  }

  /// The only or first item of a sequence.
  func item(_ tag: DICOMTag) -> DICOMDataSet? { items(tag).first }
}
