// Tiles for training: the middle of a window of the image, with the image mirrored where the window is smaller.

import LimnTorch
import LimnTraining

/// Makes a tile of every window of a batch.
struct TileCutter {
  /// What the network sees; its output lacks the margin on every side.
  let window: TrainingWindow

  /// Tiles with their targets.
  struct Tiles {
    /// [N, C, side, side].
    let images: Tensor
    /// Class numbers of the output's pixels, int64 [N, side − 2·margin, …].
    let classes: Tensor
    /// float32, the same shape; 0 beyond the image.
    let weights: Tensor

    /// The tiles of some items.
    subscript(items: Range<Int>) -> Tiles {
      Tiles(images: images[items], classes: classes[items], weights: weights[items])
    }
  }

  /// - Parameters:
  ///   - images: [N, C, H, W].
  ///   - classes: int64 [N, H, W].
  ///   - weights: float32 [N, 1, H, W].
  /// - Returns: the tiles.
  func cut(_ images: Tensor, _ classes: Tensor, _ weights: Tensor) -> Tiles {
    let (margin, output) = (window.margin, window.side - 2 * window.margin)
    let (row, column) = (first(output, of: images.size(2)), first(output, of: images.size(3)))
    let (rows, columns) = (row..<row + output, column..<column + output)
    return Tiles(
      images: images.mirrored(
        rows: row - margin..<rows.upperBound + margin, columns: column - margin..<columns.upperBound + margin),
      classes: classes.padded(rows: rows, columns: columns),
      weights: weights[.all, 0].padded(rows: rows, columns: columns))
  }

  /// Where the output begins along an axis: in the middle, before the first pixel where there are fewer.
  private func first(_ output: Int, of count: Int) -> Int {
    count >= output ? (count - output) / 2 : -((output - count) / 2)
  }
}

extension Tensor {
  /// A window of the last two axes that may lie beyond them, where everything is 0.
  fileprivate func padded(rows: Range<Int>, columns: Range<Int>) -> Tensor {
    func missing(_ pixels: Int) -> Int { pixels > 0 ? pixels : 0 }
    let amounts = [
      missing(-columns.lowerBound), missing(columns.upperBound - size(-1)), missing(-rows.lowerBound),
      missing(rows.upperBound - size(-2)),
    ]
    let wide = amounts.contains { $0 > 0 } ? pad(self, amounts) : self
    return wide.narrowed(dim: -2, start: rows.lowerBound + amounts[2], length: rows.count)
      .narrowed(dim: -1, start: columns.lowerBound + amounts[0], length: columns.count)
  }
}
