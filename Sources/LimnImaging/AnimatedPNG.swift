// Animated PNG: libpng encodes each frame, the animation's chunks are put between (PNG, third edition, 2025).

import Foundation
import LimnTorch

/// Encodes animations that browsers and image viewers play.
public enum AnimatedPNG {
  /// Encodes frames that are shown one after another, for ever.
  /// - Parameters:
  ///   - frames: at least one, each [C, H, W] with C 1 or 3, uint8 or uint16, all alike.
  ///   - framesPerSecond: 1 to 1000.
  ///   - text: `tEXt` chunks by key, as for ``PNGFile``.
  /// - Returns: the file.
  /// - Throws: `ImagingError`.
  public static func encode(
    frames: [Tensor], framesPerSecond: Int = 12, text: [String: String] = [:]
  ) throws -> Data {
    guard let first = frames.first, frames.allSatisfy({ $0.shape == first.shape && $0.dtype == first.dtype })
    else {
      throw ImagingError(
        file: "animated PNG", found: "\(frames.count) frames of differing shapes or types",
        expected: "one or more alike", advice: "bring the frames to one size")
    }
    var writer = Writer(width: first.shape[2], height: first.shape[1], framesPerSecond: framesPerSecond)
    try writer.begin(PNGChunk.all(in: PNGFile.encode(pixels: first, text: text)), frameCount: frames.count)
    for frame in frames.dropFirst() { try writer.append(PNGChunk.all(in: PNGFile.encode(pixels: frame))) }
    return writer.finished()
  }
}

/// Puts the chunks of an animation in order.
private struct Writer {
  private var file = PNGChunk.signature
  private var sequence: UInt32 = 0
  /// What follows the sequence number in a frame's control chunk: size, offset, delay, no disposal or
  /// blending.
  private let control: [UInt8]

  init(width: Int, height: Int, framesPerSecond: Int) {
    let size = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
    let rate = UInt16(clamping: framesPerSecond)
    control = size + [UInt8](repeating: 0, count: 8) + [0, 1, UInt8(rate >> 8), UInt8(rate & 255), 0, 0]
  }

  /// The head, and the first frame, which is also the picture that a viewer without animation shows.
  mutating func begin(_ chunks: [PNGChunk], frameCount: Int) {
    for chunk in chunks where chunk.name != "IDAT" && chunk.name != "IEND" { file += chunk.bytes }
    file += PNGChunk(name: "acTL", content: Data(bigEndian(UInt32(frameCount)) + bigEndian(0))).bytes
    addControl()
    for chunk in chunks where chunk.name == "IDAT" { file += chunk.bytes }
  }

  mutating func append(_ chunks: [PNGChunk]) {
    addControl()
    for chunk in chunks where chunk.name == "IDAT" {
      file += PNGChunk(name: "fdAT", content: Data(nextNumber()) + chunk.content).bytes
    }
  }

  func finished() -> Data { file + PNGChunk(name: "IEND", content: Data()).bytes }

  private mutating func addControl() {
    file += PNGChunk(name: "fcTL", content: Data(nextNumber() + control)).bytes
  }

  private mutating func nextNumber() -> [UInt8] {
    defer { sequence += 1 }
    return bigEndian(sequence)
  }
}

/// A part of a PNG file.
struct PNGChunk {
  /// What every file begins with.
  static let signature = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

  var name: String
  var content: Data

  /// The chunks of a file, as far as they are whole.
  static func all(in png: Data) -> [PNGChunk] {
    var chunks: [PNGChunk] = []
    var position = 8
    while position + 12 <= png.count {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard position + 12 + length <= png.count else { break }
      let name = String(decoding: png[position + 4..<position + 8], as: UTF8.self)
      chunks.append(PNGChunk(name: name, content: Data(png[position + 8..<position + 8 + length])))
      position += 12 + length
    }
    return chunks
  }

  /// Length, name, content and checksum.
  var bytes: Data {
    let body = Data(name.utf8) + content
    return Data(bigEndian(UInt32(content.count))) + body + Data(bigEndian(checksum(of: body)))
  }
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// CRC-32 as PNG defines it (ISO 3309), a byte at a time.
private func checksum(of bytes: Data) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    checksums[Int((sum ^ UInt32(byte)) & 255)] ^ sum >> 8
  }
}

private let checksums: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? 0xEDB8_8320 ^ sum >> 1 : sum >> 1 }
}
