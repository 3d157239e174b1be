// The size and the channels of an encoded PNG, read from its first 26 bytes.

import Foundation

/// What the IHDR chunk of a PNG says (W3C PNG, section 11.2.2).
struct PNGHeader {
  let width: Int
  let height: Int
  /// 1 grey, 2 grey and alpha, 3 RGB or palette, 4 RGB and alpha.
  let channels: Int

  /// nil if `data` does not begin as a PNG does.
  init?(_ data: Data) {
    let bytes = [UInt8](data.prefix(26))
    guard bytes.count == 26, bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      Array(bytes[12..<16]) == Array("IHDR".utf8), let channels = [0: 1, 2: 3, 3: 3, 4: 2, 6: 4][bytes[25]]
    else { return nil }
    width = bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
    height = bytes[20..<24].reduce(0) { $0 << 8 | Int($1) }
    self.channels = channels
  }
}
