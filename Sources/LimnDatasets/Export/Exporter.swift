// Exporting: a dataset in the formats of other programs, whole or not at all.

import Foundation
import LimnTorch

/// A format that datasets are given away in.
public enum ExportFormat: String, Sendable, Codable, CaseIterable {
  /// A PNG for each image and layer; labels with a palette.
  case png
  /// A TIFF for each image and layer.
  case tiff
  /// A volume for each source and layer, where it came from in the patient.
  case nifti
  /// A series of Secondary Captures for each source, its labels as SEG objects.
  case dicom
  /// PNG and a COCO JSON for each split.
  case coco
  /// PNG, each with a LabelMe JSON beside it.
  case labelme
  /// Shards of PNG and JSON, as tar files.
  case webdataset
}

/// The choices of an export.
public struct ExportOptions: Sendable {
  /// The only split that is exported; all where nil.
  public var split: Split?
  /// Images in a WebDataset shard, 1 or more.
  public var shardSize = 1000

  /// Everything, in shards of 1000.
  public init() {}
}

/// What an export did.
public struct ExportSummary: Sendable, Equatable {
  /// Images exported.
  public let images: Int
  /// Files written, `export.json` apart.
  public let files: Int
  /// What a careful person would want to know, a line each.
  public let warnings: [String]
}

/// Writes datasets in other formats.
public enum Exporter {
  /// Exports a dataset into a new folder, with an `export.json` that says which file shows what.
  ///
  /// All layers go along. Nothing is at `folder` until everything is written. Synthetic data say so inside
  /// each file.
  /// - Parameters:
  ///   - dataset: an open dataset.
  ///   - format: what to write.
  ///   - folder: where; must not be there yet.
  ///   - options: the choices.
  ///   - progress: called with the count of images done; what it throws ends the export.
  /// - Returns: what was written.
  /// - Throws: ``DatasetError`` if something is at `folder`, if the split is empty, or if the dataset has
  ///   nothing that the format needs; `ImagingError` or `AtomicFileError` if a file cannot be written.
  public static func run(
    _ dataset: Dataset, as format: ExportFormat, to folder: URL, options: ExportOptions = ExportOptions(),
    progress: (Int) throws -> Void = { _ in }
  ) throws -> ExportSummary {
    guard !FileManager.default.fileExists(atPath: folder.path) else {
      throw DatasetError(folder, "exists; choose another place")
    }
    let stacks = try ExportStack.all(in: dataset, split: options.split, joining: format.joining)
    let target = try DatasetFolder(target: folder, overwrite: false)
    let context = ExportContext(dataset: dataset, folder: target.partial, shardSize: options.shardSize)
    let writer = try format.writer.init(context)
    var (done, records) = (0, [ExportIndex.Record]())
    for stack in stacks {
      try progress(done)
      let files = try writer.write(stack)
      records.append(ExportIndex.Record(files: files, split: stack.split, items: stack.items.map(context.id)))
      done += stack.items.count
    }
    try progress(done)
    try writer.finish()
    try ExportIndex(dataset.manifest, format: format, records).write(to: target.partial)
    try target.publish()
    return ExportSummary(
      images: done, files: Set(records.flatMap(\.files)).count, warnings: stacks.compactMap(\.warning))
  }
}

/// Writes one format.
protocol FormatWriter: AnyObject {
  init(_ context: ExportContext) throws
  /// Writes the images of a stack with all their layers.
  /// - Returns: the files that hold them, as paths below the export's folder.
  func write(_ stack: ExportStack) throws -> [String]
  /// Writes what can be written only at the end.
  func finish() throws
}

extension FormatWriter {
  func finish() throws {}
}

extension ExportFormat {
  /// Which slices of a source go into one stack.
  var joining: ExportStack.Joining { self == .nifti ? .volumes : self == .dicom ? .series : .none }

  var writer: any FormatWriter.Type {
    switch self {
    case .png: PictureExport.self
    case .tiff: TIFFExport.self
    case .nifti: NIfTIExport.self
    case .dicom: DICOMExport.self
    case .coco: COCOExport.self
    case .labelme: LabelMeExport.self
    case .webdataset: WebDatasetExport.self
    }
  }
}
