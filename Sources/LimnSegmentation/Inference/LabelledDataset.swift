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
    /// Who labels.
    public let segmenter: Segmenter
    /// Positions in the dataset.
    public let items: [Int]

    /// The items at `items` for one segmenter.
    public init(_ segmenter: Segmenter, items: [Int]) { (self.segmenter, self.items) = (segmenter, items) }
  }

  /// What the new dataset holds besides labels.
  public struct Layers: Sendable {
    /// A layer `probability-CLASS` for each class but the background, uint16 [N, 1, H, W], 65,535 being 1; and
    /// `spread-CLASS` where the segmenters keep the spread.
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
        "images of \(source.channels) channels, expected \(part.segmenter.setting.shape.channels) as in training"
      )
    }
  }

  /// Images to label.
  public var count: Int { parts.reduce(0) { $0 + $1.items.count } }

  /// Labels the images into a new dataset, in the source's order.
  /// - Parameters:
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - progress: called with the number of images labelled, after each tile; what it throws ends the work.
  /// - Returns: what was measured of the objects, by item; nothing unless they are told apart.
  /// - Throws: `DatasetError` if the folder cannot be written; what `progress` throws. Nothing is left then.
  @discardableResult
  public func write(
    to url: URL, progress: (Int) throws -> Void = { _ in }
  ) throws -> [(name: String, table: RegionTable)] {
    let writer = try DatasetWriter(description, to: url)
    let images = try source.layer("images")
    var tables: [(name: String, table: RegionTable)] = []
    let work = parts.flatMap { part in part.items.map { ($0, part.segmenter) } }.sorted { $0.0 < $1.0 }
    for (done, (place, segmenter)) in work.enumerated() {
      var item = source.manifest.items[place]
      item.spacing = item.spacing ?? source.manifest.spacing
      let match = try segmenter.intake.spacingMatch(
        size: source.size, spacing: item.spacing, path: "\(source.url.path), item \(item.id)")
      let answer = try segmenter.answer(to: source.images(at: [place])[0], match: match) { _ in
        try progress(done)
      }
      let companions = companions(answer, segmenter)
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

  private func companions(_ answer: Segmenter.Answer, _ segmenter: Segmenter) -> [String: Tensor] {
    let labels = segmenter.values(answer.probabilities)
    var all = ["labels": labels.to(.uint8)]
    for kind in kinds {
      guard let values = answer[keyPath: kind.values] else { continue }
      for (place, name) in kind.layerNames(segmenter.labels).enumerated() {
        all[name] = (values[place + 1].unsqueezed(0) * 65535).round().to(.uint16)
      }
    }
    if let options = layers.objects {
      all["instances"] = ObjectExtraction.instances(in: labels, options: options).to(.uint16)
    }
    return all
  }

  private var description: DatasetDescription {
    let (manifest, labels) = (source.manifest, parts[0].segmenter.labels)
    let size = [manifest.height, manifest.width]
    let classes = zip(labels.names, labels.values).dropFirst().map { LabelClass(name: $0, value: $1) }
    let maps = kinds.flatMap { $0.layerNames(labels) }
    let objects = LayerDescriptor(name: "instances", dtype: .uint16, itemShape: size)
    return DatasetDescription(
      name: name, modality: manifest.modality, channels: manifest.channels, height: manifest.height,
      width: manifest.width, bitDepth: manifest.bitDepth, intensity: manifest.intensity,
      classes: Array(classes), synthetic: manifest.synthetic,
      companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: size)]
        + maps.map { LayerDescriptor(name: $0, dtype: .uint16, itemShape: [1] + size) }
        + (layers.objects == nil ? [] : [objects]))
  }

  private var kinds: [MapKind] {
    (layers.probabilities ? [.probability] : []) + (parts[0].segmenter.keepsSpread ? [.spread] : [])
  }

  /// The layer that holds the probability of a class.
  /// - Parameters:
  ///   - value: the class's in label maps.
  ///   - classes: all classes of the dataset but the background.
  /// - Returns: nil where the value is no class.
  public static func probabilityLayer(of value: Int, among classes: [LabelClass]) -> String? {
    let labels = LabelSetting(classes)
    guard value != 0, let number = labels.values.firstIndex(of: value) else { return nil }
    return MapKind.probability.layerNames(labels)[number - 1]
  }
}

extension Segmenter.Answer {
  fileprivate var mean: Tensor? { probabilities }
}

/// What is kept of each class beside the labels.
private enum MapKind: String {
  case probability, spread

  var values: KeyPath<Segmenter.Answer, Tensor?> {
    switch self {
    case .probability: \.mean
    case .spread: \.spread
    }
  }

  /// Layers for the classes but the background; exports take names of up to 30 characters.
  func layerNames(_ labels: LabelSetting) -> [String] {
    labels.plainNames(limit: 18).dropFirst().map { "\(rawValue)-\($0)" }
  }
}
