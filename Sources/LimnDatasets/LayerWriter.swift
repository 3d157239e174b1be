// One layer of a dataset on its way to disk: a safetensors file whose header is written last.

import Foundation
import LimnTorch

/// A layer to be written: its name, element type and the shape of one item.
public struct LayerDescriptor: Sendable, Equatable {
  /// The tensor's name, and its file's without `.safetensors`; holds no `/`.
  public var name: String
  /// uint8 or uint16.
  public var dtype: DType
  /// [C, H, W], or [H, W] for label maps.
  public var itemShape: [Int]
  /// How intensities became the layer's pixels, where it holds images of their own; nil else.
  public var intensity: IntensityRecord?
  /// Its images' modality, where they have one of their own.
  public var modality: String?

  /// A layer whose items have `itemShape`; the axis of the items themselves is left out of it.
  public init(
    name: String, dtype: DType, itemShape: [Int], intensity: IntensityRecord? = nil, modality: String? = nil
  ) {
    (self.name, self.dtype, self.itemShape) = (name, dtype, itemShape)
    (self.intensity, self.modality) = (intensity, modality)
  }

  var itemBytes: Int { itemShape.reduce(dtype.size, *) }
  var fileName: String { Self.fileName(of: name) }
  static func fileName(of layer: String) -> String { "\(layer).safetensors" }
}

/// Appends items to a safetensors file of which nothing but one item is ever in memory.
///
/// The header's length is fixed at the start and filled with spaces, which the format allows, so that the
/// count of items can be written when it is known and the data begins on a page border.
final class LayerWriter {
  let descriptor: LayerDescriptor
  private(set) var count = 0
  private let url: URL
  private let file: FileHandle
  private var hash = SHA256()
  private static let dataStart = 4096

  init(_ descriptor: LayerDescriptor, in folder: URL) throws {
    self.descriptor = descriptor
    url = folder.appendingPathComponent(descriptor.fileName)
    guard FileManager.default.createFile(atPath: url.path, contents: Data(count: Self.dataStart)) else {
      throw DatasetError(url, "cannot be written (\(String(cString: strerror(errno))))")
    }
    file = try FileHandle(forWritingTo: url)
    try file.seekToEnd()
  }

  deinit { try? file.close() }

  /// Appends one item of the descriptor's shape, or several along a new first axis.
  func append(_ items: Tensor) throws {
    precondition(
      items.dtype == descriptor.dtype
        && Array(items.shape.suffix(descriptor.itemShape.count)) == descriptor.itemShape
        && items.rank <= descriptor.itemShape.count + 1,
      "layer '\(descriptor.name)' takes \(descriptor.dtype)\(descriptor.itemShape), not \(items.summary)")
    try items.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, bytes.count > 0 else { return }
      hash.update(bytes)
      let data = Data(
        bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
      do { try file.write(contentsOf: data) } catch {
        throw DatasetError(url, "cannot be written (\(error.localizedDescription)); is the disk full?")
      }
    }
    count += items.rank > descriptor.itemShape.count ? items.shape[0] : 1
  }

  /// Writes the header, brings the file to the disk, closes it.
  func finish() throws -> LayerRecord {
    let shape = [count] + descriptor.itemShape
    let header: [String: Any] = [
      "__metadata__": ["format": "limn.dataset"],
      descriptor.name: [
        "dtype": descriptor.dtype == .uint8 ? "U8" : "U16", "shape": shape,
        "data_offsets": [0, count * descriptor.itemBytes],
      ],
    ]
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys])
    json.append(Data(repeating: UInt8(ascii: " "), count: Self.dataStart - 8 - json.count))
    try file.seek(toOffset: 0)
    try file.write(contentsOf: withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json)
    try file.synchronize()
    try file.close()
    return LayerRecord(
      name: descriptor.name, type: "\(descriptor.dtype)", shape: shape, sha256: hash.hexDigest)
  }
}
