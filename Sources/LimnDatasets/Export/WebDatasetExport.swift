// Exporting WebDataset: tar shards that training programs stream.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/SPLIT-000000.tar`, in it `ID.png`, `ID.json`, `ID.label.png` and `ID.LAYER.png` for other layers.
final class WebDatasetExport: FormatWriter {
  /// What is known of an image.
  private struct Sample: Encodable {
    let dataset: String
    let synthetic: Bool
    let modality: String?
    let item: DatasetItem
  }

  private struct Shard {
    let path: String
    let file: TarFile
    var count = 0
  }

  private let context: ExportContext
  private let encoder = JSONEncoder()
  /// The one that each split's next image goes into.
  private var shards: [Split: Shard] = [:]
  private var shardsInSplit: [Split: Int] = [:]

  init(_ context: ExportContext) {
    self.context = context
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  func write(_ stack: ExportStack) throws -> [String] {
    try stack.items.map { try write($0, stack.split) }
  }

  func finish() throws {
    for shard in shards.values { try shard.file.finish() }
  }

  /// - Returns: the shard's path.
  private func write(_ index: Int, _ split: Split) throws -> String {
    var open = try shard(for: split)
    let (id, manifest) = (context.id(index), context.manifest)
    var item = manifest.items[index]
    item.spacing = context.spacing(index)
    let sample = Sample(
      dataset: manifest.name, synthetic: manifest.synthetic, modality: manifest.modality, item: item)
    try open.file.append("\(id).json", encoder.encode(sample))
    for layer in context.dataset.layerNames {
      try open.file.append(id + Self.ending(layer), context.png(layer, index))
    }
    open.count += 1
    shards[split] = open
    return open.path
  }

  private static func ending(_ layer: String) -> String {
    switch layer {
    case "images": ".png"
    case "labels": ".label.png"
    default: ".\(layer).png"
    }
  }

  private func shard(for split: Split) throws -> Shard {
    if let shard = shards[split] {
      guard shard.count >= context.shardSize else { return shard }
      try shard.file.finish()
    }
    let number = shardsInSplit[split, default: 0]
    shardsInSplit[split] = number + 1
    let path = "\(split.rawValue)/\(split.rawValue)-\(String(format: "%06d", number)).tar"
    _ = try context.write(Data(), to: path)
    return Shard(path: path, file: try TarFile(context.folder.appendingPathComponent(path)))
  }
}
