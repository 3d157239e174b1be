// `limn evaluate`: what images, translations and labels are worth, measured.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure synthetic images, translations, and segmentations.",
    discussion: """
      'limn evaluate REAL FAKE' compares two sets of images that do not belong together one to one: fidelity, \
      variety, privacy, usefulness. That is 'limn evaluate cohort'; its options are told by \
      'limn evaluate cohort --help'.

      'limn evaluate pairs REAL FAKE' compares images that do belong together, such as a translated scan and the \
      one that was acquired. 'limn evaluate labels TRUTH PREDICTION' compares segmentations; of files, volumes, and \
      what 'limn segment' has written, 'limn evaluate TRUTH PREDICTION' does the same.

      Each figure comes with its protocol, its sample counts, and a 95% interval.

      Examples:
        limn evaluate data/lungs data/synthetic --report result.html
        limn evaluate pairs ct/ ct-from-mr/ --csv figures.csv
        limn evaluate labels truth/ predicted/ --classes ventricle=1,myocardium=2 --report result.html
      """,
    subcommands: [EvaluateCohortCommand.self, EvaluatePairsCommand.self, EvaluateLabelsCommand.self],
    defaultSubcommand: EvaluateCohortCommand.self)
}

extension EvaluateCommand {
  /// A command line in which 'evaluate TRUTH PREDICTION' says 'labels' where the prediction can be nothing else.
  /// - Parameter arguments: without the program's name.
  /// - Returns: the same otherwise.
  static func named(_ arguments: [String]) -> [String] {
    let others = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard arguments.count > 2, arguments[0] == configuration.commandName, !others.contains(arguments[1]),
      !arguments[1...2].contains(where: { $0.hasPrefix("-") }), isLabels(URL(fileURLWithPath: arguments[2]))
    else { return arguments }
    return [arguments[0], "labels"] + arguments[1...]
  }

  /// Whether a place holds label maps: a dataset or indexed pictures by 'limn segment', volumes, or a single file,
  /// which are no cohort.
  private static func isLabels(_ place: URL) -> Bool {
    if Dataset.isFolder(place) {
      let tool = try? Dataset.open(place).manifest.provenance.tool
      return tool?.hasSuffix(" segment") ?? false
    }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: place.path).sorted() else {
      return FileManager.default.fileExists(atPath: place.path)
    }
    guard let first = names.map(place.appendingPathComponent).first(where: ImageReader.isReadable) else {
      return false
    }
    let isVolume = [".nii", ".nii.gz"].contains { first.path.lowercased().hasSuffix($0) }
    return isVolume || ((try? PNGFile.indices(of: first)) ?? nil) != nil
  }
}
