// The sheet of border weights against the weights themselves.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct WeightSheetTests {
  /// Two items of 6 by 5 pixels; the objects of the first touch.
  private func dataset(in folder: URL, layer: String, _ objects: Tensor) throws -> Dataset {
    let (pixels, url) = (randomPixels(2), folder.appendingPathComponent("set"))
    let companion = LayerDescriptor(name: layer, dtype: objects.dtype, itemShape: [6, 5])
    let writer = try DatasetWriter(description(pixels, companions: [companion]), to: url)
    try writer.append(items(2), images: pixels, companions: [layer: objects])
    _ = try writer.finish(provenance: provenance)
    return try Dataset.open(url)
  }

  private let touching: Tensor = {
    let map = Tensor.zeros([2, 6, 5], dtype: .int32)
    map[0].narrowed(dim: 0, start: 0, length: 2).fill(3)
    map[0].narrowed(dim: 0, start: 2, length: 3).fill(700)
    map[1].narrowed(dim: 0, start: 4, length: 1).fill(9)
    return map.to(.uint16)
  }()

  @Test func weightsStandBelowTheirImages() throws {
    try withTemporaryFolder { folder in
      let dataset = try dataset(in: folder, layer: "instances", touching)
      let weights = BorderWeights(balance: .none)
      let (sheet, greatest) = try dataset.weightSheet([0, 1], weights: weights)
      let maps = Tensor.stack((0..<2).map { weights(touching[$0]) })
      #expect(greatest == maps.max().item() && greatest > 10)
      let colours = HeatColours.image(of: maps, range: 0...greatest)
      // Two columns of 5 and two rows of 6 pixels, with 2 pixels between and around them.
      #expect(sheet.shape == [3, 18, 16])
      for item in 0..<2 {
        let tile = sheet.narrowed(dim: 1, start: 10, length: 6).narrowed(
          dim: 2, start: 2 + 7 * item, length: 5)
        #expect(tile.isIdentical(to: colours[item]))
      }
      let turned = try dataset.weightSheet(
        [0, 1], weights: weights, columns: 1,
        augmentation: (try AugmentationPipeline(parsing: "flip:vertical"), 1))
      #expect(turned.greatest == greatest && turned.sheet.shape == [3, 34, 9])
      let first = turned.sheet.narrowed(dim: 1, start: 10, length: 6).narrowed(dim: 2, start: 2, length: 5)
      #expect(first.isIdentical(to: colours[0].flipped([1])))
    }
  }

  @Test func withoutInstancesObjectsAreThePartsOfTheLabels() throws {
    try withTemporaryFolder { folder in
      let labels = Tensor.zeros([2, 6, 5], dtype: .uint8)
      labels[0].narrowed(dim: 0, start: 0, length: 2).fill(1)
      labels[0].narrowed(dim: 0, start: 4, length: 2).fill(1)
      let dataset = try dataset(in: folder, layer: "labels", labels)
      // Two parts of one class, two rows of background apart: d₁ + d₂ is 3 between them.
      let (_, greatest) = try dataset.weightSheet([0, 1], weights: BorderWeights(balance: .none))
      #expect(abs(greatest - (1 + 10 * exp(-9.0 / 50))) < 1e-5)
    }
  }

  @Test func withoutEitherTheLineSaysSo() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("bare")
      try write(randomPixels(1), to: url)
      let dataset = try Dataset.open(url)
      #expect(failure { _ = try dataset.weightSheet([0]) }?.contains("neither instances nor labels") == true)
      #expect(failure { _ = try dataset.weightSheet([]) } != nil)
    }
  }
}
