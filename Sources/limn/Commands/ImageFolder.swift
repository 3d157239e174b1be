// Datasets and folders of pictures as sources for metrics.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch

/// Opens what a user names as a set of images.
enum ImageFolder {
  /// A dataset where the folder holds `dataset.json`, else the folder's pictures in the order of their names.
  /// - Parameters:
  ///   - url: the folder.
  ///   - split: of a dataset; all where nil.
  /// - Returns: the images, 8 bits.
  /// - Throws: what is wrong with the folder or one of its files, in one line.
  static func open(_ url: URL, split: Split? = nil) throws -> any ImageSource {
    if FileManager.default.fileExists(atPath: url.appendingPathComponent("dataset.json").path) {
      return try DatasetImages(Dataset.open(url), split: split)
    }
    guard split == nil else { throw MetricError("\(url.path): not a dataset, so it has no splits") }
    return try TensorImages(pictures(in: url), name: url.path)
  }

  private static func pictures(in folder: URL) throws -> Tensor {
    guard
      let contents = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
    else { throw MetricError("\(folder.path): no such folder; check the path") }
    let files = contents.filter(ImageReader.isReadable).sorted { $0.path < $1.path }
    guard !files.isEmpty else {
      throw MetricError("\(folder.path): neither a dataset nor a folder of images (PNG, JPEG, TIFF, DICOM)")
    }
    var images: [Tensor] = []
    for file in files {
      let image = try picture(file)
      if let first = images.first, first.shape != image.shape {
        throw MetricError(
          "\(file.path): [channels, height, width] are \(image.shape), those of the files before it "
            + "\(first.shape); 'limn import' brings images to one size")
      }
      images.append(image)
    }
    return Tensor.stack(images)
  }

  /// uint8 [C, H, W]; deeper pixels are scaled from their whole range.
  private static func picture(_ file: URL) throws -> Tensor {
    let volume = try ImageReader.read(file)
    guard volume.size[0] == 1 else {
      throw MetricError("\(file.path): \(volume.size[0]) slices; a folder of single images was expected")
    }
    return try quantized(IntensityWindow.full.applied(to: volume) * 2 - 1).squeezed(1)
  }
}

/// A dataset's images, brought to 8 bits batch by batch.
struct DatasetImages: ImageSource {
  let dataset: Dataset
  private let indices: [Int]

  init(_ dataset: Dataset, split: Split?) throws {
    self.dataset = dataset
    indices = dataset.indices(of: split)
    guard !indices.isEmpty else {
      throw MetricError("\(dataset.url.path): no image in the split '\(split.map(\.rawValue) ?? "")'")
    }
  }

  var name: String { dataset.manifest.name }
  var count: Int { indices.count }
  var channels: Int { dataset.channels }
  var height: Int { dataset.size[0] }
  var width: Int { dataset.size[1] }

  func images(at positions: [Int]) -> Tensor {
    dataset.images(at: positions.map { indices[$0] }).quantized(bitDepth: 8)
  }
}
