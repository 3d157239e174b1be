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
      Files and folders are walked in the order of their names; what a file is, its content decides. DICOM \
      files are put into series, volumes are cut into slices, intensities go through the window, every image \
      gets the same size. Pixels land memory-mapped in DATASET/images.safetensors, with all they need \
      described in DATASET/dataset.json. Files that cannot be read are listed with the reason and the import \
      goes on.

      Patients are told apart, so that no one is in two splits, and named by pseudonyms whose key is thrown \
      away. Look at the files' names before you give a dataset away: of sources other than DICOM the name is \
      kept.

      Examples:
        limn import scans/ --out data/lungs --size 64
        limn import head-ct/ --out data/brain --window centre:40,80 --size 128
        limn import t1/*.nii.gz --out data/t1 --axis axial --slices 0.3..0.7 --min-content 0.1 --size 128

      Read it from Python:
        from safetensors.numpy import load_file
        images = load_file("data/lungs/images.safetensors")["images"]  # [N, C, H, W]
        print(images.shape, images.dtype)
      """)

  @Argument(help: "Files and folders to import.")
  var sources: [String]

  @Option(help: "The dataset's folder; it must not exist yet.")
  var out: String

  @Option(help: "Size of the images: N or HEIGHTxWIDTH. Default: that of the first.")
  var size: ImageSize?

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
      Default: full for 8-bit pictures, percentiles:0.5,99.5 for NIfTI and whatever has more bits.
      """)
  var window: IntensityWindow?

  @Option(help: "Channels: 1 (colour becomes luma), 3 (gray is repeated) or keep.")
  var channels = ChannelChoice.keep

  @Option(help: "Bits of a stored pixel: 8 or 16. Default: 8 if the first source has no more, else 16.")
  var bits: Int?

  @Option(help: "Fractions of the patients for training, validation, test.")
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

  @Option(help: "The dataset's name. Default: that of its folder.")
  var name: String?

  @Option(help: "Modality, such as CT or MR. Default: what DICOM files say.")
  var modality: String?

  @Flag(help: "Stop at the first file that cannot be read.")
  var strict = false

  @Flag(help: "Replace the dataset that is there, once the new one is complete.")
  var overwrite = false

  func validate() throws {
    guard Splits(fractions: fractions) != nil else {
      throw ValidationError(
        "--split '\(split)': expected up to three fractions such as 0.8,0.1,0.1, the first above 0")
    }
    guard every > 0 else { throw ValidationError("--every \(every): expected 1 or more") }
    guard [nil, 8, 16].contains(bits) else { throw ValidationError("--bits: expected 8 or 16") }
    guard (0...1).contains(minContent) else { throw ValidationError("--min-content: expected 0 to 1") }
  }

  func run() throws {
    // Images are small: threads that wait for each other at every operator cost more than they give, and on a
    // busy machine twenty times more.
    Torch.threadCount = 1
    var line: ProgressLine?
    Interruption.install()
    let summary = try Importer.run(
      sources: sources.map { URL(fileURLWithPath: $0) }, to: URL(fileURLWithPath: out), options: options()
    ) { progress in
      guard !Interruption.isRequested else { throw CommandFailure.interrupted("nothing was written") }
      let shown = line ?? ProgressLine(label: "source", total: progress.total, unit: "img", plainInterval: 10)
      line = shown
      let isDone = progress.completed == progress.total
      (isDone ? shown.finish : shown.update)(progress.completed, progress.images, nil) { [] }
    }
    ImportReport(summary: summary, folder: out).show()
  }

  private var fractions: [Double] {
    split.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
  }

  private func options() throws -> ImportOptions {
    guard let splits = Splits(fractions: fractions, seed: splitSeed) else {
      throw ValidationError("--split '\(split)' cannot be used")
    }
    var options = ImportOptions(splits: splits)
    options.name = name
    options.modality = modality
    options.axis = axis
    options.slices = slices
    options.every = every
    options.minimumContent = minContent
    options.window = window
    options.size = size
    options.fit = fit
    options.channels = channels
    options.bits = bits
    options.patients = patientFrom
    options.isStrict = strict
    options.overwrite = overwrite
    return options
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
    tell(summary.passedOver, "other file", "passed over")
    tell(summary.problems.count, "file", "not imported, see above")
    print("written to \(folder)")
  }

  private func tell(_ count: Int, _ thing: String, _ fate: String) {
    if count > 0 { print("\(count) \(thing)\(count == 1 ? "" : "s") \(fate)") }
  }
}
