// Images continued beyond their borders by their mirror images, as far as one likes.

import LimnImaging
import LimnTorch

extension Tensor {
  /// A window of the last two axes that may lie beyond them, where the image is mirrored without repeating its
  /// edge, again and again (U-Net's figure 2).
  package func mirrored(rows: Range<Int>, columns: Range<Int>) -> Tensor {
    mirrored(dim: -2, rows).mirrored(dim: -1, columns)
  }

  private func mirrored(dim: Int, _ range: Range<Int>) -> Tensor {
    let count = size(dim)
    let inside = range.lowerBound >= 0 && range.upperBound <= count
    guard !inside else { return narrowed(dim: dim, start: range.lowerBound, length: range.count) }
    let places = range.map { MirroredAxis.place($0, of: count) }
    return indexSelect(dim: dim < 0 ? rank + dim : dim, Tensor(places).to(device))
  }
}
