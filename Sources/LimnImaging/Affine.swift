// The map from voxel indices to millimetres, as NIfTI and nibabel define it.

import Foundation

/// A 4×4 affine from voxel indices (x, y, z) to millimetres in RAS+ (x to the patient's right, y to the
/// front, z to the head).
public struct Affine: Sendable, Equatable, Codable {
  /// The 16 elements, row by row; the last row is 0 0 0 1.
  public var elements: [Double]

  /// Creates an affine from 16 row-major elements.
  public init(_ elements: [Double]) {
    precondition(elements.count == 16, "an affine has 16 elements, \(elements.count) were given")
    self.elements = elements
  }

  /// Creates an affine from its columns: the millimetres of one step along x, y and z, and voxel (0, 0, 0).
  public init(x: SIMD3<Double>, y: SIMD3<Double>, z: SIMD3<Double>, origin: SIMD3<Double>) {
    elements = (0..<3).flatMap { [x[$0], y[$0], z[$0], origin[$0]] } + [0, 0, 0, 1]
  }

  /// Voxels are millimetres.
  public static let identity = Affine(x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1], origin: .zero)

  /// What a picture without geometry is taken for: an axial slice as it is displayed, x to the patient's
  /// left, y to the back.
  public static func picture(spacing: SIMD3<Double> = [1, 1, 1]) -> Affine {
    Affine(x: [-spacing.x, 0, 0], y: [0, -spacing.y, 0], z: [0, 0, spacing.z], origin: .zero)
  }

  /// The element in `row` and `column`, both from 0.
  public subscript(row: Int, column: Int) -> Double {
    get { elements[4 * row + column] }
    set { elements[4 * row + column] = newValue }
  }

  /// The first three elements of a column: a step along a voxel axis, or the origin (column 3).
  public func column(_ index: Int) -> SIMD3<Double> { [self[0, index], self[1, index], self[2, index]] }

  /// Where voxel (x, y, z) lies, in millimetres.
  public func callAsFunction(_ voxel: SIMD3<Double>) -> SIMD3<Double> {
    column(0) * voxel.x + column(1) * voxel.y + column(2) * voxel.z + column(3)
  }

  /// The lengths of one step along x, y and z in millimetres.
  public var spacing: SIMD3<Double> { [length(column(0)), length(column(1)), length(column(2))] }

  /// The signed volume of a voxel; 0 where the axes do not span space.
  public var determinant: Double { dot(column(0), cross(column(1), column(2))) }

  /// `first` after `second`: voxel → second → first.
  public static func * (first: Affine, second: Affine) -> Affine {
    var product = Affine.identity
    for row in 0..<4 {
      for column in 0..<4 {
        product[row, column] = (0..<4).reduce(0) { $0 + first[row, $1] * second[$1, column] }
      }
    }
    return product
  }

  /// Millimetres to voxels; nil where the axes do not span space.
  public var inverse: Affine? {
    guard determinant != 0, determinant.isFinite else { return nil }
    let (a, b, c) = (column(0), column(1), column(2))
    let rows = [cross(b, c), cross(c, a), cross(a, b)].map { $0 / determinant }
    let origin = SIMD3(rows.map { -dot($0, column(3)) })
    return Affine(rows.enumerated().flatMap { [$1.x, $1.y, $1.z, origin[$0]] } + [0, 0, 0, 1])
  }
}

func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }

func length(_ a: SIMD3<Double>) -> Double { dot(a, a).squareRoot() }

func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
}

extension Affine {
  /// Whether both place every voxel of a volume [Z, Y, X] within a part of a voxel, a tenth of it by default.
  public func placesAlike(_ other: Affine, size: [Int], within part: Double = 0.1) -> Bool {
    let ends = [Double(size[2] - 1), Double(size[1] - 1), Double(size[0] - 1)]
    let least = max(spacing.min(), .leastNormalMagnitude)
    return (0..<8).allSatisfy { corner in
      let voxel = SIMD3((0..<3).map { corner >> $0 & 1 == 1 ? ends[$0] : 0 })
      let difference = self(voxel) - other(voxel)
      return (difference * difference).sum().squareRoot() <= part * least
    }
  }
}
