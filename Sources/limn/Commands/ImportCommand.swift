// `limn import`: scans in, a dataset out.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Turn scans (DICOM, NIfTI, PNG, JPEG, TIFF) into a dataset.",
    discussion: """
      Files and folders are walked in the order of their names (2 before 10); what a file is, its content \
      decides. DICOM files are put into series, volumes are cut into slices, intensities go through the \
      window, every image gets the same size. Pixels land memory-mapped in DATASET/images.safetensors, with all they need \
      described in DATASET/dataset.json. Files that cannot be read, even those that crash their decoder, are \
      listed with the reason and the import goes on. An import that was interrupted goes on when the same \
      command is given again.

      Patients are told apart, so that no one is in two splits, and named by pseudonyms; dates are moved by a \
      number of days for each patient. Both follow from a key that stays with you (--key): whoever has it can \
      tell whether a known person is in the dataset. Files get pseudonyms, too (--keep-names keeps their names). \
      Text that is part of the picture stays: look for it, and crop with --box.

      Examples:
        limn import scans/ --out data/lungs --size 64
        limn import head-ct/ --out data/brain --window centre:40,80 --size 128
        limn import scans/ --out data/lungs --dry-run
        limn import images/ --labels masks/ --classes vessel=1 --out data/vessels --size 256
        limn import t1/*.nii.gz --out data/t1 --axis axial --slices 0.3..0.7 --min-content 0.1 --size 128
        limn import t1/ --pair flair/ --out data/t1-flair --axis axial --size 128

      Read it from Python:
        from safetensors.numpy import load_file
        images = load_file("data/lungs/images.safetensors")["images"]  # [N, C, H, W]
        print(images.shape, images.dtype)
      """)

  @Argument(help: "Files and folders to import.")
  var sources: [String]

  @Option(help: "The dataset's folder; it must not exist yet.")
  var out: String

  @Option(
    help: """
      Keep a part of each image, before it gets its size: body (the box around the largest bright thing, one \
      for all slices of a volume), fov (the same for each image alone), or none.
      """)
  var crop = CropChoice.none

  @Option(help: "Keep this part: TOP,LEFT,HEIGHT,WIDTH in pixels as stored.")
  var box: CropBox?

  @Option(help: "Size of the images: N or HEIGHTxWIDTH. Default: that of the first.")
  var size: ImageSize?

  @Option(
    help: """
      Divide each image into tiles of this size, N or HEIGHTxWIDTH in its own pixels, side by side around the \
      centre; --min-content counts for each.
      """)
  var tiles: ImageSize?

  @Option(help: "How an image of other proportions gets the size.")
  var fit = ImageResize.Mode.pad

  @Option(help: "Plane that volumes are cut in; auto: the plane that was scanned.")
  var axis = AxisChoice.auto

  @Option(help: "Slices of each volume: 20..80 (positions from 0, both included) or 0.2..0.8 (fractions).")
  var slices: SliceSelection?

  @Option(help: "Take every k-th of these slices.")
  var every = 1

  @Option(help: "Leave images out in which fewer than this fraction of pixels exceed 5 % of the window.")
  var minContent = 0.0

  @Option(
    help: """
      What becomes black and white, over each volume: percentiles:0.5,99.5, range:a,b, centre:c,w or full. \
      file: a DICOM file's own, where it has one. Default: full for 8-bit pictures, percentiles:0.5,99.5 for \
      NIfTI and whatever has more bits.
      """)
  var window: WindowArgument?

  @Flag(help: "Bring tilted or unevenly spaced slices to even distances first, linearly between neighbours.")
  var evenSlices = false

  @Option(help: "Channels: 1 (colour becomes luma), 3 (gray is repeated) or keep.")
  var channels = ChannelChoice.keep

  @Option(help: "Bits of a stored pixel: 8 or 16. Default: 8 if the first source has no more, else 16.")
  var bits: Int?

  @Option(help: "Fractions of the patients for training, validation, test; 0,0,1 of a set to test on.")
  var split = "0.8,0.1,0.1"

  @Option(help: "Seed of the split.")
  var splitSeed: UInt64 = 0

  @Option(
    help: """
      What tells patients apart: file, folder, dicom or regex:PATTERN (its first group, matched in the path \
      below the source). Default auto: DICOM's PatientID; else the file name before its first '_' if that part \
      holds a digit, before '_slice', or whole.
      """)
  var patientFrom = PatientRule.auto

  @Option(
    help: """
      Masks that belong to the images: a folder that holds them under the images' own names (or with _mask, \
      _label, _seg behind), or a path in which {name} stands for an image's name, {folder} for its folder.
      """)
  var labels: String?

  @Option(
    help: """
      Masks of a field of view, found as --labels are, 0 outside: pixels there get the label 255, from which \
      nothing is learned. With --labels.
      """)
  var mask: String?

  @Option(
    help: """
      What a mask's values mean: NAME=VALUE,… such as vessel=1,disc=2, with #rrggbb behind a value where masks \
      are coloured, or with the values that a class gathers, csf=1:4+11+49-52, all others being background; or a \
      JSON file with the tree that dataset.json holds under "classes".
      """)
  var classes: String?

  @Flag(help: "Each value of a mask is an object of its own: layer 'instances', and 'labels' object or not.")
  var instances = false

  @Flag(help: "Bring masks of another grid onto the images', nearest voxel, by the geometry of both.")
  var resampleLabels = false

  @Flag(
    help: """
      Take images without a mask, too: all their pixels get the label 255, from which nothing is learned but by \
      methods that learn from unlabelled images. With --labels.
      """)
  var keepUnlabelled = false

  @Option(
    help: """
      Images that belong to these, such as another contrast, become the layer 'targets': a folder that holds them \
      under the same paths or names, but for words such as t1, flair, ct, a; or a path with {name} or {folder}. \
      Volumes are brought onto these by the geometry of both, linearly.
      """)
  var pair: String?

  @Option(help: "What becomes black and white in them, as --window; over each of these volumes. With --pair.")
  var pairWindow: WindowArgument?

  @Option(help: "The dataset's name. Default: that of its folder.")
  var name: String?

  @Option(help: "Modality, such as CT or MR. Default: what DICOM files say.")
  var modality: String?

  @Option(
    help:
      "The key of pseudonyms, a file; made if it is not there. Default: limn/identity.key where your settings are."
  )
  var key: String?

  @Option(help: "Processes that decode files; 0: decode in this one. Default: one for each core.")
  var jobs: Int?

  @Flag(help: "Keep the files' names in dataset.json; they often name people.")
  var keepNames = false

  @Flag(help: "Show what would be imported and do nothing.")
  var dryRun = false

  @Flag(help: "Stop at the first file that cannot be read.")
  var strict = false

  @Flag(help: "Replace the dataset that is there, once the new one is complete.")
  var overwrite = false

  func validate() throws {
    guard Splits(fractions: fractions) != nil else {
      throw ValidationError(
        "--split '\(split)': expected up to three fractions such as 0.8,0.1,0.1, one above 0")
    }
    guard every > 0 else { throw ValidationError("--every \(every): expected 1 or more") }
    guard [nil, 8, 16].contains(bits) else { throw ValidationError("--bits: expected 8 or 16") }
    guard (0...1).contains(minContent) else { throw ValidationError("--min-content: expected 0 to 1") }
    guard (0...256).contains(jobs ?? 1) else { throw ValidationError("--jobs: expected 0 to 256") }
    guard
      labels != nil || (classes == nil && mask == nil && !instances && !resampleLabels && !keepUnlabelled)
    else {
      throw ValidationError(
        "--classes, --mask, --instances, --resample-labels and --keep-unlabelled go with --labels")
    }
    guard mask == nil || !instances else {
      throw ValidationError("--mask and --instances exclude each other")
    }
    guard pair != nil || pairWindow == nil else { throw ValidationError("--pair-window goes with --pair") }
    guard box == nil || crop == .none else { throw ValidationError("--box and --crop exclude each other") }
  }

  func run() throws {
    // Images are small: threads that wait for each other at every operator cost more than they give, and on a
    // busy machine twenty times more.
    Torch.threadCount = 1
    Interruption.install()
    let sources = sources.map { URL(fileURLWithPath: $0) }
    guard !dryRun else { return try survey(sources) }
    var line: ProgressLine?
    let summary = try Importer.run(sources: sources, to: URL(fileURLWithPath: out), options: options()) {
      try Self.stopIfAsked("give the same command again to go on")
      guard $0.total > 0 else { return }
      let shown = line ?? ProgressLine(label: "source", total: $0.total, unit: "img", plainInterval: 10)
      line = shown
      let isDone = $0.completed == $0.total
      (isDone ? shown.finish : shown.update)($0.completed, $0.images, nil) { [] }
    }
    ImportReport(summary: summary, folder: out).show()
  }

  private static func stopIfAsked(_ advice: String) throws {
    guard !Interruption.isRequested else { throw CommandFailure.interrupted(advice) }
  }

  private func survey(_ sources: [URL]) throws {
    let survey = try Importer.survey(sources, pairs: pair.map { LabelRule($0) }, helpers: helpers()) {
      try Self.stopIfAsked("nothing was done")
    }
    SurveyTable(survey: survey).show()
  }

  /// This very program, so that both sides speak the same language.
  private func helpers() -> ImportHelpers {
    let count = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    guard count > 0, let program else { return .none }
    return .processes(
      count: count, executable: URL(fileURLWithPath: program),
      arguments: [ImportHelperCommand.configuration.commandName ?? ""])
  }

  private var fractions: [Double] {
    split.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
  }

  private func labelOptions() throws -> LabelOptions? {
    guard let labels else { return nil }
    var options = LabelOptions(LabelRule(labels))
    options.classes = try classes.map(ClassList.parsed) ?? []
    options.kind = instances ? .instances : .auto
    options.resample = resampleLabels
    options.fieldOfView = mask.map { LabelRule($0) }
    options.keepsUnlabelled = keepUnlabelled
    return options
  }

  private func pairOptions() -> PairOptions? {
    pair.map {
      var options = PairOptions(LabelRule($0))
      (options.window, options.takesFileWindow) = (pairWindow?.window, pairWindow?.isFile == true)
      return options
    }
  }

  private var keyFile: URL {
    if let key { return URL(fileURLWithPath: key) }
    let settings = ProcessInfo.processInfo.environment["XDG_CONFIG_HOME"].map { URL(fileURLWithPath: $0) }
    return (settings ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".config"))
      .appendingPathComponent("limn/identity.key")
  }

  private func options() throws -> ImportOptions {
    guard let splits = Splits(fractions: fractions, seed: splitSeed) else {
      throw ValidationError("--split '\(split)' cannot be used")
    }
    var options = ImportOptions(splits: splits)
    options.name = name
    options.modality = modality
    options.cut.axis = axis
    options.cut.slices = slices
    options.cut.every = every
    options.cut.minimumContent = minContent
    (options.cut.crop, options.cut.box) = (crop, box)
    options.cut.window = window?.window
    (options.cut.takesFileWindow, options.cut.evensSlices) = (window?.isFile == true, evenSlices)
    (options.cut.tiles, options.cut.size) = (tiles, size)
    options.cut.fit = fit
    options.cut.channels = channels
    options.cut.bits = bits
    options.patients = patientFrom
    options.labels = try labelOptions()
    options.pairs = pairOptions()
    options.key = try IdentityKey.kept(in: keyFile)
    options.helpers = helpers()
    (options.keepsNames, options.isStrict) = (keepNames, strict)
    options.overwrite = overwrite
    return options
  }
}

