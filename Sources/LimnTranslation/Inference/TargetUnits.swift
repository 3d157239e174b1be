// What a network's values stand for: the target's own numbers where its window was one for all images.

import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// From black, −1, to white, 1, in the target's numbers.
public struct TargetUnits: Sendable, Equatable {
  /// What black stands for.
  public let low: Double
  /// What white stands for.
  public let high: Double
  /// The numbers' unit.
  public let unit: IntensityUnit
  /// Whether the numbers are the target's own; where they are not, black is 0 and white 1.
  public let areKnown: Bool

  /// Those of a target's intensities.
  /// - Parameters:
  ///   - target: how images of the target's kind are shown.
  ///   - storedBits: of the image that is translated; 8-bit images that were trained on whole stand for 0 to 255.
  public init(_ target: ImageIntake, storedBits: Int) {
    let (record, window) = (target.intensity, target.window(storedBits: storedBits))
    let limits = window.fixedLimits ?? (window == .full && storedBits == 8 ? (0, 255) : nil)
    (low, high) = limits ?? (0, 1)
    unit = limits == nil ? .arbitrary : record?.unit.flatMap(IntensityUnit.init) ?? .arbitrary
    areKnown = limits != nil
  }

  /// Values in [−1, 1] in the target's numbers, float32.
  public func values(of images: Tensor) -> Tensor { (images + 1) * ((high - low) / 2) + low }

  /// The other way: numbers in [−1, 1].
  public func images(of values: Tensor) -> Tensor { (values.to(.float32) - low) * (2 / (high - low)) - 1 }
}
