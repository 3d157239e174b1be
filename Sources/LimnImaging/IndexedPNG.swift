// PNG with a palette: label maps whose values programs read and whose colours people see.

import Foundation
import LimnTorch

extension LabelColours.Colour {
  /// A colour written as `#E69F00`, in small or capital letters; nil for other texts.
  public init?(hex: String) {
    let digits = hex.dropFirst()
    guard hex.hasPrefix("#"), digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit),
      let value = Int(digits, radix: 16)
    else { return nil }
    self.init(red: UInt8(value >> 16), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
  }
}

extension PNGFile {
  /// Encodes a label map as a PNG whose samples are the labels and whose palette gives each a colour.
  /// - Parameters:
  ///   - labels: [H, W], uint8.
  ///   - palette: up to 256 colours; label n is drawn in the n-th, from 0.
  ///   - text: `tEXt` chunks, Latin-1, by key (1 to 79 characters).
  /// - Returns: the file.
  /// - Throws: `ImagingError` for another shape or type, or where a label has no colour.
  public static func encode(
    labels: Tensor, palette: [LabelColours.Colour] = LabelColours.palette, text: [String: String] = [:]
  ) throws -> Data {
    let isMap = labels.rank == 2 && labels.dtype == .uint8 && labels.count > 0
    guard isMap, (1...256).contains(palette.count), Int(labels.max().item()) < palette.count else {
      throw ImagingError(
        file: "index PNG", found: "\(labels.summary) and \(palette.count) colours",
        expected: "uint8 [H, W] and a colour for each label", advice: "convert the labels first")
    }
    var chunks = PNGChunk.all(in: try encode(pixels: labels.unsqueezed(0), text: text))
    // Gray and indexed samples of 8 bits are stored alike: what differs is the head's colour type.
    chunks[0].content[9] = 3
    let colours = Data(palette.flatMap { [$0.red, $0.green, $0.blue] })
    chunks.insert(PNGChunk(name: "PLTE", content: colours), at: 1)
    return PNGChunk.signature + chunks.reduce(Data()) { $0 + $1.bytes }
  }
}
