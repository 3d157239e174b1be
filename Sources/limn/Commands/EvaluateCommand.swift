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
      each other. The sliced Wasserstein distance (x1000) is better when lower.

      Examples:
        limn evaluate data/lungs data/synthetic
        limn evaluate data/lungs data/synthetic --json result.json --report result.html
      """)

  @Argument(help: "A dataset or folder of real images.")
  var real: String

  @Argument(help: "A dataset or folder of synthetic images.")
  var fake: String

  @Option(help: "Metrics, separated by commas: \(Metrics.all.map(\.name).joined(separator: ", ")).")
  var metrics: String?

  @Option(help: "Use only this split of the real dataset.")
  var split: Split?

  @Option(help: "Use at most this many images of each set.")
  var count: Int?

  @Option(help: "Seed of pairs, patches and directions.")
  var seed: UInt64 = 0

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
    let evaluation = try Evaluation.run(
      real: sets.real, fake: sets.fake, metrics: chosenMetrics(), count: count, seed: seed)
    print(evaluation.table)
    if let json { try AtomicFile.write(evaluation.json(), to: URL(fileURLWithPath: json)) }
    if let report {
      let page = CohortPage(
        evaluation: evaluation, real: sets.real, fake: sets.fake,
        run: runFolder.map { URL(fileURLWithPath: $0) })
      try page.write(to: URL(fileURLWithPath: report))
      print("\nreport: \(report)")
    }
  }

  private func chosenMetrics() throws -> [any Metric] {
    guard let metrics else { return Metrics.standard }
    return try metrics.split(separator: ",").map { try Metrics.named(String($0)) }
  }
}
