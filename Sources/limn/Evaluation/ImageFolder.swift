// Datasets and folders of pictures as sources for metrics.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnSegmentation
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
    if Dataset.isFolder(url) {
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
  /// The items that take part.
  let indices: [Int]

  init(_ dataset: Dataset, split: Split?) throws {
    try self.init(dataset, splits: split.map { [$0] } ?? Split.allCases)
  }

  /// The items of some splits, in the dataset's order.
  init(_ dataset: Dataset, splits: [Split]) throws {
    self.dataset = dataset
    indices = dataset.manifest.items.indices.filter { splits.contains(dataset.manifest.items[$0].split) }
    guard !indices.isEmpty else {
      let names = splits.map(\.rawValue).joined(separator: ", ")
      throw MetricError("\(dataset.url.path): no image in the split '\(names)'")
    }
  }

  private init(_ dataset: Dataset, indices: [Int]) { (self.dataset, self.indices) = (dataset, indices) }

  /// The images of some patients; nil where there are none.
  func filtered(_ isKept: (String) -> Bool) -> DatasetImages? {
    let kept = indices.filter { isKept(dataset.manifest.items[$0].patient) }
    return kept.isEmpty ? nil : DatasetImages(dataset, indices: kept)
  }

  var name: String { dataset.manifest.name }
  var count: Int { indices.count }
  var channels: Int { dataset.channels }
  var height: Int { dataset.size[0] }
  var width: Int { dataset.size[1] }
  /// The pseudonym of every image's patient.
  var patients: [String] { indices.map { dataset.manifest.items[$0].patient } }

  func images(at positions: [Int]) -> Tensor {
    dataset.images(at: positions.map { indices[$0] }).quantized(bitDepth: 8)
  }
}

/// A dataset's images with their label maps.
struct LabelledDatasetImages: LabelledSource {
  private let source: DatasetImages
  private let layer: Tensor

  /// - Throws: `DatasetError` for a dataset without labels.
  init(_ source: DatasetImages) throws {
    self.source = source
    layer = try source.dataset.layer("labels")
  }

  var name: String { source.name }
  var count: Int { source.count }
  var channels: Int { source.channels }
  var height: Int { source.height }
  var width: Int { source.width }

  func images(at positions: [Int]) -> Tensor { source.images(at: positions) }

  func labels(at positions: [Int]) -> Tensor {
    layer.indexSelect(dim: 0, Tensor(positions.map { source.indices[$0] }))
  }
}
