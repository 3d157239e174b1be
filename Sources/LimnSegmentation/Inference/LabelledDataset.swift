// A dataset labelled by a segmenter: the same images, with labels.

import Foundation
import LimnDatasets
import LimnTorch
import LimnTraining

/// A dataset that gets labels.
public struct LabelledDataset {
  /// Whose images are labelled.
  public let source: Dataset
  /// The new dataset's name.
  public let name: String
  /// The runs that label, for the record.
  public let runs: [String]

  /// Labels for `source`.
  public init(source: Dataset, name: String, runs: [String]) {
    (self.source, self.name, self.runs) = (source, name, runs)
  }

  /// Labels the images into a new dataset of equal items.
  /// - Parameters:
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - segmenter: the trained networks.
  ///   - progress: called after each image with the number labelled.
  /// - Throws: `DatasetError` if the folder cannot be written; nothing is left then.
  public func write(
    to url: URL, by segmenter: Segmenter, progress: (Int) throws -> Void = { _ in }
  ) throws {
    guard source.channels == segmenter.setting.shape.channels else {
      throw DatasetError(
        source.url.path,
        "images of \(source.channels) channels, expected \(segmenter.setting.shape.channels) as in training")
    }
    let writer = try DatasetWriter(description(segmenter), to: url)
    let images = try source.layer("images")
    for place in source.manifest.items.indices {
      let found = try segmenter.probabilities(of: source.images(at: [place])[0])
      var item = source.manifest.items[place]
      item.spacing = item.spacing ?? source.manifest.spacing
      try writer.append(
        item, image: images[place],
        companions: ["labels": segmenter.values(found).to(.uint8)])
      try progress(place + 1)
    }
    try writer.finish(
      provenance: Provenance(
        sources: 1, tool: "limn \(LimnVersion.current) segment", options: runs.map { "run \($0)" }))
  }

  private func description(_ segmenter: Segmenter) -> DatasetDescription {
    let manifest = source.manifest
    let classes = zip(segmenter.labels.names, segmenter.labels.values).dropFirst().map {
      LabelClass(name: $0, value: $1)
    }
    return DatasetDescription(
      name: name, modality: manifest.modality, channels: manifest.channels, height: manifest.height,
      width: manifest.width, bitDepth: manifest.bitDepth, intensity: manifest.intensity,
      classes: Array(classes), synthetic: manifest.synthetic,
      companions: [
        LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [manifest.height, manifest.width])
      ])
  }
}
