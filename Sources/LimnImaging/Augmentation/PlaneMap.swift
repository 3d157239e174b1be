// Affine maps of the image plane, from a place in the result to the place in the source that it shows.

import Foundation

/// Rows and columns of an image.
struct Canvas: Hashable, Sendable {
  var height: Int
  var width: Int

  /// Lengths that a side may have: beyond them, what was asked for is a slip.
  static let sides = 1...65536

  /// The centre, in pixels from the first pixel's.
  var centre: (x: Double, y: Double) { (Double(width - 1) / 2, Double(height - 1) / 2) }

  /// Pixels from the centre to the outermost pixel's centre: 1 in libtorch's units with aligned corners. One
  /// pixel alone has no such unit; any serves.
  var unit: (x: Double, y: Double) { (max(centre.x, 0.5), max(centre.y, 0.5)) }
}

/// (x, y) ↦ (xx·x + xy·y + x₀, yx·x + yy·y + y₀), in pixels from the centres of two canvases.
struct PlaneMap: Hashable, Sendable {
  var xx = 1.0
  var xy = 0.0
  var x0 = 0.0
  var yx = 0.0
  var yy = 1.0
  var y0 = 0.0

  static let identity = PlaneMap()

  static func linear(_ xx: Double, _ xy: Double, _ yx: Double, _ yy: Double) -> PlaneMap {
    PlaneMap(xx: xx, xy: xy, yx: yx, yy: yy)
  }

  func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (xx * x + xy * y + x0, yx * x + yy * y + y0)
  }

  /// This map of what `first` gives.
  func after(_ first: PlaneMap) -> PlaneMap {
    let (x, y) = self(first.x0, first.y0)
    return PlaneMap(
      xx: xx * first.xx + xy * first.yx, xy: xx * first.xy + xy * first.yy, x0: x,
      yx: yx * first.xx + yy * first.yx, yy: yx * first.xy + yy * first.yy, y0: y)
  }

  /// The six numbers, row by row, for places in libtorch's units of both canvases.
  func normalized(from result: Canvas, to source: Canvas) -> [Double] {
    let (rx, ry) = result.unit
    let (sx, sy) = source.unit
    return [xx * rx / sx, xy * ry / sx, x0 / sx, yx * rx / sy, yy * ry / sy, y0 / sy]
  }
}

extension DrawnTransform {
  /// Where a place of the result lies before the transform, and the result's canvas; nil for what is no
  /// affine map.
  func sourceMap(on canvas: Canvas) -> (map: PlaneMap, canvas: Canvas)? {
    switch self {
    case .flip(.horizontal): (.linear(-1, 0, 0, 1), canvas)
    case .flip(.vertical): (.linear(1, 0, 0, -1), canvas)
    case .quarterTurns(let count): (quarterTurnBack(count), canvas)
    case .rotation(let degrees): (turnBack(degrees * .pi / 180), canvas)
    case .scale(let factor): (.linear(1 / factor, 0, 0, 1 / factor), canvas)
    case .shift(let x, let y): (PlaneMap(x0: -x, y0: -y), canvas)
    case .shear(let degrees): (.linear(1, -tan(degrees * .pi / 180), 0, 1), canvas)
    case .window(let top, let left, let height, let width):
      windowMap(top, left, Canvas(height: height, width: width), of: canvas)
    default: nil
    }
  }
}

/// The inverse of a counter-clockwise turn where y grows downwards.
private func turnBack(_ angle: Double) -> PlaneMap {
  .linear(cos(angle), -sin(angle), sin(angle), cos(angle))
}

/// As `turnBack`, exactly.
private func quarterTurnBack(_ count: Int) -> PlaneMap {
  let (cosine, sine) = [(1.0, 0.0), (0, 1), (-1, 0), (0, -1)][((count % 4) + 4) % 4]
  return .linear(cosine, -sine, sine, cosine)
}

private func windowMap(_ top: Int, _ left: Int, _ part: Canvas, of whole: Canvas) -> (PlaneMap, Canvas) {
  let x = Double(left) + part.centre.x - whole.centre.x
  let y = Double(top) + part.centre.y - whole.centre.y
  return (PlaneMap(x0: x, y0: y), part)
}
