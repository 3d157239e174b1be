// A dataset that is open for reading: the manifest, and the layers mapped from the disk.

import Foundation
import LimnTorch

/// Images with what is known about them. Pixels stay on the disk and are mapped, never decoded.
///
/// Other programs read the pixels too; in Python:
///
/// ```python
/// from safetensors.numpy import load_file
/// images = load_file("DATASET/images.safetensors")["images"]  # [N, C, H, W], uint8 or uint16
/// print(images.shape, images.dtype, images.mean())
/// ```
public final class Dataset: Sendable {
  /// The dataset's folder.
  public let url: URL
  /// What `dataset.json` said when the dataset was opened.
  public let manifest: DatasetManifest
  private let layers: [String: Tensor]

  /// Whether a folder holds a dataset, whole or not.
  public static func isFolder(_ url: URL) -> Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent(DatasetManifest.fileName).path)
  }

  /// Opens a dataset folder.
  /// - Throws: ``DatasetError`` if it is not one, if the description contradicts itself, or if a layer is
  ///   missing, cut short or of another shape than described. Values are not looked at: ``verify()`` does
  ///   that.
  public static func open(_ url: URL) throws -> Dataset {
    let manifest = try DatasetManifest.read(from: url)
    try manifest.checkConsistency(in: url)
    var layers: [String: Tensor] = [:]
    for record in manifest.layers { layers[record.name] = try mapped(record, in: url) }
    return Dataset(url: url, manifest: manifest, layers: layers)
  }

  private init(url: URL, manifest: DatasetManifest, layers: [String: Tensor]) {
    self.url = url
    self.manifest = manifest
    self.layers = layers
  }

  private static func mapped(_ record: LayerRecord, in folder: URL) throws -> Tensor {
    let file = folder.appendingPathComponent(LayerDescriptor.fileName(of: record.name))
    guard let tensor = try Safetensors.read(file).tensors[record.name] else {
      throw DatasetError(file, "holds no tensor '\(record.name)'; import the dataset again")
    }
    guard "\(tensor.dtype)" == record.type, tensor.shape == record.shape else {
      throw DatasetError(
        file,
        "holds \(tensor.summary), \(DatasetManifest.fileName) says \(record.type)\(record.shape); "
          + "the two do not belong together, import the dataset again")
    }
    return tensor
  }

  /// Items in the dataset.
  public var count: Int { manifest.count }
  /// Channels of every image, such as 1 (grey) or 3 (RGB).
  public var channels: Int { manifest.channels }
  /// [H, W].
  public var size: [Int] { [manifest.height, manifest.width] }
  /// 8 or 16.
  public var bitDepth: Int { manifest.bitDepth }
  /// The names of the layers, `images` among them.
  public var layerNames: [String] { manifest.layers.map(\.name) }

  /// A layer as it lies on the disk, mapped: `images` [N, C, H, W] uint8 or uint16, `labels` [N, H, W] uint8,
  /// `sketches` [N, 1, H, W].
  /// - Throws: ``DatasetError`` if the dataset has no such layer.
  public func layer(_ name: String) throws -> Tensor {
    guard let layer = layers[name] else {
      throw DatasetError(url, "has no layer '\(name)'; it has \(layerNames.joined(separator: ", "))")
    }
    return layer
  }

  /// The items of a split, or all.
  public func indices(of split: Split?) -> [Int] {
    guard let split else { return Array(0..<count) }
    return manifest.items.indices.filter { manifest.items[$0].split == split }
  }

  /// The images at `indices`, float32 [n, C, H, W] in [−1, 1].
  public func images(at indices: [Int]) -> Tensor {
    guard let images = layers["images"] else { preconditionFailure("an open dataset has images") }
    return Pixels.rows(indices, of: images).normalizedPixels()
  }
}

/// Rows of layers.
enum Pixels {
  /// Copies the rows `indices` of the first axis of a CPU tensor. Rows are contiguous in a layer, so this is
  /// a copy of memory each, for every element type (libtorch indexes uint16 in few places).
  static func rows(_ indices: [Int], of layer: Tensor) -> Tensor {
    let shape = [indices.count] + layer.shape.dropFirst()
    let rows = Tensor.empty(shape, dtype: layer.dtype)
    guard rows.count > 0 else { return rows }
    let stride = rows.count / indices.count * layer.dtype.size
    layer.withUnsafeBytes { source in
      rows.withUnsafeMutableBytes { target in
        for (row, index) in indices.enumerated() {
          precondition(index >= 0 && index < layer.shape[0], "item \(index) of \(layer.shape[0])")
          let bytes = UnsafeRawBufferPointer(rebasing: source[index * stride..<(index + 1) * stride])
          UnsafeMutableRawBufferPointer(rebasing: target[row * stride..<(row + 1) * stride])
            .copyMemory(from: bytes)
        }
      }
    }
    return rows
  }
}
