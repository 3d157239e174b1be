// A dataset labelled by segmenters: the same images, with labels.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A dataset that gets labels.
public struct LabelledDataset {
  /// Items, and who labels them.
  public struct Part {
    let segmenter: Segmenter
    let items: [Int]

    /// The items at `items` for one segmenter.
    public init(_ segmenter: Segmenter, items: [Int]) { (self.segmenter, self.items) = (segmenter, items) }
  }

  /// What the new dataset holds besides labels.
  public struct Layers: Sendable {
    /// Class probabilities: uint16 [N, K, H, W], shares of 65535, the background first.
    public var probabilities = false
    /// How single objects are told apart: `instances`, uint16 [N, H, W]; nil: not at all.
    public var objects: ObjectOptions?

    /// Labels alone.
    public init() {}
  }

  /// Whose images are labelled.
  public let source: Dataset
  /// The new dataset's name.
  public let name: String
  /// Every item once at most.
  public let parts: [Part]
  /// What the new dataset holds.
  public let layers: Layers

  /// Labels for items of `source`, by at least one segmenter.
  /// - Throws: `DatasetError` where the segmenters take other channels.
  public init(source: Dataset, name: String, parts: [Part], layers: Layers = Layers()) throws {
    (self.source, self.name, self.parts, self.layers) = (source, name, parts, layers)
    for part in parts where part.segmenter.setting.shape.channels != source.channels {
      throw DatasetError(
        source.url.path,
        "images of \(source.channels) channels, expected \(part.segmenter.setting.shape.channels) as in training")
    }
  }

  /// Images to label.
  public var count: Int { parts.reduce(0) { $0 + $1.items.count } }

  /// Labels the images into a new dataset, in the source's order.
  /// - Parameters:
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - progress: called after each image with the number labelled.
  /// - Returns: what was measured of the objects, by item; nothing unless they are told apart.
  /// - Throws: `DatasetError` if the folder cannot be written; nothing is left then.
  @discardableResult
  public func write(
    to url: URL, progress: (Int) throws -> Void = { _ in }
  ) throws -> [(name: String, table: RegionTable)] {
    let writer = try DatasetWriter(description, to: url)
    let images = try source.layer("images")
    var tables: [(name: String, table: RegionTable)] = []
    let work = parts.flatMap { part in part.items.map { ($0, part.segmenter) } }.sorted { $0.0 < $1.0 }
    for (done, (place, segmenter)) in work.enumerated() {
      let found = try segmenter.probabilities(of: source.images(at: [place])[0])
      var item = source.manifest.items[place]
      item.spacing = item.spacing ?? source.manifest.spacing
      let companions = companions(found, segmenter)
      try writer.append(item, image: images[place], companions: companions)
      if let objects = companions["instances"] {
        tables.append((item.id, RegionTable(of: objects, image: images[place][0], spacing: item.spacing)))
      }
      try progress(done + 1)
    }
    let runs = parts.flatMap(\.segmenter.runs).map { "run \($0)" }
    try writer.finish(
      provenance: Provenance(sources: 1, tool: "limn \(LimnVersion.current) segment", options: runs))
    return tables
  }

  private func companions(_ found: Tensor, _ segmenter: Segmenter) -> [String: Tensor] {
    let labels = segmenter.values(found)
    var all = ["labels": labels.to(.uint8)]
    if layers.probabilities { all["probabilities"] = (found * 65535).round().to(.int32).to(.uint16) }
    if let options = layers.objects {
      all["instances"] = ObjectExtraction.instances(in: labels, options: options).to(.uint16)
    }
    return all
  }

  private var description: DatasetDescription {
    let (manifest, labels) = (source.manifest, parts[0].segmenter.labels)
    let size = [manifest.height, manifest.width]
    let classes = zip(labels.names, labels.values).dropFirst().map { LabelClass(name: $0, value: $1) }
    var companions = [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: size)]
    if layers.probabilities {
      let shape = [labels.values.count] + size
      companions.append(LayerDescriptor(name: "probabilities", dtype: .uint16, itemShape: shape))
    }
    if layers.objects != nil {
      companions.append(LayerDescriptor(name: "instances", dtype: .uint16, itemShape: size))
    }
    return DatasetDescription(
      name: name, modality: manifest.modality, channels: manifest.channels, height: manifest.height,
      width: manifest.width, bitDepth: manifest.bitDepth, intensity: manifest.intensity,
      classes: Array(classes), synthetic: manifest.synthetic, companions: companions)
  }
}
