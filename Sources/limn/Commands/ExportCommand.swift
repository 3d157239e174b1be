// `limn export`: a dataset out, in the formats of other programs.

import ArgumentParser
import Foundation
import LimnDatasets

import enum LimnTorch.Interruption
import class LimnTorch.ProgressLine
import enum LimnTorch.Torch

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a dataset as PNG, TIFF, NIfTI, DICOM, COCO, LabelMe or WebDataset.",
    discussion: """
      All layers go along: labels as index PNG, second volumes, DICOM SEG objects or polygons. Slices are \
      stacked into volumes again for NIfTI and DICOM and lie where they came from. Splits become subfolders; \
      export.json says which file shows which image. Synthetic data are marked as such inside each file. \
      docs/reference/export.md has each format's layout.

      Examples:
        limn export data/lungs --as png --out lungs-png
        limn export data/hearts --as nifti --out hearts-nifti
        limn export data/cells --as coco --split test --out cells-coco
        limn export data/large --as webdataset --shard-size 5000 --out shards
      """)

  @Argument(help: "The dataset.")
  var dataset: String

  @Option(name: .customLong("as"), help: "What to write.")
  var format: ExportFormat

  @Option(help: "The folder to write; must not be there yet.")
  var out: String

  @Option(help: "Export only this split.")
  var split: Split?

  @Option(help: "Images in one file of a WebDataset.")
  var shardSize = 1000

  func validate() throws {
    guard shardSize > 0 else { throw ValidationError("--shard-size: expected 1 or more") }
  }

  func run() throws {
    // Images are handled one by one, and one is too small to share among threads.
    Torch.threadCount = 1
    Interruption.install()
    let dataset = try Dataset.open(URL(fileURLWithPath: dataset))
    var options = ExportOptions()
    (options.split, options.shardSize) = (split, shardSize)
    let line = ProgressLine(label: "image", total: dataset.indices(of: split).count, unit: "img")
    let summary = try Exporter.run(dataset, as: format, to: URL(fileURLWithPath: out), options: options) {
      guard !Interruption.isRequested else { throw CommandFailure.interrupted("nothing was written") }
      line.update($0)
    }
    line.finish(summary.images)
    for warning in summary.warnings { CommandFailure.say("warning: \(warning)") }
    print("\(summary.images) images in \(summary.files) files written to \(out)")
  }
}
