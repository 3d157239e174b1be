// Which intensities become black and which white.

import Foundation
import LimnTorch

/// A linear map of intensities to [0, 1]; what lies outside is clamped.
public enum IntensityWindow: Sendable, Codable, Equatable {
  /// From one percentile of the image's finite values to another, 0 to 100, linearly interpolated.
  case percentiles(Double, Double)
  /// From one value to another.
  case range(Double, Double)
  /// `centre` ± `width` / 2 (DICOM PS3.3 C.11.2.1.3.2, LINEAR_EXACT).
  case centre(Double, width: Double)
  /// Unsigned integers: 0 to the largest that the stored bits can hold. Others: least to greatest.
  case full

  /// The values that become 0 and 1 for these voxels.
  /// - Parameters:
  ///   - voxels: any shape and type.
  ///   - storedBits: significant bits of an integer sample; the type's own where nil.
  /// - Returns: the two values, equal where the image is constant.
  public func limits(of voxels: Tensor, storedBits: Int? = nil) -> (low: Double, high: Double) {
    switch self {
    case .range(let low, let high): (low, high)
    case .centre(let centre, let width): (centre - width / 2, centre + width / 2)
    case .percentiles(let low, let high): Self.percentiles(of: voxels, low, high)
    case .full:
      if voxels.dtype == .uint8 || voxels.dtype == .uint16 {
        (0, Double(1 << (storedBits ?? 8 * voxels.dtype.size)) - 1)
      } else {
        Self.percentiles(of: voxels, 0, 100)
      }
    }
  }

  /// Voxels of any shape and type as float32 in [0, 1]. A window without width gives 0 below and 1 above it;
  /// values that are no numbers give 0.
  public func applied(to voxels: Tensor, storedBits: Int? = nil) -> Tensor {
    let (low, high) = limits(of: voxels, storedBits: storedBits)
    return Self.map(voxels, low: low, high: high)
  }

  /// A volume's voxels [C, Z, Y, X] as float32 in [0, 1]; the window is taken over the whole volume.
  public func applied(to volume: Volume) -> Tensor {
    applied(to: volume.voxels, storedBits: volume.storedBits)
  }

  private static func map(_ voxels: Tensor, low: Double, high: Double) -> Tensor {
    let values = voxels.to(.float32)
    guard high > low else { return values.isGreater(than: low).to(.float32) }
    let mapped = ((values - low) / (high - low)).clamped(min: 0, max: 1)
    guard voxels.dtype.isFloatingPoint else { return mapped }
    return Tensor.where(mapped.isEqual(to: mapped), mapped, mapped.zerosLike())
  }

  private static func percentiles(of voxels: Tensor, _ low: Double, _ high: Double) -> (Double, Double) {
    var values = voxels.to(.float32).flattened()
    if voxels.dtype.isFloatingPoint { values = values[values.isFinite().nonzero().squeezed(1)] }
    guard values.count > 0 else { return (0, 0) }
    if low == 0 && high == 100 { return (values.min().item(), values.max().item()) }
    let sorted = values.sorted(dim: 0).values
    return (percentile(of: sorted, low), percentile(of: sorted, high))
  }

  private static func percentile(of sorted: Tensor, _ percent: Double) -> Double {
    let place = min(max(percent, 0), 100) / 100 * Double(sorted.count - 1)
    let below = Int(place)
    let (a, b) = (sorted[below].item(), sorted[min(below + 1, sorted.count - 1)].item())
    return a + (b - a) * (place - Double(below))
  }
}
