// A dataset translated: the same items with other images.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A dataset whose images are translations of another's.
public struct TranslatedDataset {
  /// Items, and who translates them.
  public struct Part {
    /// Who translates.
    public let translator: Translator
    /// Positions in the dataset.
    public let items: [Int]

    /// The items at `items` for one run.
    public init(_ translator: Translator, items: [Int]) {
      (self.translator, self.items) = (translator, items)
    }
  }

  /// Whose images are translated.
  public let source: Dataset
  /// The new dataset's name.
  public let name: String
  /// Every item once at most.
  public let parts: [Part]
  /// Every item is drawn in each.
  public let styles: [NamedStyle]
  /// Layers of the source that stay with the images.
  private static let kept = ["labels", "instances"]

  /// Translations of items of `source`, by at least one run.
  /// - Throws: `DatasetError` where the runs take other channels.
  public init(source: Dataset, name: String, parts: [Part], styles: [NamedStyle]) throws {
    (self.source, self.name, self.parts, self.styles) = (source, name, parts, styles)
    for part in parts where part.translator.source.channels != source.channels {
      throw DatasetError(
        source.url.path,
        "images of \(source.channels) channels, expected \(part.translator.source.channels) as in training")
    }
  }

  /// Images to make.
  public var count: Int { parts.reduce(0) { $0 + $1.items.count } * styles.count }

  /// Translates the images into a new dataset, in the source's order, one style after the other; items keep their ids
  /// (but for the styles' suffixes), patients, splits and places, and label maps stay with them.
  /// - Parameters:
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - options: for the record.
  ///   - progress: called with the number of images translated; what it throws ends the work.
  /// - Returns: how alike neighbouring slices of the same volume are.
  /// - Throws: `DatasetError` if the folder cannot be written; what `progress` throws. Nothing is left then.
  public func write(
    to url: URL, options: [String] = [], progress: (Int) throws -> Void = { _ in }
  ) throws -> SliceConsistency {
    let writer = try DatasetWriter(description, to: url)
    var (consistency, last, done) = (SliceConsistency(), DatasetItem?.none, 0)
    let batches = batches
    for (style, batch) in styles.flatMap({ style in batches.map { (style, $0) } }) {
      let made = try translated(batch, style.style)
      let (images, targets) = (source.images(at: batch.items), try self.targets(at: batch.items))
      for (place, number) in batch.items.enumerated() {
        let item = source.manifest.items[number].suffixed(style.suffix)
        if !item.follows(last) { consistency.restart() }
        consistency.add(
          [.source: images[place], .translation: made[place], .target: targets?[place]].compactMapValues(
            \.self))
        last = item
        try writer.append(
          item, image: made[place].quantized(bitDepth: bitDepth), companions: companions(of: number))
      }
      done += batch.items.count
      try progress(done)
    }
    let runs = parts.map { "run \($0.translator.name)" }
    try writer.finish(
      provenance: Provenance(
        sources: 1, tool: "limn \(LimnVersion.current) translate", options: runs + options))
    return consistency
  }

  /// Neighbours in the source's order that one run translates.
  private var batches: [(translator: Translator, items: [Int])] {
    let work = parts.enumerated().flatMap { part in part.element.items.map { (item: $0, part: part.offset) } }
    var batches: [(part: Int, items: [Int])] = []
    for (item, part) in work.sorted(by: { $0.item < $1.item }) {
      let most = parts[part].translator.batchCount(size: source.size)
      if let last = batches.last, last.part == part, last.items.count < most,
        spacing(of: last.items[0]) == spacing(of: item)
      {
        batches[batches.count - 1].items.append(item)
      } else {
        batches.append((part, [item]))
      }
    }
    return batches.map { (parts[$0.part].translator, $0.items) }
  }

  private func spacing(of item: Int) -> [Double]? {
    source.manifest.items[item].spacing ?? source.manifest.spacing
  }

  private func translated(
    _ batch: (translator: Translator, items: [Int]), _ style: TranslationStyle
  ) throws -> Tensor {
    let first = batch.items[0]
    let spacing = spacing(of: first)
    let match = try batch.translator.source.spacingMatch(
      size: source.size, spacing: spacing, path: "\(source.url.path), item \(source.manifest.items[first].id)"
    )
    return batch.translator.translate(
      source.images(at: batch.items), match: match, isPlaced: spacing != nil, style: style)
  }

  /// The true targets of a paired dataset, [n, C′, H, W] in [−1, 1].
  private func targets(at items: [Int]) throws -> Tensor? {
    guard source.layerNames.contains("targets") else { return nil }
    let layer = try source.layer("targets")
    return Tensor.stack(items.map { layer[$0] }).normalizedPixels()
  }

  private func companions(of item: Int) throws -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: try layers.map { ($0.name, try source.layer($0.name)[item]) })
  }

  private var layers: [LayerDescriptor] {
    Self.kept.compactMap { name in
      (try? source.layer(name)).map {
        LayerDescriptor(name: name, dtype: $0.dtype, itemShape: Array($0.shape.dropFirst()))
      }
    }
  }

  /// That of the true targets, else that of the source.
  private var bitDepth: Int {
    guard let targets = try? source.layer("targets") else { return source.bitDepth }
    return targets.dtype == .uint8 ? 8 : 16
  }

  private var description: DatasetDescription {
    let (manifest, target) = (source.manifest, parts[0].translator.target)
    return DatasetDescription(
      name: name, modality: targetModality, channels: target.channels, height: manifest.height,
      width: manifest.width, bitDepth: bitDepth, intensity: target.intensity, classes: manifest.classes,
      synthetic: true, companions: layers)
  }

  private var targetModality: String? { source.manifest.layers.first { $0.name == "targets" }?.modality }
}

extension DatasetItem {
  /// The item of another image of the same place.
  fileprivate func suffixed(_ suffix: String) -> DatasetItem {
    var item = self
    (item.id, item.source) = (id + suffix, source + suffix)
    return item
  }

  /// Whether this is the slice after another one of the same volume.
  fileprivate func follows(_ other: DatasetItem?) -> Bool {
    guard let other, let slice, let before = other.slice else { return false }
    return other.patient == patient && other.source == source && slice == before + 1
  }
}
