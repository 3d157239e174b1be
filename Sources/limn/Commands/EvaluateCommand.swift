// `limn evaluate`: measures generated images against real ones, in numbers that say how they were taken.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure generated images against real ones.",
    discussion: """
      REAL and FAKE are datasets, or folders of images of one size. Each metric is printed with the value \
      that real images reach against each other, the number of images, and the protocol; values of \
      different protocols, sizes or numbers of images do not compare.

      Metrics: \(Metrics.all.map(\.name).joined(separator: ", ")).

      Example:
        limn evaluate data/lungs data/synthetic
        limn evaluate data/lungs data/synthetic --metrics swd_pggan --count 4096 --json swd.json
      """)

  @Argument(help: "A dataset or folder of real images.", completion: .directory)
  var real: String

  @Argument(help: "A dataset or folder of generated images.", completion: .directory)
  var fake: String

  @Option(
    parsing: .upToNextOption,
    help: "The metrics to measure (default: \(Metrics.standard.map(\.name).joined(separator: " "))).")
  var metrics: [String] = []

  @Option(help: "At most this many images of each set (default: all).")
  var count: Int?

  @Option(help: "Decides every random choice.")
  var seed: UInt64 = 0

  @Option(help: "Also write everything that was measured as JSON.", completion: .file(extensions: ["json"]))
  var json: String?

  @Option(help: "Also write a page to read in a browser.", completion: .file(extensions: ["html"]))
  var report: String?

  func run() throws {
    let evaluation = try Evaluation.run(
      real: ImageFolder.open(URL(fileURLWithPath: real)), fake: ImageFolder.open(URL(fileURLWithPath: fake)),
      metrics: metrics.isEmpty ? Metrics.standard : metrics.map(Metrics.named), count: count, seed: seed
    ) { FileHandle.standardError.write(Data("measuring \($0)\n".utf8)) }
    print(evaluation.table)
    if let json { try AtomicFile.write(evaluation.json(), to: URL(fileURLWithPath: json)) }
    if let report { try evaluation.page.write(to: URL(fileURLWithPath: report)) }
  }
}

extension Evaluation {
  /// The table and its warnings as a page.
  var page: HTMLReport {
    var page = HTMLReport(
      title: "\(generated.name) against \(real.name)",
      subtitle:
        "\(generated.count) generated and \(real.count) real images, \(real.width)x\(real.height) px, "
        + "seed \(seed)")
    page.section("Metrics", .table(HTMLTable(columns: Self.columns, rows: rows)))
    let warnings = results.flatMap { result in result.warnings.map { [result.name, $0] } }
    if !warnings.isEmpty {
      page.section("Warnings", .table(HTMLTable(columns: ["metric", "warning"], rows: warnings)))
    }
    return page
  }
}
