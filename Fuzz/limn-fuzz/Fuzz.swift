// limn-fuzz: damaged files for every reader, in processes of their own.

import ArgumentParser
import Foundation
import LimnFuzzing

@main
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limn-fuzz",
    abstract: "Give every reader damaged files, and list what it could not stand.",
    discussion: """
      Inputs depend on the seed, the format and their number alone. What crashes a reader, takes it more than \
      10 seconds or 1 GiB, or is answered by anything but one line that names the file, is kept in the folder \
      of findings, and the exit status is 1. Deaths inside GDCM are counted on their own: an import outlives them.

        limn-fuzz --count 1000000 --seed 7 Tests/Fixtures/imaging ~/more-seeds
        limn-fuzz --replay fuzz-findings/tiff-7-31337
      """)

  @Option(help: "Inputs in all, shared out among the formats.")
  var count = 100_000

  @Option(help: "Another number gives other inputs.")
  var seed: UInt64 = 1

  @Option(help: "Processes at a time.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Only this format: \(FuzzFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
  var format: FuzzFormat?

  @Option(help: "Where offending inputs are kept.")
  var findings = "fuzz-findings"

  @Option(
    help: "Read this one file, whose name begins with its kind as those of findings do, and say what came.")
  var replay: String?

  @Argument(help: "Folders of seeds, beside the files that limn-fuzz makes.")
  var folders: [String] = []

  /// A worker's task; for the program's own use.
  @Option(help: .hidden)
  var worker: String?

  @Option(help: .hidden)
  var work: String?

  func validate() throws {
    guard count > 0, jobs > 0 else { throw ValidationError("--count and --jobs are at least 1") }
  }

  func run() throws {
    if let replay {
      try Worker.replay(URL(fileURLWithPath: replay))
    } else if let worker, let work {
      try Worker.serve(worker, seeds: folders.map { URL(fileURLWithPath: $0) }, seed: seed, in: work)
    } else {
      try fuzz()
    }
  }

  private func fuzz() throws {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("limn-fuzz-\(getpid())")
    defer { try? FileManager.default.removeItem(at: place) }
    let made = place.appendingPathComponent("seeds")
    try SeedFiles.write(to: made)
    let campaign = Campaign(
      seed: seed, seedFolders: [made] + folders.map { URL(fileURLWithPath: $0) }, workFolder: place,
      findings: URL(fileURLWithPath: findings), formats: format.map { [$0] })
    campaign.run(count: count, jobs: jobs)
    print(campaign.report)
    if campaign.hasFindings { throw ExitCode(1) }
  }
}

extension FuzzFormat: ExpressibleByArgument {
  public init?(argument: String) {
    guard let found = Self.allCases.first(where: { $0.rawValue.lowercased() == argument.lowercased() }) else {
      return nil
    }
    self = found
  }
}
