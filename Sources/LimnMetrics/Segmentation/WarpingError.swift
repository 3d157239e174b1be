// The warping error: Jain et al., "Boundary learning by optimization with topological constraints" (CVPR 2010).

import LimnImaging
import LimnTorch

/// What of a prediction remains wrong after the truth was bent towards it without changing its topology.
///
/// The truth's pixels that the prediction contradicts change, the most certain contradiction first, as long as
/// they are simple points (foreground 4-connected, background 8-connected, background outside the image) and
/// lie within the geodesic mask. What still differs are the errors that merge, part, make or lose objects.
public struct WarpingError: Sendable, Equatable {
  /// The truth after it was bent: uint8 [H, W], 0 and 1.
  public let warped: [Bool]
  /// Pixels that still differ.
  public let differing: Int

  /// Differing pixels over all, in 0...1: `warping_error`.
  public var value: Double { Double(differing) / Double(warped.count) }

  /// Bends the truth towards a prediction.
  /// - Parameters:
  ///   - truth: [H, W], not zero inside objects, zero on borders.
  ///   - prediction: [H, W], the probability of the inside, or zeros and ones.
  ///   - threshold: a pixel is inside where the prediction lies above it.
  ///   - radius: how many pixels a border may move: a pixel may change where the nearest pixel of the truth's
  ///     other class is at most so far away. nil: any pixel may change.
  /// - Throws: ``MetricError`` where shapes differ or are not [H, W].
  public init(truth: Tensor, prediction: Tensor, threshold: Double = 0.5, radius: Double? = 5) throws {
    try checkSameShape(truth, prediction)
    try checkPlane(truth, "the warping error")
    self.init(
      truth: truth.maskValues, prediction: prediction.to(.float64).array(of: Double.self),
      width: truth.size(1), threshold: threshold, radius: radius)
  }

  init(truth: [Bool], prediction: [Double], width: Int, threshold: Double, radius: Double?) {
    let mayChange = radius.map { Self.geodesicMask(truth, width: width, radius: $0) }
    let keys = truth.indices.map { place -> Double? in
      guard truth[place] != (prediction[place] > threshold), mayChange?[place] ?? true else { return nil }
      return -abs(prediction[place] - threshold)
    }
    var image = SimplePointImage(truth, width: width)
    image.changeSimplePixels(key: keys)
    warped = image.mask
    differing = zip(warped, prediction).count { $0 != ($1 > threshold) }
  }

  /// Pixels at most `radius` away from the other class. The straight way to the nearest such pixel stays
  /// within the own class, so this distance is the geodesic one.
  private static func geodesicMask(_ truth: [Bool], width: Int, radius: Double) -> [Bool] {
    let shape = [truth.count / width, width]
    let toInside = DistanceTransform.squaredDistances(to: truth, shape: shape, spacing: [1, 1])
    let toOutside = DistanceTransform.squaredDistances(to: truth.map { !$0 }, shape: shape, spacing: [1, 1])
    return truth.indices.map { (truth[$0] ? toOutside[$0] : toInside[$0]) <= radius * radius }
  }
}
