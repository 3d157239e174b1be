// Tiles for training: somewhere in the image, with the image mirrored beyond its border.

import LimnTorch

/// Cuts one tile out of every image of a batch.
struct TileCutter {
  /// Of the network's input.
  let side: Int
  /// What the network's output lacks on every side.
  let margin: Int

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
  ///   - generator: draws the places.
  /// - Returns: the tiles.
  func cut(_ images: Tensor, _ classes: Tensor, _ weights: Tensor, _ generator: Generator) -> Tiles {
    let places = (0..<images.size(0)).map { _ in
      (row: place(in: images.size(2), generator), column: place(in: images.size(3), generator))
    }
    func cut(_ x: Tensor, _ margin: Int, _ part: (Tensor, Range<Int>, Range<Int>) -> Tensor) -> Tensor {
      .stack(
        places.enumerated().map { item, place in
          let output = side - 2 * self.margin
          return part(
            x[item], place.row - margin..<place.row + output + margin,
            place.column - margin..<place.column + output + margin)
        })
    }
    return Tiles(
      images: cut(images, margin) { $0.mirrored(rows: $1, columns: $2) },
      classes: cut(classes, 0) { $0.padded(rows: $1, columns: $2) },
      weights: cut(weights[.all, 0], 0) { $0.padded(rows: $1, columns: $2) })
  }

  /// Where the output begins along an axis; an image smaller than the output lies in its middle.
  private func place(in count: Int, _ generator: Generator) -> Int {
    let room = count - (side - 2 * margin)
    guard room > 0 else { return -((-room) / 2) }
    return Int(Tensor.randint(0, room + 1, [1], generator: generator).item())
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
