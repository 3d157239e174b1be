// `limn evaluate labels`: predicted label maps, objects, probabilities or borders against the truth.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnMetrics

struct EvaluateLabelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "labels",
    abstract: "Compare segmentations with the truth: Dice, IoU, HD95, SEG, AUC, V^Rand and more.",
    discussion: """
      TRUTH and PREDICTION are folders, files (PNG, TIFF, NIfTI, DICOM SEG) or datasets with labels. Files belong \
      together that have the same path below their folders, or the same name but for an ending such as _mask, \
      _seg, _truth or _pred. Values are classes, 0 the background; a mask of 0 and 255 is one class.

      Of classes: Dice, IoU, sensitivity, specificity, precision, accuracy, HD95 in two definitions, mean surface \
      distance and surface Dice, in millimetres where the files have a geometry, else in pixels. Of objects \
      (--instances): SEG, average precision, V^Rand, V^Info. Of probabilities (--probabilities): areas under \
      ROC and precision-recall curves and calibration. Of borders (--boundaries): the scores of the ISBI 2012 \
      challenge, over ten thresholds. Intervals resample whole patients.

      Examples:
        limn evaluate labels truth/ predicted/ --classes ventricle=1,myocardium=2 --report result.html
        limn evaluate labels nuclei/ predicted/ --instances --cases cells.csv
        limn evaluate labels 1st_manual/ probability/ --probabilities --mask mask/ --json vessels.json
        limn evaluate labels membranes/ probability/ --boundaries
        limn evaluate labels data/hearts data/predicted
      """)

  @Argument(help: "True label maps: a folder, a file or a dataset.")
  var truth: String

  @Argument(help: "Predicted ones: the same.")
  var prediction: String

  @Option(
    help: """
      What the values mean: NAME=VALUE,… or a JSON file, as for 'limn import'. Default: what a dataset says, \
      else every value that occurs.
      """)
  var classes: String?

  @Flag(help: "Each value is an object of its own.")
  var instances = false

  @Flag(help: "Predictions are probabilities of one class: 0 to 1, or shares of the greatest pixel value.")
  var probabilities = false

  @Flag(help: "Predictions are probabilities of the inside of objects; truths are 0 on borders.")
  var boundaries = false

  @Option(help: "Above this a probability counts as the class.")
  var threshold = 0.5

  @Option(help: "Where on the ROC curve the sensitivity is read. With --probabilities.")
  var specificity = 0.95

  @Option(help: "Masks, such as a field of view, under the truths' names; pixels outside do not count.")
  var mask: String?

  @Option(help: "Leave pixels out where the truth has this value.")
  var ignore: Int?

  @Option(help: "Look at this split of a dataset alone.")
  var split: Split?

  @Option(help: "How far apart surfaces may lie to count as one (nsd), in millimetres or pixels.")
  var tolerance = 1.0

  @Option(help: "What overlap is where neither side has the class: undefined (left out) or perfect (1).")
  var empty = EmptyRule.undefined

  @Flag(help: "Bring truths of another grid onto the predictions', nearest voxel, by the geometry of both.")
  var resampleLabels = false

  @Option(help: "What tells patients of files apart, as for 'limn import'.")
  var patientFrom = PatientRule.auto

  @Option(help: "The images under the truths' names, for the page's pictures.")
  var images: String?

  @Option(help: "Seed of the intervals' resamples.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Results")
  var files: ResultFiles

  func validate() throws {
    guard [instances, probabilities, boundaries].count(where: { $0 }) <= 1 else {
      throw ValidationError("--instances, --probabilities and --boundaries exclude each other")
    }
    guard tolerance >= 0 else { throw ValidationError("--tolerance: expected 0 or more") }
    guard (0...1).contains(specificity) else { throw ValidationError("--specificity: expected 0 to 1") }
    guard (0...1).contains(threshold) else { throw ValidationError("--threshold: expected 0 to 1") }
  }

  func run() throws {
    var pairs = try PairedLabels(
      truth: URL(fileURLWithPath: truth), prediction: URL(fileURLWithPath: prediction), options())
    if boundaries { pairs = try pairs.bySection() }
    let measured = try measure(pairs)
    let warnings = pairs.notes + measured.warnings
    print(([measured.text] + pairs.notes.map { "warning: \($0)" }).joined(separator: "\n"))
    try files.write(
      json: measured.json, csv: { measured.csv }, cases: { measured.casesCSV },
      report: { url in
        let background = try images.map {
          try LabelBackground(
            URL(fileURLWithPath: $0), truth: URL(fileURLWithPath: truth), names: pairs.names)
        }
        try LabelsPage(measured: measured, pairs: pairs, background: background, warnings: warnings)
          .write(to: url)
      })
  }

  private func options() throws -> PairedLabels.Options {
    var options = PairedLabels.Options()
    options.reader = LabelPairReader(
      kind: instances ? .instances : .auto, classes: try classes.map(ClassList.parsed) ?? [],
      resample: resampleLabels)
    if let ignore, !options.reader.classes.isEmpty {
      options.reader.classes.append(LabelClass(name: "ignored", value: ignore))
    }
    options.mask = mask.map { URL(fileURLWithPath: $0) }
    (options.ignored, options.patients) = (ignore, patientFrom)
    options.isProbability = probabilities || boundaries
    options.split = split
    return options
  }

  private func measure(_ pairs: PairedLabels) throws -> MeasuredCases {
    let count = pairs.names.count
    if boundaries {
      return .borders(
        try BoundaryEvaluation.run(count: count, seed: seed) { try pairs.probabilities($0, classValue: nil) })
    }
    if probabilities { return try measureProbabilities(pairs) }
    guard !instances else {
      let setting = setting(.objects)
      return .labels(try LabelEvaluation.run(count: count, setting: setting) { try pairs.labels($0, nil) })
    }
    let numbers = try pairs.classNumbers()
    let setting = setting(.classes(numbers.names))
    return .labels(try LabelEvaluation.run(count: count, setting: setting) { try pairs.labels($0, numbers) })
  }

  private func setting(_ content: LabelEvaluation.Setting.Content) -> LabelEvaluation.Setting {
    .init(content: content, emptyRule: empty, tolerance: tolerance, seed: seed)
  }

  private func measureProbabilities(_ pairs: PairedLabels) throws -> MeasuredCases {
    let named = pairs.classes.flattened.compactMap { label, _ in label.value.map { (label.name, $0) } }
    guard named.count <= 1 else {
      throw ValidationError("--probabilities: expected one class, --classes names \(named.count)")
    }
    let value = named.first?.1
    let result = try ProbabilityEvaluation.run(
      count: pairs.names.count, seed: seed, specificity: specificity
    ) {
      try pairs.probabilities($0, classValue: value)
    }
    let labels = try LabelEvaluation.run(
      count: pairs.names.count, setting: setting(.classes(["background", named.first?.0 ?? "foreground"]))
    ) { try pairs.thresholded($0, threshold, classValue: value) }
    return .probabilities(result, labels, threshold: threshold)
  }
}

extension EmptyRule: ExpressibleByArgument {}
