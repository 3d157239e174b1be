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
  ///   - padding: a number that percentiles leave out, since it was not measured.
  /// - Returns: the two values, equal where the image is constant.
  public func limits(
    of voxels: Tensor, storedBits: Int? = nil, except padding: Double? = nil
  ) -> (low: Double, high: Double) {
    if let known = knownLimits(voxels.dtype, storedBits) { return known }
    var ranks = ValueRanks(except: padding)
    ranks.add(voxels)
    return ranks.percentiles(percents)
  }

  /// The values that become 0 and 1 in every image; nil for windows that follow the image.
  public var fixedLimits: (low: Double, high: Double)? {
    switch self {
    case .range(let low, let high): (low, high)
    case .centre(let centre, let width): (centre - width / 2, centre + width / 2)
    case .full, .percentiles: nil
    }
  }

  /// The limits where the values do not matter; nil where they do.
  func knownLimits(_ type: DType, _ storedBits: Int?) -> (low: Double, high: Double)? {
    guard self == .full, type == .uint8 || type == .uint16 else { return fixedLimits }
    return (0, Double(1 << (storedBits ?? 8 * type.size)) - 1)
  }

  var percents: (Double, Double) {
    if case .percentiles(let low, let high) = self { (low, high) } else { (0, 100) }
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
    DisplayWindow(low: low, high: high).applied(to: voxels)
  }

  /// The window that shows a volume as its file means it; slabs are read only where their values decide.
  /// - Throws: `ImagingError` where a slab cannot be read.
  public func display(of slabs: VolumeSlabs) throws -> DisplayWindow {
    let (outline, info) = (slabs.outline, slabs.outline.info)
    var limits = knownLimits(outline.voxels.dtype, outline.storedBits)
    var ranks = ValueRanks(except: info.paddingValue)
    for index in slabs.ranges.indices where limits == nil {
      let voxels = try slabs.slab(index).voxels
      limits = knownLimits(voxels.dtype, outline.storedBits)
      if limits == nil { ranks.add(voxels) }
    }
    let (low, high) = limits ?? ranks.percentiles(percents)
    return DisplayWindow(
      low: low, high: high, isInverted: info.isDisplayInverted, padding: info.paddingValue)
  }
}

/// A window with its limits decided.
public struct DisplayWindow: Sendable {
  /// What becomes 0.
  public let low: Double
  /// What becomes 1.
  public let high: Double
  /// Whether small numbers are shown bright.
  public let isInverted: Bool
  /// The number that stands for what was not measured, which is shown black.
  public let padding: Double?

  /// A window from `low` to `high`; without width it gives 0 up to it and 1 above.
  public init(low: Double, high: Double, isInverted: Bool = false, padding: Double? = nil) {
    (self.low, self.high, self.isInverted, self.padding) = (low, high, isInverted, padding)
  }

  /// Voxels of any shape and type as float32 in [0, 1]; values that are no numbers give 0.
  public func applied(to voxels: Tensor) -> Tensor {
    switch voxels.dtype {
    case .uint8 where high > low: return wholeNumbers(voxels, UInt8.self)
    case .uint16 where high > low: return wholeNumbers(voxels, UInt16.self)
    case .int16 where high > low: return wholeNumbers(voxels, Int16.self)
    default: return anyNumbers(voxels)
    }
  }

  /// One pass, where the general way takes six.
  private func wholeNumbers<Level: FixedWidthInteger>(_ voxels: Tensor, _ type: Level.Type) -> Tensor {
    let result = Tensor.empty(voxels.shape, dtype: .float32)
    let origin = Float(isInverted ? high : low)
    let scale = Float((isInverted ? -1 : 1) / (high - low))
    // No level is beyond 16 bits.
    let missing = padding.flatMap(Level.init(exactly:)).map { Int32($0) } ?? .max
    voxels.contiguous().withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        let (levels, values) = (source.bindMemory(to: Level.self), target.bindMemory(to: Float.self))
        for index in 0..<levels.count {
          let level = Int32(truncatingIfNeeded: levels[index])
          let value = min(max((Float(level) - origin) * scale, 0), 1)
          values[index] = level == missing ? 0 : value
        }
      }
    }
    return result
  }

  private func anyNumbers(_ voxels: Tensor) -> Tensor {
    let values = voxels.to(.float32)
    var shown =
      high > low
      ? ((values - low) * (1 / (high - low))).clamped(min: 0, max: 1)
      : values.isGreater(than: low).to(.float32)
    if isInverted { shown = 1 - shown }
    if let padding { shown = Tensor.where(values.isEqual(to: padding), shown.zerosLike(), shown) }
    guard voxels.dtype.isFloatingPoint else { return shown }
    return Tensor.where(values.isEqual(to: values), shown, shown.zerosLike())
  }
}
