// Little-endian numbers and texts from bytes that may end at any moment.

import Foundation

/// A place in a file that moves on as it is read.
struct ByteCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  /// Reads `file` from `start` up to `end`; nil stands for the file's end.
  init(_ file: MappedFile, start: Int = 0, end: Int? = nil) {
    bytes = UnsafeRawBufferPointer(start: file.address, count: min(end ?? file.count, file.count))
    position = start
  }

  var remaining: Int { bytes.count - position }

  /// The range of the next `count` bytes, which are passed.
  mutating func skip(_ count: Int) throws -> Range<Int> {
    guard count >= 0, count <= remaining else {
      throw FileProblem("cut short: \(count) bytes expected where \(max(remaining, 0)) are left")
    }
    position += count
    return position - count..<position
  }

  /// An unsigned number of 1, 2, 4 or 8 bytes, or a signed one; the type says which.
  mutating func number<T: FixedWidthInteger>(_ type: T.Type) throws -> Int {
    let range = try skip(MemoryLayout<T>.size)
    let value = T(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self))
    guard let number = Int(exactly: value) else { throw FileProblem("the number \(value) is too large") }
    return number
  }

  mutating func byte() throws -> UInt8 { bytes[try skip(1).lowerBound] }

  /// UTF-8; what is none is replaced.
  mutating func text(_ count: Int) throws -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: bytes[try skip(count)]), as: UTF8.self)
  }

  /// The text up to a line feed, which is passed.
  mutating func line() throws -> String {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw FileProblem("cut short in a text") }
    let line = try text(end - position)
    _ = try skip(1)
    return line
  }

  /// The bytes of a range, lent for as long as the file is mapped.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
}
