// DICOM's encoding (PS3.5, section 7): tags, value representations, lengths, nested sequences, fragments.
//
// Every read is checked against the bytes there are, and values stay where they lie: parsing allocates for
// elements, never for what a length claims.

import Foundation

/// Walks the elements of DICOM bytes.
struct DICOMParser {
  /// Why bytes cannot be walked; a reason without the file's name.
  struct Failure: Error { var reason: String }

  private static let undefinedLength = 0xFFFF_FFFF
  private static let itemStart: DICOMTag = 0xFFFE_E000
  private static let itemEnd: DICOMTag = 0xFFFE_E00D
  private static let sequenceEnd: DICOMTag = 0xFFFE_E0DD
  private static let longForms: Set<String> = [
    "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV",
  ]
  private static let deepest = 32
  private static let mostElements = 4_000_000

  private let bytes: Data
  private let isBigEndian: Bool
  private let isExplicit: Bool
  private(set) var position: Int
  private var depth = 0
  private var count = 0

  init(_ bytes: Data, from start: Int, isBigEndian: Bool, isExplicit: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
    self.isExplicit = isExplicit
    position = start
  }

  /// For the inside of values of a parsed data set: what was not recognised as a sequence is implicit.
  init(reading set: DICOMDataSet) {
    self.init(set.bytes, from: 0, isBigEndian: set.isBigEndian, isExplicit: false)
  }

  // MARK: - Data sets

  /// The elements up to `end`, an item's end mark, or one whose tag `isLast` accepts (which is taken).
  mutating func dataSet(
    to end: Int, stopAfter isLast: (DICOMTag) -> Bool = { _ in false },
    while isWanted: (DICOMTag) -> Bool = { _ in true }
  ) throws -> DICOMDataSet {
    var set = DICOMDataSet(bytes: bytes, isBigEndian: isBigEndian)
    while position + 8 <= end {
      let tag = try peekTag()
      if !isWanted(tag) { break }
      if tag == Self.itemEnd {
        position += 8
        break
      }
      set.elements[tag] = try element(tag, to: end)
      if isLast(tag) { break }
    }
    return set
  }

  private mutating func element(_ tag: DICOMTag, to end: Int) throws -> DICOMElement {
    count += 1
    guard count <= Self.mostElements else { throw Failure(reason: "more than \(Self.mostElements) elements") }
    let (representation, length) = try header()
    if length == Self.undefinedLength {
      if tag == 0x7FE0_0010 {
        return DICOMElement(representation: "OB", content: .fragments(try fragments()))
      }
      let inner = representation == "UN" ? implicit() : self
      return DICOMElement(representation: "SQ", content: .items(try nested(inner, to: end)))
    }
    guard length <= end - position else {
      throw Failure(reason: "a DICOM file that ends before its last value")
    }
    let range = position..<position + length
    if representation == "SQ" {
      let items = try nested(self, to: range.upperBound)
      position = range.upperBound
      return DICOMElement(representation: "SQ", content: .items(items))
    }
    position = range.upperBound
    return DICOMElement(representation: representation, content: .value(range))
  }

  /// The same place in the bytes, read as implicit VR: what UN hides (PS3.5, 6.2.2).
  private func implicit() -> DICOMParser {
    var parser = DICOMParser(bytes, from: position, isBigEndian: false, isExplicit: false)
    (parser.depth, parser.count) = (depth, count)
    return parser
  }

  private mutating func nested(_ inner: DICOMParser, to end: Int) throws -> [DICOMDataSet] {
    var parser = inner
    let items = try parser.items(to: end)
    (position, count) = (parser.position, parser.count)
    return items
  }

  /// Tag, VR and length of the element here; the position moves to its value.
  private mutating func header() throws -> (representation: String, length: Int) {
    let letters = try (byte(at: position + 4), byte(at: position + 5))
    let isNamed = (0x41...0x5A).contains(letters.0) && (0x41...0x5A).contains(letters.1)
    // Files mix both forms; a length of letters would be beyond 1 GB.
    guard isExplicit, isNamed else {
      let length = try unsigned(at: position + 4, size: 4)
      position += 8
      return ("", length)
    }
    let representation = String(decoding: [letters.0, letters.1], as: UTF8.self)
    guard Self.longForms.contains(representation) else {
      let length = try unsigned(at: position + 6, size: 2)
      position += 8
      return (representation, length)
    }
    let length = try unsigned(at: position + 8, size: 4)
    position += 12
    return (representation, length)
  }

  // MARK: - Sequences

  /// The items of a sequence whose value lies at `range`.
  func items(in range: Range<Int>) throws -> [DICOMDataSet] {
    var parser = self
    parser.position = range.lowerBound
    return try parser.items(to: range.upperBound)
  }

  private mutating func items(to end: Int) throws -> [DICOMDataSet] {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw Failure(reason: "sequences nested deeper than \(Self.deepest)") }
    var items: [DICOMDataSet] = []
    while position + 8 <= end {
      let tag = try peekTag()
      let length = try unsigned(at: position + 4, size: 4)
      position += 8
      if tag == Self.sequenceEnd { break }
      guard tag == Self.itemStart else { throw Failure(reason: "a sequence without items") }
      let isOpen = length == Self.undefinedLength
      guard isOpen || length <= end - position else {
        throw Failure(reason: "an item longer than its sequence")
      }
      let itemEnd = isOpen ? end : position + length
      items.append(try dataSet(to: itemEnd))
      if !isOpen { position = itemEnd }
    }
    return items
  }

  /// Where the fragments of encapsulated pixels lie, the offset table first.
  private mutating func fragments() throws -> [Range<Int>] {
    var found: [Range<Int>] = []
    while position + 8 <= bytes.count {
      let tag = try peekTag()
      let length = try unsigned(at: position + 4, size: 4)
      guard tag == Self.itemStart else { break }
      guard length <= bytes.count - position - 8 else {
        throw Failure(reason: "a DICOM file that ends before its last fragment of pixels")
      }
      found.append(position + 8..<position + 8 + length)
      position += 8 + length
    }
    return found
  }

  // MARK: - Bytes

  private func byte(at index: Int) throws -> UInt8 {
    guard index < bytes.count else { throw Failure(reason: "a DICOM file that ends inside an element") }
    return bytes[bytes.startIndex + index]
  }

  private func unsigned(at index: Int, size: Int) throws -> Int {
    guard index + size <= bytes.count else {
      throw Failure(reason: "a DICOM file that ends inside an element")
    }
    return bytes.withUnsafeBytes { buffer in
      if size == 2 {
        let stored = buffer.loadUnaligned(fromByteOffset: index, as: UInt16.self)
        return Int(isBigEndian ? UInt16(bigEndian: stored) : UInt16(littleEndian: stored))
      }
      let stored = buffer.loadUnaligned(fromByteOffset: index, as: UInt32.self)
      return Int(isBigEndian ? UInt32(bigEndian: stored) : UInt32(littleEndian: stored))
    }
  }

  func peekTag() throws -> DICOMTag {
    try DICOMTag(unsigned(at: position, size: 2) << 16 | unsigned(at: position + 2, size: 2))
  }
}
