// `limn show`: a dataset on one picture.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Lay images of a dataset out on one sheet (PNG).",
    discussion: """
      The images are spread evenly over the dataset, or over one split of it. Labels lie over them in colours \
      that can be told apart. --augment shows what training would see; --weights shows the border weights of \
      U-Net, which glow where objects touch; --pairs shows what belongs to each image; --histogram draws how often each brightness occurs, a line for \
      each split.

      Examples:
        limn show data/lungs --out sheet.png
        limn show data/hearts --split test --layer labels --count 16 --out labels.png
        limn show data/hearts --augment rotation:-15..15,gamma:0.7..1.4 --out augmented.png
        limn show data/nuclei --weights --count 8 --out weights.png
        limn show data/t1-flair --pairs --count 12 --out pairs.png
        limn show data/hearts --histogram histogram.html --out sheet.png
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

  @Option(
    help: "Show the images as this augmentation changes them, as 'limn train --augment' takes it.",
    transform: AugmentationPipeline.init(parsing:))
  var augment: AugmentationPipeline?

  @Option(help: "Seed of what --augment draws.")
  var seed: UInt64 = 0

  @Flag(
    help: """
      Show below each image the border weights of its instances, or of its labels' connected parts: black is 0, \
      over red and yellow to white, the greatest on the sheet, which is told.
      """)
  var weights = false

  @Flag(
    help:
      "Show below each image its target, and below that a checkerboard of both: edges go on where they align."
  )
  var pairs = false

  @Option(
    help: """
      What --weights adds the borders to: none, weight 1 everywhere; image, weights that make up for unequal \
      areas, as in training. Where objects are few, they outshine the borders.
      """)
  var balance = ClassBalance.none

  @Option(help: "Write a page with the histogram of each split to this file (HTML).")
  var histogram: String?

  func validate() throws {
    guard count > 0, columns ?? 1 > 0 else {
      throw ValidationError("--count and --columns: expected 1 or more")
    }
    guard !(weights || pairs) || layer == "images" else {
      throw ValidationError(
        "\(weights ? "--weights" : "--pairs") stand below the images; leave out --layer \(layer)")
    }
    guard !weights || !pairs else { throw ValidationError("--weights and --pairs exclude each other") }
  }

  func run() throws {
    let dataset = try Dataset.open(URL(fileURLWithPath: dataset))
    let items = dataset.sample(count, of: split)
    let (sheet, note) = try picture(of: dataset, items)
    let text = dataset.manifest.synthetic ? PNGFile.syntheticText("made by Limn") : [:]
    try PNGFile.write(pixels: sheet, text: text, to: URL(fileURLWithPath: out))
    print("\(items.count) of \(dataset.indices(of: split).count) images in \(out)\(note)")
    if let histogram { try writeHistogram(of: dataset, to: URL(fileURLWithPath: histogram)) }
  }

  /// The sheet, and what must be said of it.
  private func picture(of dataset: Dataset, _ items: [Int]) throws -> (sheet: Tensor, note: String) {
    let augmentation = augment.map { ($0, seed) }
    if pairs { return (try dataset.pairSheet(items, columns: columns, augmentation: augmentation), "") }
    guard weights else {
      return (try dataset.sheet(items, layer: layer, columns: columns, augmentation: augmentation), "")
    }
    let (sheet, greatest) = try dataset.weightSheet(
      items, weights: BorderWeights(balance: balance), columns: columns, augmentation: augmentation)
    return (sheet, String(format: "; white is weight %.3f", greatest))
  }

  private func writeHistogram(of dataset: Dataset, to file: URL) throws {
    let splits = Split.allCases.filter { !dataset.indices(of: $0).isEmpty }
    let series = try splits.map { split in
      let found = try dataset.histogram(of: split)
      let width = (found.range.upperBound - found.range.lowerBound) / Double(found.counts.count)
      return LineChart.Series(
        name: split.rawValue,
        points: found.counts.enumerated().map { bin, count in
          ((Double(bin) + 0.5) * width, Double(count) / Double(max(1, found.total)))
        })
    }
    let chart = LineChart(title: "Brightness", xLabel: "stored value", series: series)
    var page = HTMLReport(title: "Histogram of \(dataset.manifest.name)")
    page.section("Share of pixels", .charts([chart]))
    try page.write(to: file)
    print("histogram in \(file.relativePath)")
  }
}
