// `limn evaluate pairs`: images that belong together one to one, such as translations and what was acquired.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnMetrics

struct EvaluatePairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairs",
    abstract: "Compare images with what was made in their places: NMAE, PSNR, SSIM, MAE, NMI.",
    discussion: """
      REAL and FAKE are folders, files or datasets. Files belong together that have the same path below their \
      folders, or the same name but for an ending such as _real or _fake; a DICOM series is a file. Items of \
      datasets belong together by their ids, or by patient, source and slice. Values are compared as stored: \
      Hounsfield units of a CT, gray levels of a picture.

      Each measure is given over slices and over volumes (the pixels of each pooled), over all pixels and over \
      the foreground, which is where the real image lies above its background. psnr_reggan_legacy and \
      ssim_reggan are what RegGAN's published code computes. nmi, normalised mutual information, alone compares \
      modalities: how well edges lie on edges, 1 to 2. Intervals resample whole patients.

      Examples:
        limn evaluate pairs flair/ flair-from-t1/ --report result.html
        limn evaluate pairs ct.nii.gz ct-from-mr.nii.gz --range=-1024,3071
        limn evaluate pairs data/flair data/translated --json result.json --cases cases.csv
      """)

  @Argument(help: "Real images: a folder, a file or a dataset.")
  var real: String

  @Argument(help: "What was made in their places: the same.")
  var fake: String

  @Option(
    help: ArgumentHelp(
      """
      The least and the greatest value that an image can have; NMAE, PSNR and SSIM refer to it. Default: what \
      the bits of a picture or dataset can hold, else what the real images hold.
      """, valueName: "low,high"))
  var range: ValueRange?

  @Option(help: "The background's value; pixels of the real image above it are foreground. Default: LOW.")
  var background: Double?

  @Option(help: "What tells patients of files apart, as for 'limn import'.")
  var patientFrom = PatientRule.auto

  @Option(help: "Seed of the intervals' resamples.")
  var seed: UInt64 = 0

  @OptionGroup(title: "Results")
  var files: ResultFiles

  func run() throws {
    let pairs = try PairedImages(
      real: URL(fileURLWithPath: real), fake: URL(fileURLWithPath: fake), patients: patientFrom)
    let setting = chosen(pairs.setting)
    let result = try PairEvaluation.run(
      count: pairs.names.count, setting: setting, seed: seed, pair: pairs.pair)
    let notes = pairs.notes + (range == nil ? [pairs.rangeNote].compactMap(\.self) : [])
    let warnings = notes + result.warnings
    print(([result.table] + notes.map { "warning: \($0)" }).joined(separator: "\n"))
    try files.write(
      json: result.json, csv: { result.csv }, cases: { result.casesCSV },
      report: { try PairsPage(result: result, pairs: pairs, warnings: warnings).write(to: $0) })
  }

  private func chosen(_ suggested: PairProtocol) -> PairProtocol {
    var setting = range.map { PairProtocol(range: $0.bounds, unit: suggested.unit) } ?? suggested
    if let background { setting.foreground.background = background }
    return setting
  }
}

/// `LOW,HIGH`, the first below the second.
struct ValueRange: ExpressibleByArgument {
  let bounds: ClosedRange<Double>

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low < high, (high - low).isFinite else {
      return nil
    }
    bounds = low...high
  }
}
