// Distances between surfaces weighted by the surfaces' elements: HD95, average distance and surface Dice as
// Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
// radiotherapy" (arXiv 1809.04430), and DeepMind's surface-distance define them.

import Foundation
import LimnImaging
import LimnTorch

/// The surface elements of two masks with the distance of each to the other surface.
///
/// Surfaces run between elements, through cells of 2×2 or 2×2×2 of them, and round the image's edge too; an
/// element's distance is that of its cell to the nearest cell with an element of the other surface.
public struct SurfaceDistances: Sendable {
  /// One surface's elements, nearest to the other surface first.
  public struct Side: Sendable, Equatable {
    /// In the unit of the spacing; infinite where there is no other surface.
    public let distances: [Double]
    /// Lengths (2-D) or areas (3-D) in the same order.
    public let areas: [Double]
  }

  /// From the truth's surface to the prediction's.
  public let truth: Side
  /// From the prediction's surface to the truth's.
  public let prediction: Side

  /// Measures two masks.
  /// - Parameters:
  ///   - truth: [H, W] or [D, H, W], not zero inside.
  ///   - prediction: the same shape.
  ///   - spacing: the distance of neighbours along each axis in the order of the axes, such as millimetres;
  ///     nil: 1 everywhere.
  /// - Throws: ``MetricError`` where shapes or the spacing do not fit.
  public init(truth: Tensor, prediction: Tensor, spacing: [Double]? = nil) throws {
    let spacing = try checkedSpacing(spacing, rank: truth.rank)
    guard let (a, b) = try MaskGrid.cropped(truth, prediction) else {
      self.truth = Side(distances: [], areas: [])
      self.prediction = Side(distances: [], areas: [])
      return
    }
    let areas =
      spacing.count == 2
      ? SurfaceElementTable.lengths(spacing: spacing) : SurfaceElementTable.areas(spacing: spacing)
    let isFlat = spacing.count == 2
    let (first, second) = (SurfaceCells(a, isFlat: isFlat), SurfaceCells(b, isFlat: isFlat))
    self.truth = first.side(against: second, areas: areas, spacing: spacing)
    self.prediction = second.side(against: first, areas: areas, spacing: spacing)
  }

  private var isBothEmpty: Bool { truth.areas.isEmpty && prediction.areas.isEmpty }

  /// The robust Hausdorff distance `hd95_deepmind`: the greater of the two directions' percentiles, each
  /// weighted by the elements' areas. NaN where both masks are empty, infinite where one is.
  public func hausdorff(percentile: Double = 95) -> Double {
    guard !isBothEmpty else { return .nan }
    return max(truth.percentile(percentile), prediction.percentile(percentile))
  }

  /// The mean distance of each direction, weighted by areas: `asd_truth_to_prediction` and
  /// `asd_prediction_to_truth`. NaN for a mask without surface, infinite to a mask without one.
  public var averages: (truthToPrediction: Double, predictionToTruth: Double) {
    (truth.average, prediction.average)
  }

  /// The mean distance over both surfaces together, weighted by areas: `assd_deepmind`. NaN where both masks
  /// are empty, infinite where one is.
  public var average: Double {
    Side(distances: truth.distances + prediction.distances, areas: truth.areas + prediction.areas).average
  }

  /// The normalised surface distance (surface Dice): the share of both surfaces that lies within `tolerance`
  /// of the other, `nsd`. 0 where one mask is empty, the rule's value where both are.
  public func surfaceDice(tolerance: Double, rule: EmptyRule = .undefined) -> Double {
    guard !isBothEmpty else { return rule.value }
    let near = truth.area(within: tolerance) + prediction.area(within: tolerance)
    return near / (truth.areas.reduce(0, +) + prediction.areas.reduce(0, +))
  }
}

extension SurfaceDistances.Side {
  fileprivate func percentile(_ percentile: Double) -> Double {
    let total = areas.reduce(0, +)
    guard total > 0 else { return .infinity }
    var sum = 0.0
    for (distance, area) in zip(distances, areas) {
      sum += area
      if sum / total >= percentile / 100 { return distance }
    }
    return distances.last ?? .infinity
  }

  fileprivate var average: Double {
    let total = areas.reduce(0, +)
    return total > 0 ? zip(distances, areas).reduce(0) { $0 + $1.0 * $1.1 } / total : .nan
  }

  fileprivate func area(within tolerance: Double) -> Double {
    zip(distances, areas).reduce(0) { $0 + ($1.0 <= tolerance ? $1.1 : 0) }
  }
}

/// - Throws: ``MetricError`` where a spacing is not positive or not one for each axis.
func checkedSpacing(_ spacing: [Double]?, rank: Int) throws -> [Double] {
  let checked = spacing ?? [Double](repeating: 1, count: rank)
  guard checked.count == rank, checked.allSatisfy({ $0 > 0 && $0.isFinite }) else {
    throw MetricError("spacing \(checked); \(rank) positive numbers, one for each axis, were expected")
  }
  return checked
}

/// The cells between a mask's elements and the pattern of each: one more than elements along each axis, an
/// image's [H + 1, W + 1] without the axis of planes.
private struct SurfaceCells {
  let shape: [Int]
  var patterns: [UInt8]

  init(_ mask: MaskGrid, isFlat: Bool) {
    let (depth, height, width) = (isFlat ? 0 : mask.shape[0], mask.shape[1], mask.shape[2])
    shape = isFlat ? [height + 1, width + 1] : [depth + 1, height + 1, width + 1]
    patterns = [UInt8](repeating: 0, count: shape.reduce(1, *))
    let (row, plane) = (width + 1, (width + 1) * (height + 1))
    // Each element inside is a corner of the cells around it: of the cell before it the last corner.
    let corners = isFlat ? 0..<4 : 0..<8
    let steps = corners.map { ($0 >> 2 & 1) * plane + ($0 >> 1 & 1) * row + ($0 & 1) }
    let last = corners.count - 1
    patterns.withUnsafeMutableBufferPointer { patterns in
      var place = 0
      for z in 0..<mask.shape[0] {
        for y in 0..<height {
          for x in 0..<width {
            defer { place += 1 }
            guard mask.values[place] else { continue }
            let cell = z * plane + y * row + x
            for corner in corners { patterns[cell + steps[corner]] |= 1 << UInt8(last - corner) }
          }
        }
      }
    }
  }

  private var full: UInt8 { shape.count == 2 ? 0b1111 : 0b1111_1111 }

  func side(against other: SurfaceCells, areas: [Double], spacing: [Double]) -> SurfaceDistances.Side {
    let isBorder = other.patterns.map { $0 != 0 && $0 != full }
    let border = patterns.indices.filter { patterns[$0] != 0 && patterns[$0] != full }
    let squares = DistanceTransform.squaredDistances(
      to: isBorder, shape: shape, spacing: spacing, at: border)
    let elements = zip(border, squares).map { (distance: $1, area: areas[Int(patterns[$0])]) }
      .sorted { $0.distance < $1.distance }
    return SurfaceDistances.Side(
      distances: elements.map { $0.distance.squareRoot() }, areas: elements.map(\.area))
  }
}
