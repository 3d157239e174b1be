// `limn segment`: a trained run labels files, folders and datasets.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnSegmentation
import LimnTorch
import LimnTraining

struct SegmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment",
    abstract: "Label the pixels of images by a trained run.",
    discussion: """
      RUN is the folder of a segmentation run; a folder of folds ('limn train --folds') is asked as an ensemble, \
      whose probabilities are averaged. SOURCE is a file, a folder, or a dataset. Pictures become indexed PNGs, \
      volumes NIfTI files in the source's place in the patient, a dataset becomes a dataset with labels. \
      Images of any size are taken tile by tile, mirrored beyond their borders; TIFFs of more than 64 megapixels \
      are read and written strip by strip. Images are shown to the network through the window of its training \
      images, and volumes at their spacing and in their plane.

      --format seg writes a DICOM segmentation object into the study of a DICOM series, under the patient's name \
      as the series has it.

      --objects tells single objects apart: their maps go to OUT/objects (of a dataset to its layer \
      'instances'), their areas, places and intensities to OUT/objects.csv.

      Examples:
        limn segment runs/vessels scans/ --out labels
        limn segment runs/hearts patient.nii.gz --out labels --test-time symmetries --probabilities
        limn segment runs/nuclei plate/ --out cells --objects --separate --minimum-area 30
        limn segment runs/hearts data/unlabelled --out data/labelled
        limn segment runs/cells data/cells --held-out --out data/cells-cross-validated
        limn segment runs/lungs ct-series/ --out labels --format seg
      """)

  @Argument(help: ArgumentHelp("The run's folder, or that of its folds.", valueName: "run"))
  var runFolder: String

  @Argument(help: "Files and folders to label, or one dataset.")
  var sources: [String]

  @Option(help: "Where labels go: a folder, or a new dataset where the source is one.")
  var out: String

  @Option(help: "auto: PNG of pictures, NIfTI of volumes; seg: DICOM segmentation objects of DICOM series.")
  var format = LabelFormat.auto

  @Option(
    help:
      "Ask about several versions of each image and take the mean: flips (4), symmetries (8, the quarter turns, too) or rotations (7, the U-Net paper)."
  )
  var testTime: TestTimeVersions?

  @Option(help: "Label this split of a dataset alone.")
  var split: Split?

  @Flag(
    help: """
      Label what the run has held out from training: its validation split, or of folds each fold's own items, \
      which is the whole dataset in cross-validation. For the dataset of the run.
      """)
  var heldOut = false

  @Flag(help: "Write the probability of each class, too: OUT/probabilities, or a dataset's layers.")
  var probabilities = false

  @Flag(
    help: "Write how far the answers lie apart, over versions and folds: OUT/spread, or a dataset's layers.")
  var spread = false

  @Flag(inversion: .prefixedNo, help: "Bring volumes to the spacing of the training images, labels back.")
  var resample = true

  @Flag(help: "Draw the labels over the images, too: OUT/overlays (PNG; of volumes the middle slice).")
  var overlays = false

  @Flag(help: "Tell single objects apart.")
  var objects = false

  @Flag(help: "Part objects that have grown together, by a watershed. With --objects.")
  var separate = false

  @Option(help: "Leave out objects of fewer pixels. With --objects.")
  var minimumArea = 0

  @Flag(help: "Fill the holes of objects. With --objects.")
  var fillHoles = false

  @Option(help: "The largest side of a tile, in pixels; larger tiles are faster and need more memory.")
  var tile = 512

  @Option(help: "What computes: cpu, cuda or cuda:N.")
  var device = "cpu"

  func validate() throws {
    guard objects || (!separate && minimumArea == 0 && !fillHoles) else {
      throw ValidationError("--separate, --minimum-area and --fill-holes go with --objects")
    }
    guard tile >= 16 else { throw ValidationError("--tile: expected 16 or more") }
    guard split == nil || !heldOut else { throw ValidationError("--split and --held-out exclude each other") }
    guard minimumArea >= 0 else { throw ValidationError("--minimum-area: expected 0 or more") }
  }

  func run() throws {
    Interruption.install()
    var options = Segmenter.Options()
    (options.versions, options.side, options.device) = (testTime, tile, device)
    (options.spread, options.resamples) = (spread, resample)
    let places = sources.map { URL(fileURLWithPath: $0) }
    if places.contains(where: Dataset.isFolder) {
      guard places.count == 1 else { throw RunError("a dataset is labelled alone; give one SOURCE") }
      return try labelDataset(places[0], options)
    }
    guard split == nil, !heldOut else {
      throw RunError("--split and --held-out are for datasets, not for files")
    }
    let segmenter = try Segmenter([URL(fileURLWithPath: runFolder)], options: options)
    try labelFiles(places.flatMap { try VolumeSource.all(at: $0) }, segmenter)
  }

  // MARK: - Files

  /// A file with what its labels will be written by.
  private struct Job {
    let file: VolumeSource
    /// Of a picture too large to be held whole.
    let picture: StreamedPicture?
    /// Where a segmentation object is to be written.
    let series: SegmentedSeries?
  }

  /// Says what does not fit before anything is labelled.
  private func job(_ file: VolumeSource) throws -> Job {
    try ResultPlace.check(
      file, in: URL(fileURLWithPath: out), endings: ["png", "tif", "nii.gz", "dcm"])
    let picture = file.files.count == 1 ? StreamedPicture(file.files[0]) : nil
    if let picture { try checkStreamed(picture, file.files[0]) }
    return Job(
      file: file, picture: picture, series: format == .seg ? try SegmentedSeries(file.files) : nil)
  }

  private func checkStreamed(_ picture: StreamedPicture, _ file: URL) throws {
    let refused = [
      ("--probabilities", probabilities), ("--spread", spread), ("--overlays", overlays),
      ("--objects", objects),
    ]
    guard let option = refused.first(where: \.1)?.0 else { return }
    throw RunError(
      "\(file.path): \(picture.size[1])x\(picture.size[0]) pixels are labelled strip by strip, and \(option) needs "
        + "the whole picture; leave it out, or cut the picture into parts")
  }

  private func labelFiles(_ files: [VolumeSource], _ segmenter: Segmenter) throws {
    let jobs = try files.map(job)
    let folder = URL(fileURLWithPath: out)
    let line = ProgressLine(label: "image", total: files.count, unit: "img")
    var tables: [(name: String, table: RegionTable)] = []
    var hasTold = false
    for (place, job) in jobs.enumerated() {
      if let picture = job.picture {
        try label(picture, name: job.file.name, folder, segmenter)
      } else {
        let labelled = try label(job, folder, segmenter)
        if objects { tables += try writeObjects(of: labelled, name: job.file.name, folder) }
        if let match = labelled.match, !hasTold {
          CommandFailure.say("\(job.file.name): \(match.statement)")
          hasTold = true
        }
      }
      line.update(place + 1)
    }
    if objects { try write(tables, to: folder) }
    line.finish(files.count)
    print("\(files.count) labelled, in \(out)")
  }

  private func label(_ job: Job, _ folder: URL, _ segmenter: Segmenter) throws -> SegmentedVolume {
    let name = job.file.name
    let labelled = try SegmentedVolume(
      job.file.read(), by: segmenter, keepsProbabilities: probabilities
    ) { _ in try Self.stopIfAsked() }
    if let series = job.series {
      _ = try labelled.writeSegmentation(to: folder, name: name, of: series)
    } else {
      _ = try labelled.write(to: folder, name: name)
    }
    try labelled.writeProbabilities(to: folder.appendingPathComponent("probabilities"), name: name)
    try labelled.writeSpread(to: folder.appendingPathComponent("spread"), name: name)
    if overlays { try drawOverlay(labelled, name: name, folder, segmenter) }
    return labelled
  }

  private func label(
    _ picture: StreamedPicture, name: String, _ folder: URL, _ segmenter: Segmenter
  ) throws {
    var (line, count): (ProgressLine?, Int) = (nil, 0)
    try picture.writeLabels(to: folder.appendingPathComponent("\(name).tif"), by: segmenter) { tiles in
      try Self.stopIfAsked()
      line = line ?? ProgressLine(label: "tile", total: tiles.total, unit: "tiles")
      count = tiles.total
      line?.update(tiles.finished)
    }
    line?.finish(count)
  }

  private static func stopIfAsked() throws {
    guard !Interruption.isRequested else { throw CommandFailure.interrupted("what was finished is there") }
  }

  private func write(_ tables: [(name: String, table: RegionTable)], to folder: URL) throws {
    try AtomicFile.write(
      Data(RegionTable.csv(of: tables).utf8), to: folder.appendingPathComponent("objects.csv"))
  }

  private var objectOptions: ObjectOptions {
    ObjectOptions(
      minimumArea: minimumArea, fillHoles: fillHoles, separation: separate ? .watershed : .none)
  }

  private func writeObjects(
    of labelled: SegmentedVolume, name: String, _ folder: URL
  ) throws -> [(name: String, table: RegionTable)] {
    let slices = labelled.labels.size(0)
    let maps = (0..<slices).map {
      ObjectExtraction.instances(in: labelled.labels[$0], options: objectOptions)
    }
    _ = try labelled.write(
      instances: .stack(maps), to: folder.appendingPathComponent("objects"), name: name)
    let source = labelled.source
    let spacing = source.info.hasGeometry ? [source.spacing.y, source.spacing.x] : nil
    return maps.enumerated().map { slice, map in
      let image = source.voxels[0, slice]
      return (
        slices == 1 ? name : "\(name) \(slice)", RegionTable(of: map, image: image, spacing: spacing)
      )
    }
  }

  private func drawOverlay(
    _ labelled: SegmentedVolume, name: String, _ folder: URL, _ segmenter: Segmenter
  ) throws {
    let slice = labelled.labels.size(0) / 2
    let image = try segmenter.intake.images(of: labelled.source)[.all, slice]
    let pixels = LabelOverlay()(image.unsqueezed(0), labels: labelled.labels[slice].unsqueezed(0))[0]
    let file = folder.appendingPathComponent("overlays/\(name).png")
    try AtomicFile.makeFolder(of: file)
    try PNGFile.write(pixels: pixels, to: file)
  }

  // MARK: - Datasets

  private func labelDataset(_ place: URL, _ options: Segmenter.Options) throws {
    guard !overlays, format == .auto else {
      throw RunError("--overlays and --format are for files; 'limn show' draws a dataset's labels")
    }
    let (source, target) = (try Dataset.open(place), URL(fileURLWithPath: out))
    var layers = LabelledDataset.Layers()
    layers.probabilities = probabilities
    layers.objects = objects ? objectOptions : nil
    let labelled = try LabelledDataset(
      source: source, name: target.lastPathComponent, parts: parts(of: source, options), layers: layers)
    try tellMatch(of: source, labelled.parts[0].segmenter)
    let line = ProgressLine(label: "image", total: labelled.count, unit: "img")
    let tables = try labelled.write(to: target) { done in
      try Self.stopIfAsked()
      line.update(done)
    }
    if objects { try write(tables, to: target) }
    line.finish(labelled.count)
    print("\(labelled.count) images labelled, in the dataset \(out)")
  }

  /// Which items are labelled by whom.
  private func parts(of source: Dataset, _ options: Segmenter.Options) throws -> [LabelledDataset.Part] {
    let run = URL(fileURLWithPath: runFolder)
    guard heldOut else {
      let items = source.indices(of: split)
      guard !items.isEmpty else {
        throw DatasetError(
          source.url.path, "no image in the split '\(split?.rawValue ?? "")'; choose another --split")
      }
      return [try LabelledDataset.Part(Segmenter([run], options: options), items: items)]
    }
    return try RunFolder.members(of: run).map { member in
      let items = try RunFolder(opening: member).readPlan().heldOutItems(of: source)
      return try LabelledDataset.Part(Segmenter([member], options: options), items: items)
    }
  }
}

extension SegmentCommand {
  /// Says how images are brought to another spacing, of the first one that is.
  private func tellMatch(of source: Dataset, _ segmenter: Segmenter) throws {
    for item in source.manifest.items {
      let match = try segmenter.intake.spacingMatch(
        size: source.size, spacing: item.spacing ?? source.manifest.spacing,
        path: "\(source.url.path), \(item.id)"
      )
      if let match { return CommandFailure.say("\(item.id): \(match.statement)") }
    }
  }
}

/// What labels of files are written as.
enum LabelFormat: String, ExpressibleByArgument, CaseIterable {
  case auto, seg
}

extension TestTimeVersions: ExpressibleByArgument {}
