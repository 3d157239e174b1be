// A look at a dataset: images picked evenly and laid out on one sheet.

import LimnImaging
import LimnTorch

extension Dataset {
  /// Up to `count` items of a split (or of all), spread evenly over it, the first among them.
  public func sample(_ count: Int, of split: Split? = nil) -> [Int] {
    let all = indices(of: split)
    let taken = min(max(count, 0), all.count)
    return (0..<taken).map { all[$0 * all.count / taken] }
  }

  /// Items of a layer on one sheet, uint8 [C, H′, W′]. Labels are drawn in the classes' colours: over the
  /// images where the images are shown, alone where they are the layer.
  /// - Parameters:
  ///   - items: positions in the dataset.
  ///   - name: the layer to show.
  ///   - columns: tiles in a row; nil: as many as make the sheet square.
  ///   - augmentation: what changes the items first, and the seed of its draws.
  /// - Returns: uint8 [C, H′, W′].
  /// - Throws: ``DatasetError`` if the dataset has no such layer, or `items` is empty.
  public func sheet(
    _ items: [Int], layer name: String = "images", columns: Int? = nil,
    augmentation: (pipeline: AugmentationPipeline, seed: UInt64)? = nil
  ) throws -> Tensor {
    guard !items.isEmpty else { throw DatasetError(url, "has no item to show there") }
    var layers = ["shown": AlignedLayer.image(Pixels.rows(items, of: try layer("images")).normalizedPixels())]
    let isLabels = try layer(name).rank == 3
    if isLabels || name == "images" && layerNames.contains("labels") {
      let labels = Pixels.rows(items, of: try layer(isLabels ? name : "labels"))
      layers["labels"] = .labels(labels.to(.int64))
    } else if name != "images" {
      layers["shown"] = .map(Pixels.rows(items, of: try layer(name)).normalizedPixels(), outside: -1)
    }
    var batch = AlignedBatch(layers)
    if let (pipeline, seed) = augmentation {
      batch = pipeline(batch, seeds: items.indices.map { Seed.derive(seed, UInt64($0)) }).batch
    }
    let shown = layers["labels"] == nil ? batch["shown"] : Self.drawn(batch, alone: isLabels)
    return ContactSheet(columns: columns, background: 32).image(of: shown)
  }

  private static func drawn(_ batch: AlignedBatch, alone: Bool) -> Tensor {
    let images = batch["shown"]
    guard alone else { return LabelOverlay()(images, labels: batch["labels"]) }
    let black = images.narrowed(dim: 1, start: 0, length: 1).onesLike() * -1
    return LabelOverlay(opacity: 1, hasContours: false)(black, labels: batch["labels"])
  }

  /// How often each brightness occurs in the images of a split, or of all.
  public func histogram(of split: Split? = nil, bins: Int = 128) throws -> Histogram {
    let range = 0.0...(bitDepth == 8 ? 255.0 : 65535.0)
    let images = try layer("images")
    var sum = Histogram(bins: bins, range: range)
    for index in indices(of: split) {
      sum += Histogram(of: Pixels.rows([index], of: images).to(.float32), bins: bins, range: range)
    }
    return sum
  }
}
