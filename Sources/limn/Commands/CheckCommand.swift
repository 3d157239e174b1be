// `limn check`: whether a dataset is what it says.

import ArgumentParser
import Foundation
import LimnDatasets

import enum LimnTorch.HumanReadable
import enum LimnTorch.Torch

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a dataset: description, shapes, hashes, splits, values.",
    discussion: """
      Reads every pixel once. The first thing that is wrong ends the check with one line and exit code 1. \
      Images that repeat, or hold one value only, are told but are no fault.

      Example:
        limn check data/lungs
      """)

  @Argument(help: "Datasets to check.")
  var datasets: [String]

  func run() throws {
    // Images are looked at one by one, and one is too small to share among threads.
    Torch.threadCount = 1
    for path in datasets {
      let dataset = try Dataset.open(URL(fileURLWithPath: path))
      let found = try dataset.verify()
      print(DatasetSummary(manifest: dataset.manifest).text)
      print(Self.values(found, levels: dataset.bitDepth == 8 ? 255 : 65535))
      for line in Self.remarks(found) { print("note: \(line)") }
      print("\(path): all is well")
    }
  }

  private static func values(_ found: DatasetStatistics, levels: Int) -> String {
    let mean = HumanReadable.number(found.mean, digits: 5)
    let deviation = HumanReadable.number(found.standardDeviation, digits: 5)
    return "values: \(Int(found.minimum)) to \(Int(found.maximum)) of 0 to \(levels), mean \(mean), "
      + "standard deviation \(deviation)"
  }

  private static func remarks(_ found: DatasetStatistics) -> [String] {
    var lines: [String] = []
    if found.constantImages > 0 { lines.append("\(found.constantImages) images hold one value only") }
    if found.repeatedImages > 0 {
      lines.append(
        "\(found.repeatedImages) images equal another to the bit, \(found.repeatedAcrossSplits) of them one in "
          + "another split")
    }
    return lines
  }
}

/// A dataset's description in a few lines.
struct DatasetSummary {
  let manifest: DatasetManifest

  var text: String {
    var parts = ["\(manifest.count) images, \(manifest.height)×\(manifest.width)"]
    parts.append("\(manifest.channels) channel\(manifest.channels == 1 ? "" : "s"), \(manifest.bitDepth) bit")
    if let modality = manifest.modality { parts.append(modality) }
    if let spacing = manifest.spacing {
      parts.append(spacing.map { HumanReadable.number($0) }.joined(separator: "×") + " mm")
    }
    if manifest.synthetic { parts.append("synthetic") }
    let layers = manifest.layers.map(\.name).joined(separator: ", ")
    return """
      \(manifest.name): \(parts.joined(separator: ", "))
      layers: \(layers); content \(manifest.contentHash.prefix(12))
      \(splits)
      """
  }

  private var splits: String {
    Split.allCases.compactMap { split in
      manifest.splits[split.rawValue].map {
        "\(split.rawValue) \($0.items) image\($0.items == 1 ? "" : "s") of "
          + "\($0.patients) patient\($0.patients == 1 ? "" : "s")"
      }
    }.joined(separator: ", ")
  }
}
