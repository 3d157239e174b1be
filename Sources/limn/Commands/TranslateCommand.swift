// `limn translate`: a trained run draws files, folders and datasets as another modality shows them.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining
import LimnTranslation

struct TranslateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "translate",
    abstract: "Translate images into another modality by a trained run.",
    discussion: """
      RUN is the folder of a translation run (pix2pix, cyclegan, reggan, …). SOURCE is a file, a folder, or a \
      dataset. Pictures become PNGs, volumes NIfTI files in the source's place in the patient, a dataset becomes \
      a dataset of the same items with their labels, marked as synthetic. Images of any size are shown to the \
      network through the window of its training images, and volumes slice by slice, at their spacing and in \
      their plane.

      Values are those of the target where the targets of the training went through one window, such as \
      Hounsfield units of CT; else 0 is its black and 1 its white (of pictures: all that 8 or 16 bits can hold).

      With --target, or for a dataset of pairs, the translation is measured: NMAE, PSNR, SSIM and MAE as \
      'limn evaluate pairs' has them, with values cut to the target's window. Of volumes the consistency of \
      neighbouring slices is told: their correlation and mean difference, where the source is above black.

      Examples:
        limn translate runs/t1-flair patient.nii.gz --out flair
        limn translate runs/t1-flair t1/ --out flair --target true-flair/ --report result.html
        limn translate runs/t1-flair data/t1-flair --split test --out data/flair --report a.html
        limn translate runs/munit photo.png --out styles --styles 5 --seed 3
        limn translate runs/munit photo.png --out styled --style example.png
        limn translate runs/munit data/t1 --split train --styles 4 --out data/four-looks
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var runFolder: String

  @Argument(help: "Files and folders to translate, or one dataset.")
  var sources: [String]

  @Option(help: "Where translations go: a folder, or a new dataset where the source is one.")
  var out: String

  @Option(
    help:
      "What SOURCE should look like: a file, or a folder with files of the same names. Datasets bring their own."
  )
  var target: String?

  @Option(help: "Translate this split of a dataset alone.")
  var split: Split?

  @Flag(
    help: """
      Translate what the run has held out from training: its validation split, or of folds each fold's own items \
      by the fold that has not seen them. For the dataset of the run.
      """)
  var heldOut = false

  @Option(help: "Decides what a network draws by chance: its noise, or a random style.")
  var seed: UInt64 = 0

  @Option(help: "Take the style of this image of the target's kind. For methods that have styles.")
  var style: String?

  @Option(
    help:
      "Translate each file or item in so many random styles, NAME-style-1 and on. For methods that have styles."
  )
  var styles: Int?

  @Flag(
    inversion: .prefixedNo, help: "Bring volumes to the spacing of the training images, translations back.")
  var resample = true

  @Flag(
    help: """
      Move what is drawn by the mean displacement that registration has found in training, which takes back how far \
      the generator has drifted from its sources. For modes with registration.
      """)
  var recentre = false

  @Option(help: "What computes: cpu, cuda or cuda:N.")
  var device = "cpu"

  @Option(help: "Of convolutions: float32, bfloat16, or auto, which is bfloat16 where that is faster.")
  var precision = PrecisionChoice.auto

  @OptionGroup(title: "Results")
  var files: ResultFiles

  func validate() throws {
    guard split == nil || !heldOut else { throw ValidationError("--split and --held-out exclude each other") }
    guard style == nil || styles == nil else {
      throw ValidationError("--style and --styles exclude each other")
    }
    guard styles ?? 1 > 0 else { throw ValidationError("--styles: expected 1 or more") }
    guard target == nil || sources.count == 1 else {
      throw ValidationError("--target goes with one SOURCE, a file or a folder")
    }
  }

  func run() throws {
    Interruption.install()
    let places = sources.map { URL(fileURLWithPath: $0) }
    guard places.contains(where: Dataset.isFolder) else {
      guard split == nil, !heldOut else {
        throw RunError("--split and --held-out are for datasets, not for files")
      }
      return try translateFiles(places)
    }
    guard places.count == 1 else { throw RunError("a dataset is translated alone; give one SOURCE") }
    guard target == nil else {
      throw RunError("--target is for files; a dataset of pairs brings its own targets")
    }
    try translateDataset(places[0])
  }

  private func opened(_ run: URL) throws -> Translator {
    var options = Translator.Options()
    (options.device, options.resamples) = (device, resample)
    (options.precision, options.recentres) = (precision.resolved(device: device), recentre)
    let translator = try Translator(run, options: options)
    if style != nil || styles != nil { try translator.requireStyles() }
    if recentre { try translator.requireRegistration() }
    return translator
  }

  private func theOnlyRun() throws -> URL {
    let members = RunFolder.members(of: URL(fileURLWithPath: runFolder))
    guard members.count == 1 else {
      throw RunError("\(runFolder): a folder of folds; give one of them, or --held-out with their dataset")
    }
    return members[0]
  }

  private func chosenStyles(_ translator: Translator) throws -> [NamedStyle] {
    if let style {
      return [NamedStyle(try translator.style(of: ImageReader.read(URL(fileURLWithPath: style))))]
    }
    guard let styles else { return [NamedStyle(.random(seed: seed))] }
    return (1...styles).map {
      NamedStyle(.random(seed: Seed.derive(seed, UInt64($0))), suffix: "-style-\($0)")
    }
  }

  /// What the summary says of a drift that was taken back; nothing where none was.
  private func recentred(_ translator: Translator) -> String {
    translator.drift.map {
      String(format: "; a drift of %.2f rows and %.2f columns taken back", $0.rows, $0.columns)
    }
      ?? ""
  }

  private static func stopIfAsked(_ state: String = "what was finished is there") throws {
    guard !Interruption.isRequested else { throw CommandFailure.interrupted(state) }
  }

  // MARK: - Files

  private func translateFiles(_ places: [URL]) throws {
    let translator = try opened(theOnlyRun())
    let styles = try chosenStyles(translator)
    let folder = URL(fileURLWithPath: out)
    let work = try TranslatedFiles(places, target: target.map { URL(fileURLWithPath: $0) }, to: folder)
    if work.pairs.isEmpty { try requireNoFigures() }
    let line = ProgressLine(label: "image", total: work.files.count, unit: "img")
    var (cases, consistency, notes) = ([TranslatedCase](), SliceConsistency(), Set<String>())
    for (place, file) in work.files.enumerated() {
      let (source, truth) = try work.read(file, translator.target)
      for named in styles {
        let made = try TranslatedVolume(source, by: translator, style: named.style, truth: truth) { _ in
          try Self.stopIfAsked()
        }
        let result = try made.write(to: folder, name: file.name + named.suffix)
        consistency.merge(made.consistency)
        cases.append(try work.translated(file, named.suffix, at: result, translator))
        for note in made.notes where notes.insert(note.key).inserted {
          CommandFailure.say("\(file.name): \(note.text)")
        }
      }
      line.update(place + 1)
    }
    line.finish(work.files.count)
    print("\(work.files.count) translated, in \(out)\(recentred(translator))")
    try tell(
      TranslationResult(cases: cases, consistency: consistency, notes: work.notes, translator: translator))
  }

  // MARK: - Datasets

  private func translateDataset(_ place: URL) throws {
    let (source, folder) = (try Dataset.open(place), URL(fileURLWithPath: out))
    if !source.layerNames.contains("targets") { try requireNoFigures() }
    let parts = try parts(of: source)
    let translator = parts[0].translator
    let styles = try chosenStyles(translator)
    let work = try TranslatedDataset(
      source: source, name: folder.lastPathComponent, parts: parts, styles: styles)
    let line = ProgressLine(label: "image", total: work.count, unit: "img")
    let options = [style == nil ? "--seed \(seed)" : "--style"] + (recentre ? ["--recentre"] : [])
    let consistency = try work.write(to: folder, options: options) { done in
      try Self.stopIfAsked("nothing was written")
      line.update(done)
    }
    line.finish(work.count)
    print("\(work.count) images translated, in the dataset \(out)\(recentred(translator))")
    try tell(
      TranslationResult(
        cases: TranslatedCase.all(of: source, Dataset.open(folder), suffixes: styles.map(\.suffix)),
        consistency: consistency, notes: [],
        translator: translator))
  }

  /// Which items are translated by whom.
  private func parts(of source: Dataset) throws -> [TranslatedDataset.Part] {
    guard heldOut else {
      let items = source.indices(of: split)
      guard !items.isEmpty else {
        throw DatasetError(
          source.url.path, "no image in the split '\(split?.rawValue ?? "")'; choose another --split")
      }
      return [try TranslatedDataset.Part(opened(theOnlyRun()), items: items)]
    }
    return try RunFolder.members(of: URL(fileURLWithPath: runFolder)).map { member in
      let items = try RunFolder(opening: member).readPlan().heldOutItems(of: source)
      return try TranslatedDataset.Part(opened(member), items: items)
    }
  }

  // MARK: - Figures

  private func requireNoFigures() throws {
    guard files.csv != nil || files.cases != nil else { return }
    throw RunError("--csv and --cases hold figures, which need true targets; give them with --target")
  }

  private func tell(_ result: TranslationResult) throws {
    let figures = try result.measured(seed: seed)
    print(result.text(figures), terminator: "")
    try files.write(
      json: { try result.json(figures) }, csv: { figures?.csv ?? "" }, cases: { figures?.casesCSV ?? "" },
      report: { try TranslationPage(result: result, figures: figures).write(to: $0) })
  }
}
