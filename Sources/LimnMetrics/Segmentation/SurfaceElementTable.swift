// Lengths and areas of the surface inside a cell of 2×2 or 2×2×2 elements: marching squares and marching cubes
// (Lorensen and Cline 1987) with vertices at the middles of edges, derived from the geometry of the cell.

import Foundation

/// The surface's measure for each pattern of a cell's corners.
///
/// A pattern's bit `2^a·…` is set where a corner lies inside: corner (i, j, k) has bit 4 i + 2 j + k, in 2-D
/// (i, j) has bit 2 i + j.
///
/// Where a face's corners alternate, the fewer of the cube's corners are kept apart: those inside for up to
/// four, those outside for more. A polygon that is not flat is cut into the triangles of the greatest total
/// area at unit spacing. Both choices are those that DeepMind's surface-distance agrees with.
enum SurfaceElementTable {
  /// Lengths in the unit of `spacing` for the 16 patterns of [2, 2] corners.
  static func lengths(spacing: [Double]) -> [Double] {
    let slanted = hypot(spacing[0], spacing[1]) / 2
    return (0..<16).map { pattern in
      switch pattern {
      case 0b0000, 0b1111: 0
      case 0b0011, 0b1100: spacing[1]
      case 0b0101, 0b1010: spacing[0]
      case 0b0110, 0b1001: 2 * slanted
      default: slanted
      }
    }
  }

  /// Areas in the square of the unit of `spacing` for the 256 patterns of [2, 2, 2] corners.
  static func areas(spacing: [Double]) -> [Double] {
    let scale = SIMD3(spacing[0], spacing[1], spacing[2])
    return triangles.map { $0.reduce(0) { $0 + $1.area(scale) } }
  }

  private static let triangles = (0..<256).map { pattern in
    CubePattern(bits: pattern).polygons().flatMap(widestTriangulation)
  }

  /// The triangulation of the greatest area at unit spacing.
  private static func widestTriangulation(_ polygon: [SIMD3<Double>]) -> [Triangle] {
    func area(_ triangles: [Triangle]) -> Double { triangles.reduce(0) { $0 + $1.area(.one) } }
    return triangulations(polygon[...]).max { area($0) < area($1) } ?? []
  }

  /// All ways to cut a polygon into triangles: one triangle has the first and the last vertex.
  private static func triangulations(_ polygon: ArraySlice<SIMD3<Double>>) -> [[Triangle]] {
    guard polygon.count > 2 else { return [[]] }
    return polygon.indices.dropFirst().dropLast().flatMap { middle in
      let triangle = Triangle(
        a: polygon[polygon.startIndex], b: polygon[middle], c: polygon[polygon.endIndex - 1])
      let (before, after) = (triangulations(polygon[...middle]), triangulations(polygon[middle...]))
      return before.flatMap { first in after.map { first + $0 + [triangle] } }
    }
  }
}

private struct Triangle {
  let a, b, c: SIMD3<Double>

  func area(_ scale: SIMD3<Double>) -> Double {
    let (u, v) = ((b - a) * scale, (c - a) * scale)
    let normal = SIMD3(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
    return (normal * normal).sum().squareRoot() / 2
  }
}

/// Which corners of a cube lie inside, and the polygons that part them from those outside.
private struct CubePattern {
  let bits: Int

  private func isInside(_ corner: Int) -> Bool { bits >> corner & 1 == 1 }

  /// The six faces, corners in cyclic order.
  private static let faces: [[Int]] = (0..<3).flatMap { axis in
    let (normal, u, v) = (1 << axis, 1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3))
    return [0, normal].map { side in [0, u, u + v, v].map { side + $0 } }
  }

  /// The polygons between inside and outside, vertices at the middles of the cube's edges.
  func polygons() -> [[SIMD3<Double>]] {
    var neighbours: [Set<Int>: [Set<Int>]] = [:]
    for (a, b) in segments() {
      neighbours[a, default: []].append(b)
      neighbours[b, default: []].append(a)
    }
    var polygons: [[SIMD3<Double>]] = []
    while var edge = neighbours.keys.min(by: { $0.sorted().lexicographicallyPrecedes($1.sorted()) }) {
      var polygon: [SIMD3<Double>] = []
      while let next = neighbours.removeValue(forKey: edge) {
        polygon.append(middle(edge))
        guard let following = next.first(where: { neighbours[$0] != nil }) else { break }
        edge = following
      }
      polygons.append(polygon)
    }
    return polygons
  }

  /// The lines on the faces, each from edge to edge; an edge is its two corners.
  private func segments() -> [(Set<Int>, Set<Int>)] {
    let keepsInsideApart = bits.nonzeroBitCount <= 4
    return Self.faces.flatMap { face -> [(Set<Int>, Set<Int>)] in
      let edges = (0..<4).map { Set([face[$0], face[($0 + 1) % 4]]) }
      let crossed = (0..<4).filter { isInside(face[$0]) != isInside(face[($0 + 1) % 4]) }
      switch crossed.count {
      case 2: return [(edges[crossed[0]], edges[crossed[1]])]
      case 4:
        let apart = (0..<4).filter { isInside(face[$0]) == keepsInsideApart }
        return apart.map { (edges[($0 + 3) % 4], edges[$0]) }
      default: return []
      }
    }
  }

  /// Corner bit 4 i + 2 j + k stands at (i, j, k).
  private func middle(_ edge: Set<Int>) -> SIMD3<Double> {
    edge.reduce(.zero) { $0 + SIMD3(Double($1 >> 2 & 1), Double($1 >> 1 & 1), Double($1 & 1)) } / 2
  }
}
