// `export.json`: which file of an export shows which images of which dataset.

import Foundation
import LimnTorch

/// The description of an export.
struct ExportIndex: Codable {
  /// Files and the images in them.
  struct Record: Codable {
    let files: [String]
    let split: Split
    let items: [String]
  }

  /// An image as the dataset describes it.
  struct Item: Codable {
    let id: String
    let patient: String
    let slice: Int?
    let seed: UInt64?
    let date: String?
  }

  let format: ExportFormat
  let tool: String
  let dataset: String
  let contentHash: String
  let synthetic: Bool
  let modality: String?
  let intensity: IntensityRecord?
  /// Of layers that have intensities of their own.
  let layerIntensities: [String: IntensityRecord]?
  let bitDepth: Int
  let classes: [LabelClass]
  let records: [Record]
  let items: [Item]

  init(_ manifest: DatasetManifest, format: ExportFormat, _ records: [Record]) {
    self.format = format
    tool = "limn \(LimnVersion.current)"
    (dataset, contentHash, synthetic) = (manifest.name, manifest.contentHash, manifest.synthetic)
    (modality, intensity, bitDepth) = (manifest.modality, manifest.intensity, manifest.bitDepth)
    let own = manifest.layers.compactMap { layer in layer.intensity.map { (layer.name, $0) } }
    layerIntensities = own.isEmpty ? nil : Dictionary(uniqueKeysWithValues: own)
    (classes, self.records) = (manifest.classes, records)
    let exported = Set(records.flatMap(\.items))
    items = manifest.items.filter { exported.contains($0.id) }.map {
      Item(id: $0.id, patient: $0.patient, slice: $0.slice, seed: $0.seed, date: $0.date)
    }
  }

  func write(to folder: URL) throws {
    try AtomicFile.write(JSONEncoder.readable.encode(self), to: folder.appendingPathComponent("export.json"))
  }
}
