// Whether slices lie at regular distances, and the affine of the volume that they make.

import Foundation
import LimnImaging

/// The regular grid that slices of one volume lie on.
struct SliceGrid {
  let positions: [Int]
  let affine: Affine?

  /// Places without a slice.
  var missing: Int { (positions.last ?? 0) + 1 - positions.count }

  private init(_ positions: [Int], _ affine: Affine?) { (self.positions, self.affine) = (positions, affine) }

  /// A single slice, as thick as its source said, or 1 mm.
  init(single item: DatasetItem) {
    var place = item.placed
    if place?.determinant == 0 { place?.setUnitStep() }
    self.init([0], place)
  }

  /// Nil where the slices lie on none: differently cropped, or placed at irregular distances.
  static func common(to items: [DatasetItem]) -> SliceGrid? {
    guard items.count > 1 else { return SliceGrid(single: items[0]) }
    let numbers = items.map { $0.slice ?? 0 }
    let step = zip(numbers, numbers.dropFirst()).reduce(0) { divisor($0, $1.1 - $1.0) }
    let positions = numbers.map { ($0 - numbers[0]) / step }
    // So few slices so far apart are no volume, and would be much memory for nothing.
    guard positions[positions.count - 1] < 64 * items.count else { return nil }
    let affines = items.compactMap(\.placed)
    guard let first = affines.first, let last = affines.last, affines.count == items.count else {
      // Without places nothing speaks against the order of the slices.
      let isAlike = affines.isEmpty && items.allSatisfy { $0.spacing == items[0].spacing }
      return isAlike ? SliceGrid(positions, nil) : nil
    }
    let rise = (last.column(3) - first.column(3)) / Double(positions[positions.count - 1])
    let grid = Affine(x: first.column(0), y: first.column(1), z: rise, origin: first.column(3))
    let isCommon = zip(positions, affines).allSatisfy { $1.isNear(grid.moved(Double($0))) }
    return isCommon ? SliceGrid(positions, grid) : nil
  }

  private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
}

extension DatasetItem {
  /// The affine, 4×4; nil where the source has no place.
  fileprivate var placed: Affine? {
    guard let affine, affine.count == 12, affine.allSatisfy(\.isFinite) else { return nil }
    return Affine(affine + [0, 0, 0, 1])
  }
}

extension Affine {
  /// The same plane, `steps` along the third axis further.
  func moved(_ steps: Double) -> Affine {
    Affine(x: column(0), y: column(1), z: column(2), origin: column(3) + column(2) * steps)
  }

  /// Whether rows, columns and origin are the same, up to 1 % of a pixel over the image's first thousand.
  fileprivate func isNear(_ other: Affine) -> Bool {
    let size = min(spacing.x, spacing.y)
    func differs(_ column: Int, by limit: Double) -> Bool {
      let difference = self.column(column) - other.column(column)
      return (difference * difference).sum().squareRoot() > limit
    }
    return !differs(0, by: 1e-5 * size) && !differs(1, by: 1e-5 * size) && !differs(3, by: 0.01 * size)
  }

  /// A third axis of 1 mm across the plane.
  fileprivate mutating func setUnitStep() {
    let (x, y) = (column(0), column(1))
    let normal = SIMD3(x.y * y.z - x.z * y.y, x.z * y.x - x.x * y.z, x.x * y.y - x.y * y.x)
    let length = (normal * normal).sum().squareRoot()
    self = Affine(x: x, y: y, z: length > 0 ? normal / length : [0, 0, 1], origin: column(3))
  }
}
