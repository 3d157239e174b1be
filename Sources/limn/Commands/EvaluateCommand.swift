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
      Each figure is printed with its protocol, its sample counts, and what real images reach against real \
      ones. MS-SSIM between generated images measures variety: close to the real-real value is good, higher \
      means that the images resemble each other. The sliced Wasserstein distance (x1000) is better when lower.

      Examples:
        limn evaluate data/lungs data/synthetic
        limn evaluate data/lungs data/synthetic --json result.json --report result.html
      """)

  @Argument(help: "The real dataset's folder.")
  var real: String

  @Argument(help: "The synthetic dataset's folder.")
  var fake: String

  @Option(help: "Metrics, separated by commas: \(Metrics.all.map(\.name).joined(separator: ", ")).")
  var metrics: String?

  @Option(help: "Split of the real dataset: train, validation or test. Default: all.")
  var split: Split?

  @Option(help: "Use at most so many images of each.")
  var count: Int?

  @Option(help: "Seed of pairs, patches and directions.")
  var seed: UInt64 = 0

  @Option(help: "Write the figures as JSON.")
  var json: String?

  @Option(help: "Write a page with figures and pictures.")
  var report: String?

  @Option(name: .customLong("run"), help: "The run that drew the images; its curves and recipe go onto the page.")
  var runFolder: String?

  func run() throws {
    let sets = (
      real: try DatasetImages(URL(fileURLWithPath: real), split: split),
      fake: try DatasetImages(URL(fileURLWithPath: fake), split: nil)
    )
    let evaluation = try Evaluation.run(
      real: sets.real, fake: sets.fake, metrics: chosenMetrics(), count: count, seed: seed)
    print(evaluation.table)
    if let json { try AtomicFile.write(evaluation.json(), to: URL(fileURLWithPath: json)) }
    if let report {
      let page = CohortPage(
        evaluation: evaluation, real: sets.real, fake: sets.fake, run: runFolder.map { URL(fileURLWithPath: $0) })
      try page.write(to: URL(fileURLWithPath: report))
      print("\nreport: \(report)")
    }
  }

  private func chosenMetrics() throws -> [any Metric] {
    guard let metrics else { return Metrics.standard }
    return try metrics.split(separator: ",").map { name in
      if let found = Metrics.all.first(where: { $0.name == name }) { return found }
      let names = Metrics.all.map(\.name)
      let hint = nearest(to: String(name), in: names).map { "; did you mean '\($0)'?" } ?? "."
      throw ValidationError("unknown metric '\(name)'\(hint) Known: \(names.joined(separator: ", "))")
    }
  }
}

/// A dataset's images as a metric takes them: 8 bits.
struct DatasetImages: ImageSource {
  let dataset: Dataset
  private let indices: [Int]

  init(_ url: URL, split: Split?) throws {
    dataset = try Dataset.open(url)
    indices = dataset.indices(of: split)
  }

  var name: String { dataset.url.lastPathComponent }
  var count: Int { indices.count }
  var channels: Int { dataset.channels }
  var height: Int { dataset.size[0] }
  var width: Int { dataset.size[1] }

  func images(at positions: [Int]) throws -> Tensor {
    dataset.images(at: positions.map { indices[$0] }).quantized(bitDepth: 8)
  }
}
