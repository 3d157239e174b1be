// `limn show`: a dataset on one picture.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Lay images of a dataset out on one sheet (PNG).",
    discussion: """
      The images are spread evenly over the dataset, or over one split of it.

      Examples:
        limn show data/lungs --out sheet.png
        limn show data/hearts --split test --layer labels --count 16 --out labels.png
      """)

  @Argument(help: "The dataset.")
  var dataset: String

  @Option(help: "The picture to write.")
  var out: String

  @Option(help: "How many images.")
  var count = 64

  @Option(help: "Images in a row. Default: as many as make the sheet square.")
  var columns: Int?

  @Option(help: "Show only this split.")
  var split: Split?

  @Option(help: "The layer to show.")
  var layer = "images"

  func validate() throws {
    guard count > 0, columns ?? 1 > 0 else {
      throw ValidationError("--count and --columns: expected 1 or more")
    }
  }

  func run() throws {
    let dataset = try Dataset.open(URL(fileURLWithPath: dataset))
    let items = dataset.sample(count, of: split)
    let sheet = try dataset.sheet(items, layer: layer, columns: columns)
    let text = dataset.manifest.synthetic ? PNGFile.syntheticText("made by Limn") : [:]
    try PNGFile.write(pixels: sheet, text: text, to: URL(fileURLWithPath: out))
    print("\(items.count) of \(dataset.indices(of: split).count) images in \(out)")
  }
}
