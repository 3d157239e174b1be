// Grey morphology with flat structuring elements; what lies outside the image has no say.

import Foundation
import LimnTorch

/// A flat, symmetric neighbourhood of odd width, centred.
public struct StructuringElement: Sendable, Equatable {
  /// Rows of flags, `size` by `size`.
  public let mask: [[Bool]]

  /// A plus sign of `size` (odd) pixels.
  public static func cross(_ size: Int) -> StructuringElement {
    StructuringElement(size) { $0 == 0 || $1 == 0 }
  }

  /// A full square of `size` (odd) pixels.
  public static func square(_ size: Int) -> StructuringElement {
    StructuringElement(size) { _, _ in true }
  }

  /// An ellipse inscribed in `size` (odd) pixels, rows as long as OpenCV's; at 3 it is the cross.
  public static func ellipse(_ size: Int) -> StructuringElement {
    let radius = Double(size / 2)
    return StructuringElement(size) { dy, dx in
      let halfWidth = (radius * radius - Double(dy * dy)).squareRoot().rounded(.toNearestOrEven)
      return Double(abs(dx)) <= halfWidth
    }
  }

  private init(_ size: Int, contains: (Int, Int) -> Bool) {
    precondition(size > 0 && size % 2 == 1, "a structuring element has an odd size, \(size) was given")
    let reach = -(size / 2)...(size / 2)
    mask = reach.map { dy in reach.map { dx in contains(dy, dx) } }
  }

  /// Half the width, without the centre.
  var radius: Int { mask.count / 2 }

  /// The rows and columns of the flags that are set.
  var positions: [(row: Int, column: Int)] {
    mask.indices.flatMap { row in mask[row].indices.filter { mask[row][$0] }.map { (row, $0) } }
  }
}

extension Filters {
  /// The least value under the element. x: [N, C, H, W], float.
  public static func greyErosion(_ x: Tensor, element: StructuringElement) -> Tensor {
    extreme(x, element, outside: .infinity, minimum)
  }

  /// The greatest value under the element. x: [N, C, H, W], float.
  public static func greyDilation(_ x: Tensor, element: StructuringElement) -> Tensor {
    extreme(x, element, outside: -.infinity, maximum)
  }

  /// Erosion, then dilation: bright details smaller than the element go.
  public static func greyOpening(_ x: Tensor, element: StructuringElement) -> Tensor {
    greyDilation(greyErosion(x, element: element), element: element)
  }

  /// Dilation, then erosion: dark details smaller than the element go.
  public static func greyClosing(_ x: Tensor, element: StructuringElement) -> Tensor {
    greyErosion(greyDilation(x, element: element), element: element)
  }

  private static func extreme(
    _ x: Tensor, _ element: StructuringElement, outside: Double, _ combine: (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    let radius = element.radius
    let padded = pad(x, [radius, radius, radius, radius], mode: .constant(outside))
    let shifted = element.positions.map { position in
      padded.narrowed(dim: 2, start: position.row, length: x.shape[2])
        .narrowed(dim: 3, start: position.column, length: x.shape[3])
    }
    return shifted.dropFirst().reduce(shifted[0], combine)
  }
}
