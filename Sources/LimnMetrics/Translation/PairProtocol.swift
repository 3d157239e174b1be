// What the figures of a translated image depend on besides the images: value range, foreground, unit.

import Foundation
import LimnTorch

/// Which pixels of a target count as foreground.
///
/// RegGAN's code takes those where the target is not −1 exactly, which interpolation and lossy files break;
/// so the background is what lies within `tolerance` of `background` or below it.
public struct ForegroundRule: Codable, Sendable, Equatable {
  /// The value of the background, such as −1.
  public var background: Double
  /// How far above it a pixel still is background; 0 is RegGAN's exact rule for images that never lie below.
  public var tolerance: Double

  public init(background: Double = -1, tolerance: Double = 1e-6) {
    (self.background, self.tolerance) = (background, tolerance)
  }

  /// 1 where the target is foreground: float64 of the same shape.
  func mask(of target: Tensor) -> Tensor {
    target.to(.float64).isGreater(than: background + tolerance).to(.float64)
  }

  var sentence: String { "foreground: real image above \(shortText(background)) + \(shortText(tolerance))" }
}

/// The settings of every measure of a pair; printed with each value.
public struct PairProtocol: Codable, Sendable, Equatable {
  /// The least and the greatest value that an image can have; their distance is the range that NMAE is
  /// divided by and that PSNR and SSIM refer to.
  public var low: Double
  public var high: Double
  public var foreground: ForegroundRule
  /// The data's own unit at the ends of the range, such as −1000...2000 HU; nil: `mae` stays in the images'
  /// numbers.
  public var unitLow: Double?
  public var unitHigh: Double?
  /// The name of that unit.
  public var unit: String?

  public init(
    low: Double = -1, high: Double = 1, foreground: ForegroundRule = ForegroundRule(), unitLow: Double? = nil,
    unitHigh: Double? = nil, unit: String? = nil
  ) {
    (self.low, self.high, self.foreground) = (low, high, foreground)
    (self.unitLow, self.unitHigh, self.unit) = (unitLow, unitHigh, unit)
  }

  /// high − low.
  public var range: Double { high - low }

  /// What one step of the images' numbers is in the data's own unit.
  var unitsPerStep: Double {
    guard let unitLow, let unitHigh else { return 1 }
    return (unitHigh - unitLow) / range
  }

  func check() throws {
    guard range > 0, range.isFinite else {
      throw MetricError("a value range from \(low) to \(high); the first must be below the second")
    }
    guard (unitLow == nil) == (unitHigh == nil) else {
      throw MetricError("one end of the range has a value in the data's unit and the other has none")
    }
  }
}

/// A number of a protocol, without the digits that binary fractions bring.
func shortText(_ value: Double) -> String { String(format: "%.6g", value) }
