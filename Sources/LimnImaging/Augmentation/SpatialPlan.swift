// One image's spatial transforms as few maps as they can be: neighbours that are affine become one matrix.

/// How the places of a result lead to places of the source: affine maps with deformations between them.
struct SpatialPlan: Sendable {
  /// A deformation on the canvas where it happened.
  struct Deformation: Sendable {
    var transform: DrawnTransform
    var kind: DeformationKind
    var canvas: Canvas
  }

  /// The source's size.
  let source: Canvas
  /// The result's size.
  private(set) var result: Canvas
  /// One more than there are deformations, in the order of the transforms: `maps[k]` leads from the canvas of
  /// deformation k (or from the result) to that of deformation k − 1 (or to the source).
  private(set) var maps: [PlaneMap] = [.identity]
  /// In the order of the transforms.
  private(set) var deformations: [Deformation] = []

  /// Gathers what is spatial among `transforms`, in their order.
  init(_ transforms: [DrawnTransform], source: Canvas) {
    self.source = source
    result = source
    for transform in transforms {
      if let (map, canvas) = transform.sourceMap(on: result) {
        maps[maps.count - 1] = maps[maps.count - 1].after(map)
        result = canvas
      } else if let kind = transform.deformationKind {
        deformations.append(Deformation(transform: transform, kind: kind, canvas: result))
        maps.append(.identity)
      }
    }
  }

  /// The canvas that `maps[index]` leads to.
  func canvas(before index: Int) -> Canvas { index == 0 ? source : deformations[index - 1].canvas }

  /// The canvas that `maps[index]` leads from.
  func canvas(after index: Int) -> Canvas {
    index == deformations.count ? result : deformations[index].canvas
  }

  /// Equal for plans that can be computed together.
  var key: Key {
    let pixels = deformations.isEmpty ? PixelMap(maps[0], from: result, to: source) : nil
    let shapes = deformations.map { Key.Shape(kind: $0.kind, canvas: $0.canvas) }
    return Key(pixels: pixels, shapes: shapes, result: result)
  }

  /// What plans must share to be computed together.
  struct Key: Hashable {
    struct Shape: Hashable {
      var kind: DeformationKind
      var canvas: Canvas
    }

    var pixels: PixelMap?
    var shapes: [Shape]
    var result: Canvas
  }
}

/// A map that takes pixels to pixels: a turn or a flip, and a shift by whole pixels. Nothing is interpolated.
struct PixelMap: Hashable {
  /// Consecutive places along one axis of the source, possibly beyond its border.
  struct Line: Hashable {
    var first: Int
    /// 1 or −1.
    var step: Int
    var count: Int

    var places: [Int] { (0..<count).map { first + step * $0 } }
    var lowest: Int { min(first, first + step * (count - 1)) }

    func isInside(_ extent: Int) -> Bool { lowest >= 0 && lowest + count <= extent }
  }

  /// Which of the source are taken.
  let rows: Line
  let columns: Line
  /// Whether the source's columns become the result's rows, after `rows` and `columns` are taken.
  let isTransposed: Bool

  /// Nil where the map is another.
  init?(_ map: PlaneMap, from result: Canvas, to source: Canvas) {
    isTransposed = abs(map.xx) < 0.5
    let others = isTransposed ? [map.xx, map.yy] : [map.xy, map.yx]
    guard others.allSatisfy({ abs($0) < 1e-12 }) else { return nil }
    let across = (slope: isTransposed ? map.yx : map.xx, count: result.width, centre: result.centre.x)
    let down = (slope: isTransposed ? map.xy : map.yy, count: result.height, centre: result.centre.y)
    let (toRows, toColumns) = isTransposed ? (across, down) : (down, across)
    guard let rows = Self.places(toRows, around: source.centre.y + map.y0),
      let columns = Self.places(toColumns, around: source.centre.x + map.x0)
    else { return nil }
    (self.rows, self.columns) = (rows, columns)
  }

  /// The source's places along one axis, nil where they are no pixels.
  private static func places(
    _ axis: (slope: Double, count: Int, centre: Double), around middle: Double
  ) -> Line? {
    let first = middle - axis.slope * axis.centre
    guard abs(abs(axis.slope) - 1) < 1e-12, abs(first - first.rounded()) < 1e-9, abs(first) < 1e9
    else { return nil }
    return Line(first: Int(first.rounded()), step: Int(axis.slope.rounded()), count: axis.count)
  }

  /// Whether the result is the source.
  func isIdentity(on source: Canvas) -> Bool {
    !isTransposed && rows == Line(first: 0, step: 1, count: source.height)
      && columns == Line(first: 0, step: 1, count: source.width)
  }
}
