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

  /// Items of a layer on one sheet, uint8 [C, H′, W′]. Label maps are spread from black to white.
  /// - Throws: ``DatasetError`` if the dataset has no such layer, or `items` is empty.
  public func sheet(_ items: [Int], layer name: String = "images", columns: Int? = nil) throws -> Tensor {
    guard !items.isEmpty else { throw DatasetError(url, "has no item to show there") }
    let rows = Pixels.rows(items, of: try layer(name))
    let isLabels = rows.rank == 3
    let shown = isLabels ? Self.spread(rows.unsqueezed(1)) : rows.normalizedPixels()
    return ContactSheet(columns: columns, background: 32).image(of: shown)
  }

  /// Labels 0 to the greatest as −1 to 1.
  private static func spread(_ labels: Tensor) -> Tensor {
    let values = labels.to(.float32)
    return values * (2 / max(1, values.max().item())) - 1
  }
}
