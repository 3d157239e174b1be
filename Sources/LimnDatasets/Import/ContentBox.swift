// Where the picture is in an image: the box around the largest thing brighter than the background.

import LimnImaging
import LimnTorch

/// Finds bodies and fields of view.
enum ContentBox {
  /// Small enough to look at every pixel, large enough for a box to the percent.
  private static let side = 256

  /// - Parameter image: float32 [C, H, W] in [0, 1].
  /// - Returns: the box, a pixel of the reduced image wider on each side; nil where nothing is bright.
  static func of(_ image: Tensor) -> CropBox? {
    let (height, width) = (image.shape[1], image.shape[2])
    let (rows, columns) = (min(side, height), min(side, width))
    let gray = image.amax(dims: [0], keepDim: true)
    let small = ImageResize.fit(gray, height: rows, width: columns, mode: .stretch)[0]
    let isBright = small.contiguous().array(of: Float.self).map { Double($0) > CutOptions.contentLevel }
    guard let found = largest(isBright, rows: rows, columns: columns) else { return nil }
    func span(_ first: Int, _ last: Int, _ count: Int, _ old: Int) -> (start: Int, length: Int) {
      let (from, to) = (max(0, first - 1) * old / count, (min(count, last + 2) * old + count - 1) / count)
      return (from, min(old, to) - from)
    }
    let vertical = span(found.top, found.bottom, rows, height)
    let horizontal = span(found.left, found.right, columns, width)
    return CropBox(
      top: vertical.start, left: horizontal.start, height: vertical.length, width: horizontal.length)
  }

  private typealias Extent = (count: Int, top: Int, bottom: Int, left: Int, right: Int)

  /// The extent of the largest group of neighbouring bright pixels.
  private static func largest(_ isBright: [Bool], rows: Int, columns: Int) -> Extent? {
    var isLeft = isBright
    var best: Extent?
    for start in isLeft.indices where isLeft[start] {
      let extent = fill(from: start, &isLeft, rows: rows, columns: columns)
      if extent.count > best?.count ?? 0 { best = extent }
    }
    return best
  }

  /// Takes one group out of what is left.
  private static func fill(from start: Int, _ isLeft: inout [Bool], rows: Int, columns: Int) -> Extent {
    var extent = (count: 0, top: rows, bottom: 0, left: columns, right: 0)
    var open = [start]
    isLeft[start] = false
    while let place = open.popLast() {
      let (row, column) = (place / columns, place % columns)
      extent = (
        extent.count + 1, min(extent.top, row), max(extent.bottom, row), min(extent.left, column),
        max(extent.right, column)
      )
      for (dy, dx) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
        let (y, x) = (row + dy, column + dx)
        guard y >= 0, y < rows, x >= 0, x < columns, isLeft[y * columns + x] else { continue }
        isLeft[y * columns + x] = false
        open.append(y * columns + x)
      }
    }
    return extent
  }
}
