// The sums that PNG and gzip carry, so that damage is not refused for its sum alone.

enum Checksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  /// CRC-32 as PNG (annex D) and gzip (RFC 1952) have it.
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// A gzip file of stored blocks (RFC 1951, 3.2.4).
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    for start in stride(from: 0, to: max(bytes.count, 1), by: 65_535) {
      let block = bytes[start..<min(bytes.count, start + 65_535)]
      let size = [UInt8(block.count & 0xFF), UInt8(block.count >> 8)]
      file += [block.endIndex == bytes.count ? 1 : 0] + size + size.map { ~$0 } + block
    }
    let place = file.count
    file += [UInt8](repeating: 0, count: 8)
    file.set(Int(crc32(bytes)), at: place, size: 4)
    file.set(bytes.count, at: place + 4, size: 4)
    return file
  }
}
