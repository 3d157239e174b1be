// Lookup tables: palettes (PS3.3, C.7.6.3.1.5, segmented ones C.7.9.2) and modality tables (C.11.1).

import Foundation
import LimnTorch

/// The three numbers before a table: how many entries, which value has the first, how many bits.
struct DICOMTableDescriptor {
  var entries: Int
  var first: Int
  var bits: Int

  init?(_ data: DICOMDataSet, _ tag: DICOMTag, isSigned: Bool) {
    let numbers = data.numbers(tag, as: UInt16.self)
    guard numbers.count >= 3 else { return nil }
    // 0 stands for 65536, which 16 bits cannot hold.
    entries = numbers[0] == 0 ? 65_536 : Int(numbers[0])
    first = isSigned ? Int(Int16(bitPattern: numbers[1])) : Int(numbers[1])
    bits = Int(numbers[2])
  }

  /// Where in the table each stored value lies; those outside take the nearest end.
  func places(of stored: Tensor) -> Tensor {
    (stored.to(.int64) - Double(first)).clamped(min: 0, max: Double(entries - 1)).to(.int64).flattened()
  }

  /// The table's words; of 8-bit tables, whose bytes lie in pairs or one to a word, the bytes.
  func values(_ data: DICOMDataSet, _ tag: DICOMTag) -> [UInt16]? {
    let words = data.numbers(tag, as: UInt16.self)
    if words.count >= entries { return Array(words.prefix(entries)) }
    let bytes = (data.value(tag) ?? Data()).map(UInt16.init)
    return bits <= 8 && bytes.count >= entries ? Array(bytes.prefix(entries)) : nil
  }
}

/// A modality table.
struct DICOMTable {
  private let descriptor: DICOMTableDescriptor
  private let values: [UInt16]

  init?(_ data: DICOMDataSet, isSigned: Bool) {
    guard let descriptor = DICOMTableDescriptor(data, 0x0028_3002, isSigned: isSigned),
      let values = descriptor.values(data, 0x0028_3006)
    else { return nil }
    (self.descriptor, self.values) = (descriptor, values)
  }

  func applied(to stored: Tensor) -> Tensor {
    let table = Tensor(values.map(Int32.init), shape: [values.count])
    return table.indexSelect(dim: 0, descriptor.places(of: stored)).reshaped(stored.shape)
  }
}

/// A colour palette.
struct DICOMPalette {
  /// 8 or 16.
  let bits: Int
  private let descriptor: DICOMTableDescriptor
  private let channels: [[UInt16]]

  init(_ data: DICOMDataSet, path: String) throws {
    guard let descriptor = DICOMTableDescriptor(data, 0x0028_1101, isSigned: false) else {
      throw Self.refused(path)
    }
    self.descriptor = descriptor
    channels = try (0..<3).map { channel in
      let plain = descriptor.values(data, 0x0028_1201 + DICOMTag(channel))
      let segments = data.numbers(0x0028_1221 + DICOMTag(channel), as: UInt16.self)
      guard let values = plain ?? Self.expanded(segments, entries: descriptor.entries) else {
        throw Self.refused(path)
      }
      return values
    }
    bits = descriptor.bits > 8 ? 16 : 8
  }

  private static func refused(_ path: String) -> ImagingError {
    ImagingError(
      file: path, found: "a palette that is missing or too short", expected: "three colour tables",
      advice: ImageReader.damagedAdvice)
  }

  /// Indices [1, Z, Y, X] to colours [3, Z, Y, X], uint8 or uint16.
  func applied(to stored: Tensor) -> Tensor {
    let places = descriptor.places(of: stored)
    let shape = [1] + stored.shape.dropFirst()
    let planes = channels.map { values in
      let table = Tensor(values.map(Int32.init), shape: [values.count])
      return table.indexSelect(dim: 0, places).reshaped(Array(shape))
    }
    return Tensor.cat(planes, dim: 0).to(bits == 8 ? .uint8 : .uint16)
  }

  /// No table has more entries than 16 bits count.
  private static let longest = 65_536

  /// Discrete, linear and indirect segments written out.
  private static func expanded(_ segments: [UInt16], entries: Int) -> [UInt16]? {
    var values: [UInt16] = []
    var place = 0
    while place + 1 < segments.count, values.count < entries {
      guard let next = append(segments, at: place, to: &values) else { return nil }
      place = next
    }
    return values.count >= entries ? Array(values.prefix(entries)) : nil
  }

  /// Appends the segment at `place`; the answer is where the next begins.
  private static func append(_ segments: [UInt16], at place: Int, to values: inout [UInt16]) -> Int? {
    let length = Int(segments[place + 1])
    switch segments[place] {
    case 0 where place + 2 + length <= segments.count:
      values += segments[place + 2..<place + 2 + length]
      return place + 2 + length
    case 1 where place + 2 < segments.count:
      guard let start = values.last.map(Double.init), length > 0 else { return nil }
      let end = Double(segments[place + 2])
      values += (1...length).map { UInt16((start + (end - start) * Double($0) / Double(length)).rounded()) }
      return place + 3
    case 2 where place + 3 < segments.count:
      var source = Int(segments[place + 2]) | Int(segments[place + 3]) << 16
      for _ in 0..<length
      where source + 1 < segments.count && segments[source] < 2 && values.count < longest {
        guard let next = append(segments, at: source, to: &values) else { return nil }
        source = next
      }
      return place + 4
    default: return nil
    }
  }
}
