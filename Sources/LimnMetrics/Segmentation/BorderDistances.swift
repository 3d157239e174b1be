// Distances between the border elements of two masks, as MedPy measures them: every border element counts
// once, and the percentile is that of both directions pooled.

import LimnImaging
import LimnTorch

/// The distances of each mask's border elements to the other mask's border.
///
/// A border element is one inside with a neighbour along an axis that is not; what lies outside the image is
/// not inside. These values differ from those of ``SurfaceDistances``.
public struct BorderDistances: Sendable, Equatable {
  /// From each border element of the truth to the prediction's nearest one.
  public let truth: [Double]
  /// From each border element of the prediction to the truth's nearest one.
  public let prediction: [Double]

  /// Measures two masks.
  /// - Parameters:
  ///   - truth: [H, W] or [D, H, W], not zero inside.
  ///   - prediction: the same shape.
  ///   - spacing: the distance of neighbours along each axis, such as millimetres; nil: 1 everywhere.
  /// - Throws: ``MetricError`` where shapes or the spacing do not fit.
  public init(truth: Tensor, prediction: Tensor, spacing: [Double]? = nil) throws {
    let spacing = try checkedSpacing(spacing, rank: truth.rank)
    guard let (a, b) = try MaskGrid.cropped(truth, prediction) else {
      (self.truth, self.prediction) = ([], [])
      return
    }
    let isFlat = spacing.count == 2
    let grid = isFlat ? Array(a.shape.dropFirst()) : a.shape
    let (first, second) = (a.border(isFlat: isFlat), b.border(isFlat: isFlat))
    func distances(_ from: [Bool], _ to: [Bool]) -> [Double] {
      DistanceTransform.squaredDistances(
        to: to, shape: grid, spacing: spacing, at: from.indices.filter { from[$0] }
      ).map { $0.squareRoot() }
    }
    (self.truth, self.prediction) = (distances(first, second), distances(second, first))
  }

  /// The percentile of both directions' distances pooled, interpolated linearly: `hd95_medpy`. NaN where both
  /// masks are empty, infinite where one is (MedPy raises an error in both cases).
  public func hausdorff(percentile: Double = 95) -> Double {
    let sorted = (truth + prediction).sorted()
    guard let last = sorted.last else { return .nan }
    guard last < .infinity else { return .infinity }
    let place = percentile / 100 * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }

  /// The mean of both directions' distances pooled: `assd_medpy`. NaN where both masks are empty, infinite
  /// where one is.
  public var average: Double {
    let pooled = truth + prediction
    return pooled.reduce(0, +) / Double(pooled.count)
  }
}

extension MaskGrid {
  /// Elements inside with a neighbour along an axis that is outside.
  fileprivate func border(isFlat: Bool) -> [Bool] {
    let (depth, height, width) = (shape[0], shape[1], shape[2])
    var border = [Bool](repeating: false, count: values.count)
    for z in 0..<depth {
      for y in 0..<height {
        for x in 0..<width where self[z, y, x] {
          let isInner =
            y > 0 && y + 1 < height && x > 0 && x + 1 < width && self[z, y - 1, x] && self[z, y + 1, x]
            && self[z, y, x - 1] && self[z, y, x + 1]
            && (isFlat || (z > 0 && z + 1 < depth && self[z - 1, y, x] && self[z + 1, y, x]))
          border[(z * height + y) * width + x] = !isInner
        }
      }
    }
    return border
  }
}
