// Windows for training: around pixels drawn at random, with the image mirrored beyond its border.

import LimnTorch
import LimnTraining

/// Draws pixels of a batch of images, and cuts the windows around them.
struct PatchSampler {
  /// Side of a window, odd.
  let window: Int
  /// Pixels of a draw.
  let count: Int
  /// Whether each class that occurs has the same chance, however rare.
  let isBalanced: Bool

  /// - Parameters:
  ///   - images: [N, C, H, W].
  ///   - classes: int64 [N, H, W].
  ///   - weights: float32 [N, 1, H, W], 0 where a pixel does not count.
  ///   - classCount: classes, the background included.
  ///   - generator: draws the pixels.
  /// - Returns: windows [count, C, window, window] and their classes, int64 [count]; nil where no pixel counts.
  func draw(
    _ images: Tensor, _ classes: Tensor, _ weights: Tensor, classCount: Int, _ generator: Generator
  ) -> (windows: Tensor, classes: Tensor)? {
    let places = places(classes.flattened(), weights.flattened(), classCount, generator)
    guard !places.isEmpty else { return nil }
    let (height, width) = (images.size(2), images.size(3))
    let reach = window / 2
    let windows = places.map { place in
      let (row, column) = (place % (height * width) / width, place % width)
      return images[place / (height * width)]
        .mirrored(rows: row - reach..<row + reach + 1, columns: column - reach..<column + reach + 1)
    }
    return (.stack(windows), classes.flattened().indexSelect(dim: 0, Tensor(places).to(classes.device)))
  }

  /// Positions in the batch of images, all pixels counted on.
  private func places(
    _ classes: Tensor, _ weights: Tensor, _ classCount: Int, _ generator: Generator
  ) -> [Int] {
    let counts = weights.isGreater(than: 0)
    let pools =
      isBalanced
      ? (0..<classCount).map { classes.isEqual(to: Double($0)).logicalAnd(counts).nonzero().flattened() }
      : [counts.nonzero().flattened()]
    let filled = pools.filter { $0.size(0) > 0 }
    return filled.enumerated().flatMap { number, pool in
      let share = count * (number + 1) / filled.count - count * number / filled.count
      let chosen = Tensor.randint(0, pool.size(0), [share], generator: generator)
      return pool.indexSelect(dim: 0, chosen).array(of: Int64.self).map(Int.init)
    }
  }
}
