// Animated PNG: libpng encodes each frame, the animation's chunks are put between (PNG, third edition, 2025).

import CMedical
import Foundation
import LimnTorch

/// Encodes animations that browsers and image viewers play.
public enum AnimatedPNG {
  /// Encodes frames that are shown one after another, for ever.
  /// - Parameters:
  ///   - frames: at least one, each [C, H, W] with C 1 or 3, uint8 or uint16, all alike.
  ///   - framesPerSecond: 1 to 1000.
  ///   - text: `tEXt` chunks by key, as ``PNGFile/encode(pixels:text:)``.
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
    var sequence: UInt32 = 0
    func next() -> [UInt8] {
      defer { sequence += 1 }
      return bigEndian(sequence)
    }
    let control = bigEndian(UInt32(first.shape[2])) + bigEndian(UInt32(first.shape[1]))
      + [UInt8](repeating: 0, count: 8) + [0, 1, UInt8(framesPerSecond >> 8), UInt8(framesPerSecond & 255), 0, 0]
    var file = Data()
    for (index, frame) in frames.enumerated() {
      let chunks = try chunks(of: PNGFile.encode(pixels: frame, text: index == 0 ? text : [:]))
      if index == 0 {
        file += signature
        for chunk in chunks where chunk.name != "IDAT" && chunk.name != "IEND" { file += bytes(of: chunk) }
        file += bytes(of: ("acTL", Data(bigEndian(UInt32(frames.count)) + bigEndian(0))))
      }
      file += bytes(of: ("fcTL", Data(next() + control)))
      for chunk in chunks where chunk.name == "IDAT" {
        // The first frame is also the picture that a viewer without animation shows.
        file += bytes(of: index == 0 ? chunk : ("fdAT", Data(next()) + chunk.content))
      }
    }
    return file + bytes(of: ("IEND", Data()))
  }

  private typealias Chunk = (name: String, content: Data)

  private static let signature = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// The chunks of a file that libpng has just written.
  private static func chunks(of png: Data) -> [Chunk] {
    var chunks: [Chunk] = []
    var position = signature.count
    while position + 12 <= png.count {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let name = String(decoding: png[position + 4..<position + 8], as: UTF8.self)
      chunks.append((name, Data(png[position + 8..<position + 8 + length])))
      position += 12 + length
    }
    return chunks
  }

  private static func bytes(of chunk: Chunk) -> Data {
    let body = Data(chunk.name.utf8) + chunk.content
    let checksum = body.withUnsafeBytes { CMedCRC32($0.baseAddress, $0.count) }
    return Data(bigEndian(UInt32(chunk.content.count))) + body + Data(bigEndian(checksum))
  }
}
