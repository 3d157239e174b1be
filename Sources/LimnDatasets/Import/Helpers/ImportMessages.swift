// What an import and its helpers say to each other: JSON messages, each with its length before it.

import Foundation
import LimnImaging

/// Work for a helper.
enum ImportRequest: Codable, Sendable {
  /// Read the headers of these files.
  case probe([String])
  /// Decode this file alone and forget it, to learn whether it can be.
  case test(String)
  /// Read these files, one volume, and write its images to a file.
  case cut(CutRequest)
}

/// What became of it.
enum ImportReply: Codable, Sendable {
  /// One answer for each file, in their order.
  case probed([ProbeResult])
  /// The file can be decoded.
  case tested
  case cut(CutResult)
  /// The files cannot be read or do not fit; one line.
  case refused(String)
}

/// What a file's header says, or why it cannot be read.
struct ProbeResult: Codable, Sendable {
  var header: ImageHeader?
  var problem: String?
  /// Whether the file begins like no image.
  var isForeign = false
}

/// A volume to be cut.
struct CutRequest: Codable, Sendable {
  var files: [String]
  var isDICOM: Bool
  var options: CutOptions
  /// What all images of the dataset have in common; nil for the first volume, which decides it.
  var target: CutTarget?
  /// The mask, nil where images come without.
  var label: LabelRequest?
  /// The other image of the pair, nil where images come alone.
  var pair: PairRequest?
  /// Where the pixels go, in the order of the images.
  var output: String

  /// Where the mask's pixels go, in the same order.
  var labelOutput: String { output + ".labels" }
  /// Where those of the other image go.
  var pairOutput: String { output + ".targets" }
}

/// What all images of a dataset have in common.
struct CutTarget: Codable, Sendable, Equatable {
  var channels: Int
  var height: Int
  var width: Int
  var bitDepth: Int
  /// Channels of the other images of pairs; nil without such.
  var pairChannels: Int?
}

/// The images of a volume. The pixels are in the file that the request named: [n, C, H, W], uint8 or uint16; those
/// of a mask in the second: [n, H, W], uint16; those of the other image of a pair in the third: [n, C′, H, W], as the
/// first.
struct CutResult: Codable, Sendable {
  var target: CutTarget
  var images: [CutImage]
  /// Images left out because they hold too little.
  var skipped: Int
  var storedBits: Int
  var unit: IntensityUnit
  var window: String
  var modality: String?
  var warnings: [String]
  /// The mask's values that occur in the images, sorted; nil without a mask.
  var labelValues: [Int]?
  /// The classes that masks name themselves, as segmentation objects do.
  var namedClasses: [LabelClass] = []
  /// What is known of the other image; nil without one.
  var pair: PairResult?
}

/// What is known of the other image of a pair.
struct PairResult: Codable, Sendable {
  var unit: IntensityUnit
  var window: String
  var modality: String?
  var storedBits: Int
  /// Images that lie wholly beyond its field.
  var unseen: Int
}

/// What is known of an image beside its pixels.
struct CutImage: Codable, Sendable {
  /// Which of the unit's volumes; a multi-frame file may hold several.
  var volume: Int
  /// The position along the slice axis; nil for pictures.
  var slice: Int?
  /// Which tile of the slice, [row, column] from 0; nil where it is not divided.
  var tile: [Int]?
  /// Millimetres between pixel centres, [row, column]; nil where the source does not say.
  var spacing: [Double]?
  /// Pixel (column, row, 0) to millimetres, RAS+, three rows of four; nil where the source does not say.
  var affine: [Double]?
  /// Equal or nearly equal for images that look alike.
  var fingerprint: UInt64
}

/// Messages on a pipe: four bytes of length, little-endian, then JSON.
enum MessagePipe {
  /// No honest message is longer: 64 MiB.
  static let maximumLength = 64 << 20

  /// - Throws: ``HelperEnded`` where nobody listens any more.
  static func send(_ message: some Encodable, to descriptor: Int32) throws {
    let body = try JSONEncoder().encode(message)
    let length = withUnsafeBytes(of: UInt32(body.count).littleEndian) { Data($0) }
    try (length + body).withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw HelperEnded() }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// The next message; `wait` is called before each read and may throw to give up.
  /// - Throws: ``HelperEnded`` where the other side is gone; what `wait` throws.
  static func receive<Message: Decodable>(
    _ type: Message.Type, from descriptor: Int32, wait: () throws -> Void = {}
  ) throws -> Message {
    let head = try read(4, from: descriptor, wait: wait)
    let length = head.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= maximumLength else { throw HelperEnded() }
    return try JSONDecoder().decode(type, from: read(length, from: descriptor, wait: wait))
  }

  private static func read(_ count: Int, from descriptor: Int32, wait: () throws -> Void) throws -> Data {
    var data = Data(count: count)
    var done = 0
    while done < count {
      try wait()
      let got = data.withUnsafeMutableBytes { buffer in
        Foundation.read(descriptor, buffer.baseAddress?.advanced(by: done), count - done)
      }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw HelperEnded() }
      done += got
    }
    return data
  }
}

/// The other side of a pipe is gone.
struct HelperEnded: Error {}
