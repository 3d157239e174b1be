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

  /// The samples of an indexed PNG as they are stored: label maps are often kept so, colours being for the eye.
  /// - Parameter url: a file that ``ImageReader/read(_:)`` reads.
  /// - Returns: uint8 [1, H, W]; nil of a PNG without a palette, and of other files.
  /// - Throws: `ImagingError` where the file cannot be read.
  public static func indices(of url: URL) throws -> Tensor? {
    let data = try ImageReader.contents(of: url.path)
    guard data.prefix(8) == PNGChunk.signature else { return nil }
    var chunks = PNGChunk.all(in: Data(data))
    guard let head = chunks.first, head.name == "IHDR", head.content.count == 13, head.content[9] == 3 else {
      return nil
    }
    // Gray and indexed samples are stored alike; gray ones of fewer bits are spread over the eight when read.
    chunks[0].content[9] = 0
    let gray = chunks.filter { !["PLTE", "tRNS"].contains($0.name) }
    let bits = Int(head.content[8])
    let samples = try ImageReader.picture(
      PNGChunk.signature + gray.reduce(Data()) { $0 + $1.bytes }, named: url.path)
    let step = bits < 8 ? 255 / ((1 << bits) - 1) : 1
    return step == 1 ? samples : (samples.to(.float32) / Double(step)).round().to(.uint8)
  }
}