/// What a survey found, for people.
private struct SurveyTable {
  let survey: ImportSurvey

  func show() {
    for problem in survey.problems { FileHandle.standardError.write(Data("warning: \(problem.line)\n".utf8)) }
    print("format  modality  images  size        bits  spacing (mm)         files  first file")
    for row in survey.rows { print(Self.line(row)) }
    let images = survey.rows.reduce(0) { $0 + max($1.header.depth, $1.files) }
    print(
      "\(survey.rows.count) volumes or pictures with \(images) images; \(survey.problems.count) files cannot be read, "
        + "\(survey.passedOver) are no images")
    if let pairs = survey.pairs { print("\(pairs) of \(survey.rows.count) have a counterpart to pair with") }
  }

  private static func line(_ row: ImportSurvey.Row) -> String {
    let header = row.header
    let spacing = header.spacing.map { spacing in
      (0..<3).map { HumanReadable.number(spacing[$0]) }.joined(separator: " x ")
    }
    let columns: [(String, Int)] = [
      (header.format.rawValue, 6), (header.dicom?.modality ?? "-", 8), ("\(max(header.depth, row.files))", 6),
      ("\(header.height)x\(header.width)" + (header.channels > 1 ? "x\(header.channels)" : ""), 10),
      ("\(header.storedBits)" + (header.isFloatingPoint ? "f" : ""), 4), (spacing ?? "-", 19),
      ("\(row.files)", 5),
    ]
    return columns.map { $0.0.padding(toLength: max($0.1, $0.0.count), withPad: " ", startingAt: 0) }
      .joined(separator: "  ") + "  " + row.path
  }
}

/// What an import did, for people.
private struct ImportReport {
  let summary: ImportSummary
  let folder: String

  func show() {
    for line in summary.problems.map(\.line) + summary.warnings {
      FileHandle.standardError.write(Data("warning: \(line)\n".utf8))
    }
    print(DatasetSummary(manifest: summary.manifest).text)
    tell(summary.skippedSlices, "image", "left out for too little content")
    tell(summary.unlabelled, "image", "without a mask, labelled \(LabelOptions.unknown) throughout")
    tell(summary.passedOver, "other file", "passed over")
    tell(summary.problems.count, "file", "not imported, see above")
    print("written to \(folder)")
  }

  private func tell(_ count: Int, _ thing: String, _ fate: String) {
    if count > 0 { print("\(count) \(thing)\(count == 1 ? "" : "s") \(fate)") }
  }
}
