// What every exporter works with: the dataset, the folder in the making, names, marks, pixels.

import Foundation
import LimnImaging
import LimnTorch

/// An export under way.
struct ExportContext {
  let dataset: Dataset
  /// Where files are written, which nobody sees yet.
  let folder: URL
  /// Images in a shard.
  let shardSize: Int

  var manifest: DatasetManifest { dataset.manifest }

  /// Where the files come from, in a sentence.
  var derivation: String {
    let origin = manifest.synthetic ? "drawn by a model, shows no real patient" : "derived by limn import"
    return "Limn \(LimnVersion.current): \(origin); dataset \(manifest.name)"
  }

  /// The text of PNG files: their origin, and that they are synthetic where they are.
  var texts: [String: String] {
    let statement = String(decoding: derivation.utf8.filter { (32..<127).contains($0) }, as: UTF8.self)
    return manifest.synthetic ? PNGFile.syntheticText(statement) : ["Source": statement]
  }

  /// The same in one line, for formats that have but one.
  var statement: String { (manifest.synthetic ? "SYNTHETIC. " : "") + derivation }

  func id(_ index: Int) -> String { manifest.items[index].id }

  /// Millimetres between pixel centres, [row, column]; nil where not known.
  func spacing(_ index: Int) -> [Double]? {
    let spacing = manifest.items[index].spacing ?? manifest.spacing
    return spacing.flatMap { $0.count == 2 && $0.allSatisfy { $0 > 0 && $0.isFinite } ? $0 : nil }
  }

  /// One image of a layer: [C, H, W], or [H, W] of a label map.
  func pixels(_ layer: String, _ index: Int) throws -> Tensor { try dataset.layer(layer)[index] }

  /// What a layer's pixels stand for; nil where they stand for themselves.
  func scale(_ layer: String) -> ValueScale? {
    guard let record = record(layer), record.shape.count == 4, record.shape[1] == 1 else { return nil }
    let intensity = layer == "images" ? manifest.intensity : record.intensity
    return intensity?.scale(bitDepth: record.type == "uint8" ? 8 : 16)
  }

  /// The modality of a layer's images, their own where they have one.
  func modality(_ layer: String) -> String? { record(layer)?.modality ?? manifest.modality }

  private func record(_ layer: String) -> LayerRecord? { manifest.layers.first { $0.name == layer } }

  /// Layers of label maps: [N, H, W].
  var labelLayers: [String] { manifest.layers.filter { $0.shape.count == 3 }.map(\.name) }

  /// Layers of images: [N, C, H, W], `images` among them.
  var imageLayers: [String] { manifest.layers.filter { $0.shape.count == 4 }.map(\.name) }

  /// A PNG of one image of a layer; classes get a palette, instance maps keep their 16 bits.
  func png(_ layer: String, _ index: Int) throws -> Data {
    let pixels = try pixels(layer, index)
    guard pixels.rank == 2 else { return try PNGFile.encode(pixels: pixels, text: texts) }
    return pixels.dtype == .uint8
      ? try PNGFile.encode(labels: pixels, palette: palette, text: texts)
      : try PNGFile.encode(pixels: pixels.unsqueezed(0), text: texts)
  }

  /// The place of a new file below the export's folder; folders on the way are made.
  func place(_ path: String) throws -> URL {
    let url = folder.appendingPathComponent(path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch { throw DatasetError(url, "the folder cannot be made (\(error.localizedDescription))") }
    return url
  }

  /// Writes a file of a folder that is renamed as a whole, so the file needs no rename of its own.
  /// - Returns: the path.
  func write(_ data: Data, to path: String) throws -> String {
    let url = try place(path)
    do { try data.write(to: url) } catch {
      throw DatasetError(url, "cannot be written (\(error.localizedDescription)); is the disk full?")
    }
    return path
  }

  /// The colours of labels 0 to 255: those that the classes name, and else those that Limn chooses.
  var palette: [LabelColours.Colour] {
    manifest.classes.flattened.reduce(into: LabelColours.palette) { palette, item in
      guard let value = item.label.value, palette.indices.contains(value),
        let colour = item.label.colour.flatMap(LabelColours.Colour.init(hex:))
      else { return }
      palette[value] = colour
    }
  }

  /// Classes that have a value above 0, each with the name of the class that holds it.
  var classes: [(value: Int, name: String, parent: String?)] {
    var seen = Set<Int>()
    return manifest.classes.flattened.compactMap { label, parent in
      label.value.flatMap { $0 > 0 && seen.insert($0).inserted ? ($0, label.name, parent) : nil }
    }
  }

  /// The name of a class, also of one that is not described.
  func className(_ value: Int) -> String { classes.first { $0.value == value }?.name ?? "class \(value)" }
}
