// An import under way: what has been read, written, refused and noticed.

import Foundation
import LimnImaging
import LimnTorch

/// Takes sources one after the other; the first image decides what the options leave open.
final class ImportSession {
  private let destination: URL
  private let options: ImportOptions
  private let total: Int
  private let cutter: SliceCutter
  private let pseudonyms = Pseudonyms()
  private var writer: DatasetWriter?
  private var completed = 0
  private var sourcesRead = 0
  private var skippedSlices = 0
  private var deeperSources = 0
  private var problems: [ImportProblem] = []
  private var warnings: [String] = []
  private var modalities = Set<String>()
  private var units = Set<IntensityUnit>()
  private var windows = Set<String>()
  private var patients = Set<String>()

  init(_ destination: URL, _ options: ImportOptions, total: Int) {
    self.destination = destination
    self.options = options
    self.total = total
    cutter = SliceCutter(options: options)
  }

  var progress: ImportProgress {
    ImportProgress(
      completed: completed, total: total, images: writer?.count ?? 0, problems: problems.count)
  }

  /// Notes a file that cannot be imported.
  /// - Throws: ``DatasetError`` if the options say that the first one ends the import.
  func report(_ problem: ImportProblem) throws {
    if options.isStrict { throw DatasetError("import stopped, nothing was written", problem.line) }
    problems.append(problem)
  }

  /// Reads a source and appends its images.
  func add(_ unit: SourceUnit) throws {
    defer { completed += 1 }
    guard let volume = try volume(of: unit.files, isDICOM: unit.isDICOM) else { return }
    let patient: String
    do {
      try check(volume, unit)
      patient = try options.patients.patient(of: volume.info, file: unit.first, path: unit.path)
    } catch {
      return try report(ImportProblem(file: unit.first, reason: error))
    }
    note(volume, unit, patient)
    let source = sourceName(volume, unit)
    skippedSlices += try cutter.cut(volume, size: size) { slice in
      try append(slice, of: volume, patient: pseudonyms.patient(patient), source: source)
    }
  }

  /// The images' size: the one asked for, or the first image's.
  private var size: ImageSize? {
    options.size ?? writer.map { ImageSize(height: $0.description.height, width: $0.description.width) }
  }

  /// Ends the import: the dataset is put in its place.
  /// - Throws: ``DatasetError`` if there is no image to write.
  func finish(passedOver: Int) throws -> ImportSummary {
    guard let writer, writer.count > 0 else { throw nothingRead() }
    writer.description.modality = options.modality ?? (modalities.count == 1 ? modalities.first : nil)
    writer.description.intensity = IntensityRecord(
      window: options.window?.optionText ?? windows.sorted().joined(separator: " or "),
      unit: units == [.hounsfield] ? IntensityUnit.hounsfield.rawValue : nil)
    let provenance = Provenance(
      sources: sourcesRead, tool: "limn \(LimnVersion.current)", options: options.recorded)
    let manifest = try writer.finish(provenance: provenance, splits: options.splits)
    return ImportSummary(
      manifest: manifest, problems: problems, warnings: warnings + closingWarnings(),
      skippedSlices: skippedSlices,
      passedOver: passedOver)
  }

  private func nothingRead() -> DatasetError {
    if skippedSlices > 0 {
      return DatasetError(
        destination,
        "all \(skippedSlices) images hold less than --min-content \(options.minimumContent); lower it")
    }
    if let first = problems.first {
      return DatasetError(
        destination, "no image could be read; the first of \(problems.count) problems: \(first.line)")
    }
    return DatasetError(
      destination,
      "no image was found; the sources hold no PNG, JPEG, TIFF, NIfTI or DICOM file that was asked for")
  }

  private func closingWarnings() -> [String] {
    var lines: [String] = []
    if deeperSources > 0 {
      lines.append("\(deeperSources) sources hold more than 8 bits, which were rounded; --bits 16 keeps them")
    }
    if patients.count == 1, sourcesRead > 1 {
      lines.append(
        "all \(sourcesRead) sources count as one patient, so all are for training; --patient-from tells them apart"
      )
    }
    return lines
  }
}

// MARK: - Reading

extension ImportSession {
  /// Reads a file or a series; nil, with the reason noted, where it cannot be read. One damaged file does not
  /// cost its series: the files that can be read alone are taken.
  private func volume(of files: [URL], isDICOM: Bool) throws -> Volume? {
    do {
      return isDICOM ? try DICOMSeries.read(files: files).first : try ImageReader.read(files[0])
    } catch {
      let damaged = files.count > 1 ? files.compactMap(Self.problem) : []
      guard !damaged.isEmpty else {
        try report(ImportProblem(file: files[0], reason: error))
        return nil
      }
      for problem in damaged { try report(problem) }
      let lost = Set(damaged.map(\.file))
      guard lost.count < files.count else { return nil }
      return try volume(of: files.filter { !lost.contains($0) }, isDICOM: isDICOM)
    }
  }

  private static func problem(with file: URL) -> ImportProblem? {
    do {
      _ = try ImageReader.read(file)
      return nil
    } catch { return ImportProblem(file: file, reason: error) }
  }

  /// Whether the volume goes with what has been written so far.
  private func check(_ volume: Volume, _ unit: SourceUnit) throws {
    guard volume.channels == 1 || volume.channels == 3 else {
      throw DatasetError(
        unit.first,
        "holds \(volume.channels) volumes or channels, expected 1 or 3; take one out of the file first")
    }
    guard options.channels == .keep, let writer, writer.description.channels != volume.channels else {
      return
    }
    throw DatasetError(
      unit.first,
      "has \(volume.channels) channels, the sources before it have \(writer.description.channels); "
        + "pass --channels 1 or --channels 3")
  }

  private func note(_ volume: Volume, _ unit: SourceUnit, _ patient: String) {
    sourcesRead += 1
    patients.insert(patient)
    units.insert(volume.unit)
    windows.insert(cutter.window(for: volume).optionText)
    if let modality = volume.info.modality { modalities.insert(modality) }
    warnings += volume.info.warnings.map { "\(unit.first.lastPathComponent): \($0)" }
    if volume.storedBits > 8, bits(for: volume) == 8 { deeperSources += 1 }
  }

  private func bits(for volume: Volume) -> Int {
    options.bits ?? writer?.description.bitDepth ?? (volume.storedBits <= 8 ? 8 : 16)
  }
}

// MARK: - Writing

extension ImportSession {
  private func append(_ slice: CutSlice, of volume: Volume, patient: String, source: String) throws {
    let writer = try writer ?? begin(slice, volume)
    self.writer = writer
    let item = DatasetItem(
      id: String(format: "%06d", writer.count), patient: patient, source: source, slice: slice.position,
      spacing: slice.spacing.map { $0.map { ($0 * 1e6).rounded() / 1e6 } })
    try writer.append(item, image: (slice.image * 2 - 1).quantized(bitDepth: writer.description.bitDepth))
  }

  private func begin(_ slice: CutSlice, _ volume: Volume) throws -> DatasetWriter {
    let description = DatasetDescription(
      name: options.name ?? destination.lastPathComponent, channels: slice.image.shape[0],
      height: slice.image.shape[1], width: slice.image.shape[2], bitDepth: bits(for: volume))
    return try DatasetWriter(description, to: destination, overwrite: options.overwrite)
  }

  /// DICOM files are often named after their patients, so the series' pseudonym stands for them.
  private func sourceName(_ volume: Volume, _ unit: SourceUnit) -> String {
    guard unit.isDICOM else { return unit.first.lastPathComponent }
    return pseudonyms.series(volume.info.seriesUID ?? unit.first.path)
  }
}
