// Data elements of DICOM and their bytes: explicit VR, little endian (PS3.5 section 7).

import Foundation

/// An attribute with its value, ready to be written.
struct WrittenElement: Sendable {
  /// How a value is stored (PS3.5 section 6.2).
  enum Representation: String, Sendable {
    case at = "AT"
    case cs = "CS"
    case da = "DA"
    case ds = "DS"
    case `is` = "IS"
    case lo = "LO"
    case lt = "LT"
    case ob = "OB"
    case ow = "OW"
    case pn = "PN"
    case sh = "SH"
    case sq = "SQ"
    case st = "ST"
    case tm = "TM"
    case ui = "UI"
    case ul = "UL"
    case us = "US"

    /// Text that may hold several values, told apart by backslashes.
    var isListable: Bool { ![.lt, .st].contains(self) }
    /// Characters that one value may have at most.
    var limit: Int {
      switch self {
      case .cs, .ds, .sh: 16
      case .st: 1024
      case .lt: 10240
      default: 64
      }
    }
    var hasLongLength: Bool { [.ob, .ow, .sq].contains(self) }
  }

  /// Group and element, such as 0x0010_0020.
  let tag: DICOMTag
  let representation: Representation
  /// The value, of even length.
  let value: Data

  /// - Parameters:
  ///   - tag: group and element.
  ///   - representation: any but numbers and sequences.
  ///   - value: the bytes; one is added where their count is odd.
  init(_ tag: DICOMTag, _ representation: Representation, bytes value: Data) {
    let padding: UInt8 = [.ui, .ob].contains(representation) ? 0 : 0x20
    self.tag = tag
    self.representation = representation
    self.value = value.count.isMultiple(of: 2) ? value : value + [padding]
  }

  /// Text, in UTF-8, each value cut to what the representation allows.
  static func text(_ tag: DICOMTag, _ representation: Representation, _ values: String...) -> WrittenElement {
    let clean = values.map { value in
      let plain = value.unicodeScalars.filter { $0.value >= 32 }.map { $0 == "\\" ? "/" : Character($0) }
      return String(plain.prefix(representation.limit))
    }
    let joined = representation.isListable ? clean.joined(separator: "\\") : clean.joined()
    return WrittenElement(tag, representation, bytes: Data(joined.utf8))
  }

  /// Decimal numbers of at most 16 characters each.
  static func decimals(_ tag: DICOMTag, _ values: [Double]) -> WrittenElement {
    WrittenElement(tag, .ds, bytes: Data(values.map(decimal).joined(separator: "\\").utf8))
  }

  /// As many digits as 16 characters hold.
  static func decimal(_ value: Double) -> String {
    let forms = stride(from: 16, through: 1, by: -1).lazy.map { String(format: "%.\($0)g", value) }
    return forms.first { $0.count <= 16 } ?? "0"
  }

  static func whole(_ tag: DICOMTag, _ value: Int) -> WrittenElement { text(tag, .is, "\(value)") }

  static func shorts(_ tag: DICOMTag, _ values: [Int]) -> WrittenElement {
    WrittenElement(tag, .us, bytes: values.reduce(Data()) { $0 + littleEndian(UInt16(clamping: $1)) })
  }

  static func longs(_ tag: DICOMTag, _ values: [Int]) -> WrittenElement {
    WrittenElement(tag, .ul, bytes: values.reduce(Data()) { $0 + littleEndian(UInt32(clamping: $1)) })
  }

  /// A value that is itself a tag.
  static func pointer(_ tag: DICOMTag, to other: DICOMTag) -> WrittenElement {
    WrittenElement(tag, .at, bytes: tagBytes(other))
  }

  /// Items, each a set of elements.
  static func sequence(_ tag: DICOMTag, _ items: [[WrittenElement]]) -> WrittenElement {
    let content = items.reduce(into: Data()) { content, item in
      let body = encoded(item)
      content += tagBytes(0xFFFE_E000) + littleEndian(UInt32(body.count)) + body
    }
    return WrittenElement(tag, .sq, bytes: content)
  }

  /// One item: value, coding scheme, meaning (PS3.3 section 8.8).
  static func code(_ tag: DICOMTag, _ value: String, _ scheme: String, _ meaning: String) -> WrittenElement {
    sequence(
      tag,
      [[.text(0x0008_0100, .sh, value), .text(0x0008_0102, .sh, scheme), .text(0x0008_0104, .lo, meaning)]])
  }

  /// The bytes of a set of elements in the order of their tags.
  static func encoded(_ elements: [WrittenElement]) -> Data {
    elements.sorted { $0.tag < $1.tag }.reduce(into: Data()) { data, element in
      data += tagBytes(element.tag) + element.representation.rawValue.utf8
      let count = element.value.count
      let isLong = element.representation.hasLongLength
      data += isLong ? [0, 0] + littleEndian(UInt32(count)) : littleEndian(UInt16(count))
      data += element.value
    }
  }

  private static func tagBytes(_ tag: DICOMTag) -> Data {
    littleEndian(UInt16(tag >> 16)) + littleEndian(UInt16(tag & 0xFFFF))
  }

  private static func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}
