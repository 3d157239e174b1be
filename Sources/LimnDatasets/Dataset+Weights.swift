// A look at the border weights that a dataset's objects have.

import LimnImaging
import LimnTorch

extension Dataset {
  /// Items with their objects drawn over them, and below each its border weights, on one sheet.
  ///
  /// Objects are those of the `instances` layer; without one, the 8-connected parts of `labels`. Weights are
  /// black where 0 and white at the greatest one of the sheet (`HeatColours`).
  /// - Parameters:
  ///   - items: positions in the dataset.
  ///   - weights: how they are computed; classes are balanced as `weights` says, objects against background.
  ///   - columns: items in a row; nil: as many as make the sheet about square.
  ///   - augmentation: what changes the items before, and the seed of its draws.
  /// - Returns: the sheet, uint8 [3, H′, W′], and the greatest weight on it.
  /// - Throws: ``DatasetError`` if the dataset has neither layer, or `items` is empty.
  public func weightSheet(
    _ items: [Int], weights: BorderWeights = BorderWeights(), columns: Int? = nil,
    augmentation: (pipeline: AugmentationPipeline, seed: UInt64)? = nil
  ) throws -> (sheet: Tensor, greatest: Double) {
    guard !items.isEmpty else { throw DatasetError(url, "has no item to show there") }
    var batch = AlignedBatch([
      "images": .image(images(at: items)), "objects": .labels(try objects(items)),
    ])
    if let (pipeline, seed) = augmentation {
      batch = pipeline(batch, seeds: items.indices.map { Seed.derive(seed, UInt64($0)) }).batch
    }
    let objects = batch["objects"]
    let maps = Tensor.stack((0..<items.count).map { weights(objects[$0]) })
    let greatest = maps.max().item()
    let rows = [
      LabelOverlay()(batch["images"], labels: objects), HeatColours.image(of: maps, range: 0...greatest),
    ]
    let square = Int((2 * Double(items.count)).squareRoot().rounded(.up))
    let sheet = ContactSheet(columns: columns ?? square, background: 32).image(ofRows: rows)
    return (sheet, greatest)
  }

  /// The objects of items, int64 [n, H, W].
  private func objects(_ items: [Int]) throws -> Tensor {
    if layerNames.contains("instances") {
      return Pixels.rows(items, of: try layer("instances")).to(.int64)
    }
    guard layerNames.contains("labels") else {
      throw DatasetError(
        url,
        "has neither instances nor labels, which border weights are made of; 'limn import --labels' adds them"
      )
    }
    let labels = Pixels.rows(items, of: try layer("labels"))
    return Tensor.stack((0..<items.count).map { ObjectExtraction.instances(in: labels[$0]).to(.int64) })
  }
}
