// Deflate (RFC 1951), by zlib, for what numpy.savez_compressed packs.

import libz

/// Unpacks raw deflate data.
enum Inflate {
  /// Unpacks `input` so that it fills `output`.
  /// - Throws: ``FileProblem`` for damaged data and for any other length.
  static func unpack(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, size) == Z_OK else { throw damaged }
    defer { inflateEnd(&stream) }
    // zlib only reads what it is given, and counts in 32 bits.
    stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
    stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
    var (unread, missing) = (input.count, output.count)
    var status = Z_OK
    while status == Z_OK {
      stream.avail_in = UInt32(clamping: unread)
      stream.avail_out = UInt32(clamping: missing)
      let before = (read: stream.avail_in, written: stream.avail_out)
      status = inflate(&stream, Z_NO_FLUSH)
      unread -= Int(before.read - stream.avail_in)
      missing -= Int(before.written - stream.avail_out)
    }
    guard status == Z_STREAM_END, missing == 0 else { throw damaged }
  }

  private static let damaged = FileProblem("packed data that is damaged")
}
