// `limn evaluate cohort`, which `limn evaluate` runs by itself: two sets of images in, figures with their protocol out.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnMetrics
import LimnSegmentation
import LimnTorch
import LimnTraining

struct EvaluateCohortCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cohort",
    abstract: "Measure a synthetic dataset against a real one: fidelity, privacy, usefulness.",
    discussion: """
      REAL and FAKE are datasets, or folders of images of one size. Each figure is printed with its \
      protocol, its sample counts, and what real images reach against real ones. MS-SSIM between generated \
      images measures variety: close to the real-real value is good, higher means that the images resemble \
      each other. The sliced Wasserstein distance (x1000), FID and KID are better when lower, precision, \
      recall and coverage when higher.

      Figures of features carry their network's name. Its weights are installed by 'limn weights add'; \
      those of EfficientNet-Lite0 come with Limn. The interval tells how far a figure would move with other \
      images of the same kind.

      Privacy: the nearest training image of every synthetic one is searched, in pixels after alignment and in \
      a network's features, and the distances are compared with those of real images that the generator has \
      not seen. Training images are REAL's train split and unseen ones its other splits; --train and \
      --held-out name others: splits of REAL ('train,validation'), or datasets.

      Usefulness (--downstream): a small segmenter is trained on real images, on synthetic ones, and on both, \
      and measured on the held-out patients. Both sets need labels.

      Examples:
        limn evaluate data/lungs data/synthetic
        limn evaluate cohort data/lungs data/synthetic --json result.json --report result.html
        limn evaluate data/lungs data/synthetic --train data/lungs --held-out data/other-lungs
        limn evaluate data/hearts data/synthetic --downstream --csv figures.csv
      """)

  @Argument(help: "A dataset or folder of real images.")
  var real: String

  @Argument(help: "A dataset or folder of synthetic images.")
  var fake: String

  @Option(
    help: """
      Metrics, separated by commas: \(Metrics.patterns.joined(separator: ", ")). NETWORK is one of \
      'limn weights list'.
      """)
  var metrics: String?

  @Option(
    help:
      "Network whose features are compared, see 'limn weights list'. Default: EfficientNet-Lite0 if at hand.")
  var network: String?

  @Option(help: "Use only this split of the real dataset for the metrics.")
  var split: Split?

  @Option(help: "Use at most this many images of each set for the metrics.")
  var count: Int?

  @Option(help: "Seed of pairs, patches, directions, subsets and trainings.")
  var seed: UInt64 = 0

  @Option(help: "Random halves of the images that 95% intervals are estimated from; 0 for no intervals.")
  var resamples = 100

  @Option(help: "What computes: cpu, cuda or cuda:N.")
  var device = "cpu"

  @Flag(help: "Neither read nor write the cache of features: $LIMN_CACHE, or limn in XDG's cache folder.")
  var noCache = false

  @Option(
    help: ArgumentHelp("What the generator learned from: splits of REAL, or a dataset.", valueName: "set"))
  var train: String?

  @Option(help: ArgumentHelp("Real images it has not seen: splits of REAL, or a dataset.", valueName: "set"))
  var heldOut: String?

  @Flag(help: "Do not look for copies of training images.")
  var noPrivacy = false

  @Option(
    help: "Look at no more than this many images of each set for copies; all training images are searched.")
  var privacyCount = 1000

  @Flag(help: "Train a segmenter on real, synthetic and both; measure it on held-out patients.")
  var downstream = false

  @Option(help: "Steps of each such training.")
  var downstreamSteps = 400

  @Option(help: "Trainings for each choice of data.")
  var downstreamSeeds = 3

  @Option(help: "Side of the images that the segmenter sees, in pixels; a multiple of 8.")
  var downstreamSize = 64

  @Option(help: "Write the figures to this file, as JSON.")
  var json: String?

  @Option(help: "Write the figures to this file, one a line, as CSV.")
  var csv: String?

  @Option(help: "Write a page with figures and pictures to this file (HTML).")
  var report: String?

  @Option(
    name: .customLong("run"), help: "The run that drew the images; its curves and recipe go onto the page.")
  var runFolder: String?

  func validate() throws {
    guard Device(device) != nil else { throw ValidationError("--device: expected cpu, cuda or cuda:N") }
    guard resamples >= 0 else { throw ValidationError("--resamples: expected 0 or more") }
    guard privacyCount >= 2 else { throw ValidationError("--privacy-count: expected 2 or more") }
    guard downstreamSteps > 0, downstreamSeeds > 0 else {
      throw ValidationError("--downstream-steps and --downstream-seeds: expected 1 or more")
    }
    guard downstreamSize >= 16, downstreamSize.isMultiple(of: 8) else {
      throw ValidationError("--downstream-size: expected a multiple of 8 from 16")
    }
  }

  func run() throws {
    let sets = try EvaluationSets(real: real, fake: fake, split: split, train: train, heldOut: heldOut)
    let known = Metrics(device: try computingDevice)
    let cache = noCache ? nil : FeatureCache.standard()
    let standard = try known.standard(network: network)
    let chosen = try metrics?.split(separator: ",").map { try known.named(String($0)) }
    let evaluation = try Evaluation.run(
      real: sets.real, fake: sets.fake, metrics: chosen ?? standard.metrics, count: count, seed: seed,
      resamples: resamples, cache: cache, progress: say)
    let missing = standard.note.map { [$0] } ?? []
    var result = EvaluationReport(evaluation, warnings: sets.warnings + missing)
    if !noPrivacy {
      // What nobody asked for by name must not cost the figures.
      do { result.privacy = try privacy(sets, standard.extractor, cache) } catch let error as MetricError
        where train == nil && heldOut == nil
      { result.warnings.append("privacy was not looked at: \(error.description)") }
    }
    if downstream { try measureUsefulness(sets, into: &result) }
    try write(result, sets)
  }

  private var computingDevice: Device {
    get throws {
      guard let device = Device(device) else {
        throw ValidationError("--device: expected cpu, cuda or cuda:N")
      }
      if let reason = device.kind == .cuda ? Torch.cudaUnavailableReason : nil {
        throw MetricError("--device \(device): \(reason); 'limn doctor' tells more")
      }
      return device
    }
  }

  private func privacy(
    _ sets: EvaluationSets, _ network: (any FeatureExtractor)?, _ cache: FeatureCache?
  ) throws -> PrivacyReport {
    var options = Privacy.Options()
    (options.limit, options.seed, options.progress) = (privacyCount, seed, { say($0) })
    let searches: [any NearestSearch] =
      [AlignedSearch(device: try computingDevice)]
      + (try network.map { [FeatureSearch($0, device: try computingDevice, cache: cache)] } ?? [])
    return try Privacy.assess(
      synthetic: .of(sets.fake), training: .of(sets.training), heldOut: sets.heldOut.map { try .of($0) },
      searches: searches, options: options)
  }

  private func measureUsefulness(_ sets: EvaluationSets, into result: inout EvaluationReport) throws {
    var options = Usefulness.Options()
    (options.steps, options.seeds, options.side) = (downstreamSteps, downstreamSeeds, downstreamSize)
    (options.seed, options.device, options.progress) = (seed, try computingDevice, { say($0) })
    switch try DownstreamTask.measure(sets, options: options) {
    case .measured(let report): result.usefulness = report
    case .impossible(let line): result.warnings.append(line)
    }
  }

  private func write(_ result: EvaluationReport, _ sets: EvaluationSets) throws {
    print(result.text)
    if let json { try AtomicFile.write(result.json(), to: URL(fileURLWithPath: json)) }
    if let csv { try AtomicFile.write(Data(result.csv.utf8), to: URL(fileURLWithPath: csv)) }
    guard let report else { return }
    let page = CohortPage(
      result: result, sets: sets, run: runFolder.map { URL(fileURLWithPath: $0) })
    try page.write(to: URL(fileURLWithPath: report))
    print("\nreport: \(report)")
  }

  /// Tells a person at a terminal what takes so long.
  private func say(_ what: String) {
    if isatty(STDERR_FILENO) == 1 { CommandFailure.say("… \(what)") }
  }
}
