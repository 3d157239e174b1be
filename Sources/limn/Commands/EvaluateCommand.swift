// `limn evaluate`: two sets of images in, figures with their protocol out.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnMetrics
import LimnTorch
import LimnTraining

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a synthetic dataset against a real one.",
    discussion: """
      REAL and FAKE are datasets, or folders of images of one size. Each figure is printed with its \
      protocol, its sample counts, and what real images reach against real ones. MS-SSIM between generated \
      images measures variety: close to the real-real value is good, higher means that the images resemble \
      each other. The sliced Wasserstein distance (x1000), FID and KID are better when lower, precision, \
      recall and coverage when higher.

      Figures of features carry their network's name. Its weights are installed by 'limn weights add'; \
      those of EfficientNet-Lite0 come with Limn. The interval tells how far a figure would move with other \
      images of the same kind.

      Examples:
        limn evaluate data/lungs data/synthetic
        limn evaluate data/lungs data/synthetic --json result.json --report result.html
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

  @Option(help: "Use only this split of the real dataset.")
  var split: Split?

  @Option(help: "Use at most this many images of each set.")
  var count: Int?

  @Option(help: "Seed of pairs, patches, directions and subsets.")
  var seed: UInt64 = 0

  @Option(help: "Random halves of the images that 95% intervals are estimated from; 0 for no intervals.")
  var resamples = 100

  @Option(help: "Where networks run: cpu, cuda, cuda:1, ….")
  var device = "cpu"

  @Flag(help: "Neither read nor write the cache of features ($LIMN_CACHE, or limn in the cache folder of XDG).")
  var noCache = false

  @Option(help: "Write the figures to this file, as JSON.")
  var json: String?

  @Option(help: "Write a page with figures and pictures to this file (HTML).")
  var report: String?

  @Option(
    name: .customLong("run"), help: "The run that drew the images; its curves and recipe go onto the page.")
  var runFolder: String?

  func run() throws {
    let sets = (
      real: try ImageFolder.open(URL(fileURLWithPath: real), split: split),
      fake: try ImageFolder.open(URL(fileURLWithPath: fake))
    )
    let chosen = try chosenMetrics()
    let evaluation = try Evaluation.run(
      real: sets.real, fake: sets.fake, metrics: chosen.metrics, count: count, seed: seed,
      resamples: resamples, cache: noCache ? nil : .standard())
    print(evaluation.table)
    if let note = chosen.note { print("\nnote: \(note)") }
    if let json { try AtomicFile.write(evaluation.json(), to: URL(fileURLWithPath: json)) }
    if let report {
      let page = CohortPage(
        evaluation: evaluation, real: sets.real, fake: sets.fake,
        run: runFolder.map { URL(fileURLWithPath: $0) })
      try page.write(to: URL(fileURLWithPath: report))
      print("\nreport: \(report)")
    }
  }

  private func chosenMetrics() throws -> Metrics.Choice {
    guard let place = Device(device) else {
      throw MetricError("--device \(device): cpu, cuda or cuda:1 was expected")
    }
    if place.kind == .cuda, let reason = Torch.cudaUnavailableReason {
      throw MetricError("--device \(device): no GPU can be used: \(reason)")
    }
    let known = Metrics(device: place)
    guard let metrics else { return try known.standard() }
    return Metrics.Choice(metrics: try metrics.split(separator: ",").map { try known.named(String($0)) })
  }
}
