// The central directory of a zip file (PKWARE's APPNOTE 6.3), as PyTorch and NumPy write it.

import Foundation

/// The entries of a zip file by name.
struct ZipDirectory {
  static let magic: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

  struct Entry {
    let isDeflated: Bool
    /// Where the bytes lie in the file.
    let range: Range<Int>
    /// Their number once unpacked.
    let size: Int
  }

  let file: MappedFile
  private(set) var entries: [String: Entry] = [:]

  init(_ file: MappedFile) throws {
    self.file = file
    var cursor = try Self.end(of: file)
    _ = try cursor.skip(10)
    let count = try cursor.number(UInt16.self)
    let size = try cursor.number(UInt32.self)
    let start = try cursor.number(UInt32.self)
    guard count < 0xFFFF, start < 0xFFFF_FFFF else {
      throw FileProblem("a zip file of more than 4 GiB or 65,534 entries, which Limn does not read")
    }
    guard start + size <= file.count else { throw FileProblem("a zip file without its directory") }
    var directory = ByteCursor(file, start: start, end: start + size)
    for _ in 0..<count { try readEntry(&directory) }
    // Entries over each other would unpack to more than the file's size allows.
    guard entries.values.reduce(0, { $0 + $1.range.count }) <= file.count else {
      throw FileProblem("a zip file whose entries overlap")
    }
  }

  /// The last record, which a comment of up to 64 KiB may follow.
  private static func end(of file: MappedFile) throws -> ByteCursor {
    for start in stride(from: file.count - 22, through: max(0, file.count - 22 - 0xFFFF), by: -1) {
      var cursor = ByteCursor(file, start: start)
      if try cursor.number(UInt32.self) == 0x0605_4B50 { return ByteCursor(file, start: start) }
    }
    throw FileProblem("a zip file without its directory; it may be cut short")
  }

  private mutating func readEntry(_ cursor: inout ByteCursor) throws {
    guard try cursor.number(UInt32.self) == 0x0201_4B50 else {
      throw FileProblem("a zip file whose directory is damaged")
    }
    _ = try cursor.skip(4)
    let flags = try cursor.number(UInt16.self)
    let method = try cursor.number(UInt16.self)
    _ = try cursor.skip(8)
    let packed = try cursor.number(UInt32.self)
    let size = try cursor.number(UInt32.self)
    let lengths = try (0..<3).map { _ in try cursor.number(UInt16.self) }
    _ = try cursor.skip(8)
    let place = try cursor.number(UInt32.self)
    let name = try cursor.text(lengths[0])
    _ = try cursor.skip(lengths[1] + lengths[2])
    guard flags & 1 == 0, method == 0 || method == 8 else {
      throw FileProblem("\(name.debugDescription) is encrypted, or packed by method \(method)")
    }
    // Deflate packs to a 1032nd at best (RFC 1951's longest copy takes two bits).
    guard method == 0 ? packed == size : size <= 1032 * packed + 1032 else {
      throw FileProblem("\(name.debugDescription) cannot unpack from \(packed) to \(size) bytes")
    }
    entries[name] = Entry(
      isDeflated: method == 8, range: try contents(at: place, packed), size: size)
  }

  /// The bytes behind an entry's own header.
  private func contents(at place: Int, _ count: Int) throws -> Range<Int> {
    var cursor = ByteCursor(file, start: min(place, file.count))
    guard try cursor.number(UInt32.self) == 0x0403_4B50 else {
      throw FileProblem("a zip file whose entries are damaged")
    }
    _ = try cursor.skip(22)
    let lengths = [try cursor.number(UInt16.self), try cursor.number(UInt16.self)]
    _ = try cursor.skip(lengths[0] + lengths[1])
    return try cursor.skip(count)
  }
}
