// Connected regions of a label map: where they are, what they cover.

import LimnTorch

/// Pixels of one value that hang together, corners included (8-connected).
public struct LabelRegion: Sendable, Equatable {
  /// The value in the label map, above 0.
  public let value: Int
  /// The column of the region's leftmost pixels.
  public let left: Int
  /// The row of the region's topmost pixels.
  public let top: Int
  /// Columns from the leftmost to the rightmost pixel.
  public let width: Int
  /// Rows from the topmost to the bottommost pixel.
  public let height: Int
  /// Which pixels of the box belong to the region, row by row.
  public let mask: [Bool]

  /// Pixels in the region.
  public var area: Int { mask.count { $0 } }

  /// Finds the regions of all values above 0.
  /// - Parameter labels: [H, W], integers.
  /// - Returns: the regions in the order of their first pixels, row by row.
  public static func all(in labels: Tensor) -> [LabelRegion] {
    precondition(labels.rank == 2, "a label map is [H, W], shape \(labels.shape) was given")
    var search = RegionSearch(labels.to(.int32).array(of: Int32.self), width: labels.shape[1])
    return search.regions()
  }

  init(value: Int, pixels: [Int], imageWidth: Int) {
    let (rows, columns) = (pixels.map { $0 / imageWidth }, pixels.map { $0 % imageWidth })
    let (top, bottom) = (rows.min() ?? 0, rows.max() ?? 0)
    let (left, right) = (columns.min() ?? 0, columns.max() ?? 0)
    let width = right - left + 1
    var mask = [Bool](repeating: false, count: width * (bottom - top + 1))
    for (row, column) in zip(rows, columns) { mask[(row - top) * width + column - left] = true }
    (self.value, self.left, self.top, self.width) = (value, left, top, width)
    (height, self.mask) = (bottom - top + 1, mask)
  }

  /// Places of the region's pixels in the image, counted row by row.
  public func places(imageWidth: Int) -> [Int] {
    mask.indices.filter { mask[$0] }.map { (top + $0 / width) * imageWidth + left + $0 % width }
  }
}

/// A flood that spreads over pixels of equal value.
private struct RegionSearch {
  private let values: [Int32]
  private let width: Int
  private let height: Int
  private var isTaken: [Bool]

  init(_ values: [Int32], width: Int) {
    (self.values, self.width) = (values, width)
    height = width == 0 ? 0 : values.count / width
    isTaken = values.map { $0 <= 0 }
  }

  mutating func regions() -> [LabelRegion] {
    var found: [LabelRegion] = []
    for start in values.indices where !isTaken[start] {
      found.append(LabelRegion(value: Int(values[start]), pixels: flood(from: start), imageWidth: width))
    }
    return found
  }

  private mutating func flood(from start: Int) -> [Int] {
    var pixels = [start]
    isTaken[start] = true
    var next = 0
    while next < pixels.count {
      spread(from: pixels[next], into: &pixels)
      next += 1
    }
    return pixels
  }

  private mutating func spread(from pixel: Int, into pixels: inout [Int]) {
    let (row, column) = (pixel / width, pixel % width)
    for y in max(0, row - 1)...min(height - 1, row + 1) {
      for x in max(0, column - 1)...min(width - 1, column + 1) {
        let other = y * width + x
        guard !isTaken[other], values[other] == values[pixel] else { continue }
        isTaken[other] = true
        pixels.append(other)
      }
    }
  }
}
