// Writing PNG, 8 and 16 bit, with text chunks.

import CMedical
import Foundation
import LimnTorch

/// Encodes and writes PNG files.
public enum PNGFile {
  /// The text that marks a generated image, under the key `Synthetic`.
  public static func syntheticText(_ statement: String) -> [String: String] { ["Synthetic": statement] }

  /// Encodes an image.
  /// - Parameters:
  ///   - pixels: [C, H, W] with C 1 or 3, uint8 or uint16.
  ///   - text: `tEXt` chunks, Latin-1, by key (1 to 79 characters).
  /// - Returns: the file.
  /// - Throws: `ImagingError` for another shape or type.
  public static func encode(pixels: Tensor, text: [String: String] = [:]) throws -> Data {
    try checkImage(pixels, format: "PNG")
    let texts = text.sorted { $0.key < $1.key }.map { (key: strdup($0.key), value: strdup($0.value)) }
    defer { for text in texts.flatMap({ [$0.key, $0.value] }) { free(text) } }
    let chunks = texts.map { CMedText(key: $0.key, value: $0.value) }
    return try withMedicalImage(of: pixels.unsqueezed(1), planar: false, file: "PNG") { image in
      try encoded("PNG", expected: "uint8 or uint16 pixels") { buffer, error in
        CMedPNGWrite(&image, chunks, chunks.count, &buffer, &error)
      }
    }
  }

  /// Encodes and writes an image; the file appears whole or not at all.
  /// - Throws: `ImagingError`, or `AtomicFileError` where it cannot be written.
  public static func write(pixels: Tensor, text: [String: String] = [:], to url: URL) throws {
    try AtomicFile.write(encode(pixels: pixels, text: text), to: url)
  }
}

/// Runs an encoder of the door and takes over its bytes.
func encoded(
  _ format: String, expected: String, _ call: (inout CMedBuffer, inout CMedError) -> Bool
) throws -> Data {
  var buffer = CMedBuffer()
  defer { CMedBufferFree(&buffer) }
  try checked(format, expected: expected, advice: "convert the pixels first") { call(&buffer, &$0) }
  return Data(bytes: buffer.bytes, count: buffer.count)
}

func checkImage(_ pixels: Tensor, format: String) throws {
  let shape = pixels.shape
  guard shape.count == 3, shape[0] == 1 || shape[0] == 3, !shape.contains(0) else {
    throw ImagingError(
      file: format, found: "pixels of shape \(shape)", expected: "[C, H, W] with 1 or 3 channels",
      advice: "select the channels and the slice first")
  }
}
