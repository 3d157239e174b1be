// Writing a dataset: items are appended one by one or in batches and stream to the disk.

import Foundation
import LimnTorch

/// What a dataset's writer has to know before the first image.
public struct DatasetDescription: Sendable {
  /// What the dataset is called; need not be its folder's name.
  public var name: String
  /// CT, MR, CR, … as DICOM abbreviates it; nil where not known.
  public var modality: String?
  /// 1 (grey) or 3 (RGB), as a rule.
  public var channels: Int
  /// Pixels.
  public var height: Int
  /// Pixels.
  public var width: Int
  /// 8 or 16.
  public var bitDepth: Int
  /// How the sources' intensities became pixels; nil where that is not recorded.
  public var intensity: IntensityRecord?
  /// The classes of the `labels` layer, the tree's roots; empty where none are described.
  public var classes: [LabelClass]
  /// Whether a model drew the images.
  public var synthetic: Bool
  /// Layers beside `images`, such as `labels` or `sketches`.
  public var companions: [LayerDescriptor]

  /// By default a dataset of real images alone, without companion layers.
  public init(
    name: String, modality: String? = nil, channels: Int, height: Int, width: Int, bitDepth: Int,
    intensity: IntensityRecord? = nil, classes: [LabelClass] = [], synthetic: Bool = false,
    companions: [LayerDescriptor] = []
  ) {
    self.name = name
    self.modality = modality
    self.channels = channels
    self.height = height
    self.width = width
    self.bitDepth = bitDepth
    self.intensity = intensity
    self.classes = classes
    self.synthetic = synthetic
    self.companions = companions
  }

  /// The type of the pixels: uint8 or uint16.
  public var dtype: DType { bitDepth == 8 ? .uint8 : .uint16 }
}

/// Writes a dataset folder that appears complete or not at all.
///
/// Nothing is at the target until ``finish(provenance:splits:together:)`` returns. A writer that is released before,
/// because of an error or an interruption, removes what it wrote. Not for use by several threads at once.
public final class DatasetWriter {
  /// What is being written.
  public internal(set) var description: DatasetDescription
  /// Items appended so far.
  public var count: Int { items.count }

  private let folder: DatasetFolder
  private let layers: [LayerWriter]
  private var items: [DatasetItem] = []

  /// Begins a dataset that will stand at `url`.
  /// - Parameters:
  ///   - description: what every item will be like.
  ///   - url: the dataset's folder.
  ///   - overwrite: whether a dataset that is there already is replaced, at the very end.
  /// - Throws: ``DatasetError`` if something is at `url` and may not be replaced, or if its parent folder
  ///   cannot be written.
  public init(_ description: DatasetDescription, to url: URL, overwrite: Bool = false) throws {
    precondition([8, 16].contains(description.bitDepth), "the bit depth is 8 or 16")
    let images = LayerDescriptor(
      name: "images", dtype: description.dtype,
      itemShape: [description.channels, description.height, description.width])
    self.description = description
    let folder = try DatasetFolder(target: url, overwrite: overwrite)
    self.folder = folder
    layers = try ([images] + description.companions).map { try LayerWriter($0, in: folder.partial) }
  }

  /// Appends one item.
  /// - Parameters:
  ///   - item: what is known about it.
  ///   - image: [C, H, W] of the description's type and size.
  ///   - companions: one tensor of the layer's item shape for each companion layer.
  /// - Throws: ``DatasetError`` if the disk refuses.
  public func append(_ item: DatasetItem, image: Tensor, companions: [String: Tensor] = [:]) throws {
    try append([item], images: image.unsqueezed(0), companions: companions.mapValues { $0.unsqueezed(0) })
  }

  /// Appends a batch: `images` [n, C, H, W] and companions [n, …] for n items.
  /// - Throws: ``DatasetError`` if the disk refuses.
  public func append(_ items: [DatasetItem], images: Tensor, companions: [String: Tensor] = [:]) throws {
    for layer in layers {
      let name = layer.descriptor.name
      guard let tensor = name == "images" ? images : companions[name] else {
        preconditionFailure("layer '\(name)' has been described but is not given")
      }
      precondition(
        tensor.shape == [items.count] + layer.descriptor.itemShape,
        "layer '\(name)' takes \([items.count] + layer.descriptor.itemShape), not \(tensor.summary)")
      try layer.append(tensor)
    }
    self.items += items
  }

  /// Writes the description and puts the dataset in its place.
  /// - Parameters:
  ///   - provenance: where the images came from.
  ///   - splits: assigns the patients, in the order of their first items, anew; where nil the items keep the
  ///     splits they came with.
  ///   - together: groups of patients that are to be in one split.
  /// - Returns: the manifest as written.
  /// - Throws: ``DatasetError`` if nothing was appended or the disk refuses.
  @discardableResult
  public func finish(
    provenance: Provenance, splits: Splits? = nil, together: [[String]] = []
  ) throws -> DatasetManifest {
    guard !items.isEmpty else { throw DatasetError(folder.target, "no image to write") }
    if let splits { assign(splits, together) }
    let spacing = sharedSpacing()
    let records = try layers.map { described(try $0.finish()) }
    let manifest = manifest(layers: records, provenance, spacing: spacing)
    try AtomicFile.write(
      manifest.encoded(), to: folder.partial.appendingPathComponent(DatasetManifest.fileName))
    try folder.publish()
    return manifest
  }

  /// What is known of a layer only at the end.
  private func described(_ record: LayerRecord) -> LayerRecord {
    let companion = description.companions.first { $0.name == record.name }
    var record = record
    (record.intensity, record.modality) = (companion?.intensity, companion?.modality)
    return record
  }

  private func assign(_ splits: Splits, _ together: [[String]]) {
    let assigned = splits.assign(items.map(\.patient), together: together)
    for index in items.indices { items[index].split = assigned[items[index].patient] ?? .train }
  }

  /// The spacing that all items have, which is then taken out of them.
  private func sharedSpacing() -> [Double]? {
    let spacing = items[0].spacing
    guard let spacing, items.allSatisfy({ $0.spacing == spacing }) else { return nil }
    for index in items.indices { items[index].spacing = nil }
    return spacing
  }

  private func manifest(
    layers: [LayerRecord], _ provenance: Provenance, spacing: [Double]?
  ) -> DatasetManifest {
    DatasetManifest(
      name: description.name, modality: description.modality, count: items.count,
      channels: description.channels, height: description.height, width: description.width,
      bitDepth: description.bitDepth, intensity: description.intensity, spacing: spacing,
      classes: description.classes, provenance: provenance, synthetic: description.synthetic,
      contentHash: DatasetManifest.contentHash(of: layers), layers: layers,
      splits: DatasetManifest.splits(of: items), items: items)
  }
}
