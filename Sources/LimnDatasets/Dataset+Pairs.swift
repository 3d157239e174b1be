// A look at the pairs of a dataset: whether what should lie over one another does.

import LimnImaging
import LimnTorch

extension Dataset {
  /// Items, below each its target, and below that a checkerboard of the two, on which edges run on from field to
  /// field where they are aligned.
  /// - Parameters:
  ///   - items: positions in the dataset.
  ///   - columns: items in a row; nil: as many as make the sheet about square.
  ///   - augmentation: what changes the items before, and the seed of its draws.
  /// - Returns: uint8 [C, H′, W′].
  /// - Throws: ``DatasetError`` if the dataset has no layer `targets`, or `items` is empty.
  public func pairSheet(
    _ items: [Int], columns: Int? = nil, augmentation: (pipeline: AugmentationPipeline, seed: UInt64)? = nil
  ) throws -> Tensor {
    guard !items.isEmpty else { throw DatasetError(url, "has no item to show there") }
    guard layerNames.contains("targets") else {
      throw DatasetError(url, "has no pairs (no layer 'targets'); 'limn import --pair' makes them")
    }
    let targets = Pixels.rows(items, of: try layer("targets")).normalizedPixels()
    var batch = AlignedBatch([
      "images": .image(images(at: items)), "targets": .map(targets, outside: -1),
    ])
    if let (pipeline, seed) = augmentation {
      batch = pipeline(batch, seeds: items.indices.map { Seed.derive(seed, UInt64($0)) }).batch
    }
    let rows = [batch["images"], batch["targets"], Checkerboard.image(batch["images"], batch["targets"])]
    let square = Int((3 * Double(items.count)).squareRoot().rounded(.up))
    return ContactSheet(columns: columns ?? square, background: 32).image(ofRows: rows)
  }
}
