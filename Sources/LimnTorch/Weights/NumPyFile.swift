// NumPy's .npy and .npz (NEP 1; format versions 1 to 3), arrays of numbers only.

import Foundation

/// Reads arrays of NumPy; nothing in the files is ever executed.
public enum NumPyFile {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The arrays of an `.npz` file by name, packed (`numpy.savez_compressed`) or not.
  /// - Throws: ``WeightsFileError`` for a damaged file, and for arrays of anything but numbers.
  public static func read(_ url: URL) throws -> [String: Tensor] {
    try reading(url) { try read(try ZipDirectory($0)) }
  }

  /// The array of an `.npy` file.
  /// - Throws: as ``read(_:)``.
  public static func array(_ url: URL) throws -> Tensor {
    try reading(url) { try array($0, 0..<$0.count) }
  }

  static func read(_ zip: ZipDirectory) throws -> [String: Tensor] {
    guard !zip.entries.isEmpty, zip.entries.keys.allSatisfy({ $0.hasSuffix(".npy") }) else {
      throw FileProblem("a zip file, but neither one of torch.save nor of numpy.savez")
    }
    var arrays: [String: Tensor] = [:]
    for (name, entry) in zip.entries {
      do {
        arrays[String(name.dropLast(4))] = try array(entry, of: zip.file)
      } catch let problem as FileProblem {
        throw FileProblem("array \(name.debugDescription): \(problem.text)")
      }
    }
    return arrays
  }

  private static func array(_ entry: ZipDirectory.Entry, of file: MappedFile) throws -> Tensor {
    guard entry.isDeflated else { return try array(file, entry.range) }
    let unpacked = try MappedFile(count: entry.size)
    try Inflate.unpack(ByteCursor(file).bytes(entry.range), into: unpacked.bytes)
    return try array(unpacked, 0..<entry.size)
  }

  private static func array(_ file: MappedFile, _ range: Range<Int>) throws -> Tensor {
    var cursor = ByteCursor(file, start: range.lowerBound, end: range.upperBound)
    guard cursor.bytes(try cursor.skip(6)).elementsEqual(magic) else {
      throw FileProblem("not a NumPy array")
    }
    let version = try cursor.number(UInt8.self)
    _ = try cursor.skip(1)
    let length = version == 1 ? try cursor.number(UInt16.self) : try cursor.number(UInt32.self)
    let header = try Header(try cursor.text(length))
    guard let count = elementCount(header.shape), count <= cursor.remaining / header.dtype.size else {
      throw FileProblem("\(cursor.remaining) bytes are too few for \(header.dtype)\(header.shape)")
    }
    let numbers = MappedNumbers(file: file, start: cursor.position, dtype: header.dtype)
    guard header.isFortran else { return numbers.tensor(header.shape) }
    return numbers.tensor(header.shape.reversed()).permuted(Array(header.shape.indices.reversed()))
  }

  /// The dictionary before the numbers: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
  private struct Header {
    let dtype: DType
    let isFortran: Bool
    let shape: [Int]

    private static let types: [String: DType] = [
      "<f2": .float16, "<f4": .float32, "<f8": .float64, "|u1": .uint8, "|i1": .int8, "<u2": .uint16,
      "<i2": .int16, "<i4": .int32, "<i8": .int64, "|b1": .bool,
    ]

    init(_ text: String) throws {
      guard let type = Self.value("descr", in: text)?.dropFirst().prefix(while: { $0 != "'" }),
        let order = Self.value("fortran_order", in: text), let list = Self.value("shape", in: text),
        list.hasPrefix("("), let end = list.firstIndex(of: ")")
      else { throw FileProblem("a header that cannot be read") }
      guard let dtype = Self.types[String(type)] else {
        throw FileProblem("elements of type \(String(type).debugDescription), which Limn does not read")
      }
      let lengths = list[list.index(after: list.startIndex)..<end].split(separator: ",")
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
      shape = lengths.compactMap(Int.init)
      guard shape.count == lengths.count, shape.count <= 16 else {
        throw FileProblem("a shape that cannot be read")
      }
      (self.dtype, isFortran) = (dtype, order.hasPrefix("True"))
    }

    /// What follows a key and its colon.
    private static func value(_ key: String, in text: String) -> Substring? {
      guard let place = text.range(of: "'\(key)':") else { return nil }
      return text[place.upperBound...].drop { $0 == " " }
    }
  }
}
