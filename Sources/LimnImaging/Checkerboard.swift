// Two images in one, field by field: where they align, edges run on from field to field.

import LimnTorch

/// Shows how two images lie over one another.
public enum Checkerboard {
  /// Fields of one image and of the other in turn, eight to the shorter side.
  /// - Parameters:
  ///   - a: [..., H, W]; it has the field at the top left.
  ///   - b: the same shape and type.
  /// - Returns: the same shape.
  public static func image(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (height, width) = (a.size(-2), a.size(-1))
    let field = max(1, min(height, width) / 8)
    let isSecond = (0..<height).flatMap { row in (0..<width).map { (row / field + $0 / field) % 2 == 1 } }
    return Tensor.where(Tensor(isSecond, shape: [height, width]), b, a)
  }
}
