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
    switch self {
    case .range(let low, let high): (low, high)
    case .centre(let centre, let width): (centre - width / 2, centre + width / 2)
    case .percentiles(let low, let high): Self.percentiles(of: voxels, low, high, except: padding)
    case .full:
      if voxels.dtype == .uint8 || voxels.dtype == .uint16 {
        (0, Double(1 << (storedBits ?? 8 * voxels.dtype.size)) - 1)
      } else {
        Self.percentiles(of: voxels, 0, 100, except: padding)
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
    DisplayWindow(low: low, high: high).applied(to: voxels)
  }

  /// The window that shows a volume as its file means it.
  public func display(of volume: Volume) -> DisplayWindow {
    let padding = volume.info.paddingValue
    let (low, high) = limits(of: volume.voxels, storedBits: volume.storedBits, except: padding)
    return DisplayWindow(low: low, high: high, isInverted: volume.info.isDisplayInverted, padding: padding)
  }

  private static func percentiles(
    of voxels: Tensor, _ low: Double, _ high: Double, except padding: Double?
  ) -> (Double, Double) {
    if let counts = LevelCounts(voxels, except: padding) {
      return (counts.percentile(low), counts.percentile(high))
    }
    var values = voxels.to(.float32).flattened()
    if voxels.dtype.isFloatingPoint { values = values[values.isFinite().nonzero().squeezed(1)] }
    if let padding { values = values[values.isEqual(to: padding).isEqual(to: 0).nonzero().squeezed(1)] }
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
    let (low, width) = (Float(low), Float(high - low))
    let missing = padding.flatMap(Level.init(exactly:))
    voxels.contiguous().withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        let (levels, values) = (source.bindMemory(to: type), target.bindMemory(to: Float.self))
        for index in 0..<levels.count {
          values[index] = min(max((Float(levels[index]) - low) / width, 0), 1)
        }
        if isInverted { for index in 0..<levels.count { values[index] = 1 - values[index] } }
        if let missing { for index in 0..<levels.count where levels[index] == missing { values[index] = 0 } }
      }
    }
    return result
  }

  private func anyNumbers(_ voxels: Tensor) -> Tensor {
    let values = voxels.to(.float32)
    var shown =
      high > low
      ? ((values - low) / (high - low)).clamped(min: 0, max: 1) : values.isGreater(than: low).to(.float32)
    if isInverted { shown = 1 - shown }
    if let padding { shown = Tensor.where(values.isEqual(to: padding), shown.zerosLike(), shown) }
    guard voxels.dtype.isFloatingPoint else { return shown }
    return Tensor.where(values.isEqual(to: values), shown, shown.zerosLike())
  }
}

/// How often each value of 8 or 16 bits occurs: percentiles without sorting.
private struct LevelCounts {
  private var counts: [Int]
  /// The value of the first count.
  private let least: Int
  private var total: Int

  /// Nil for other types than uint8, uint16 and int16, and where nothing is left to count.
  init?(_ voxels: Tensor, except padding: Double?) {
    guard [.uint8, .uint16, .int16].contains(voxels.dtype), voxels.count > 0 else { return nil }
    least = voxels.dtype == .int16 ? Int(Int16.min) : 0
    total = voxels.count
    counts = [Int](repeating: 0, count: voxels.dtype == .uint8 ? 256 : 65536)
    switch voxels.dtype {
    case .uint8: count(voxels, UInt8.self)
    case .uint16: count(voxels, UInt16.self)
    default: count(voxels, Int16.self)
    }
    if let index = padding.flatMap(Int.init(exactly:)).map({ $0 - least }), counts.indices.contains(index) {
      total -= counts[index]
      counts[index] = 0
    }
    if total == 0 { return nil }
  }

  private mutating func count<Level: FixedWidthInteger>(_ voxels: Tensor, _ type: Level.Type) {
    let (least, size) = (least, counts.count)
    // Neighbours are often equal, and a count must not wait for the one before it: two tables, turn by turn.
    var tables = [UInt32](repeating: 0, count: 2 * size)
    voxels.contiguous().withUnsafeBytes { bytes in
      let levels = bytes.bindMemory(to: type)
      tables.withUnsafeMutableBufferPointer { tables in
        for index in 0..<levels.count { tables[Int(levels[index]) - least + (index & 1) * size] &+= 1 }
      }
    }
    for index in 0..<size { counts[index] = Int(tables[index]) + Int(tables[size + index]) }
  }

  /// As of the sorted values, linearly interpolated.
  func percentile(_ percent: Double) -> Double {
    let place = min(max(percent, 0), 100) / 100 * Double(total - 1)
    let below = Int(place)
    let (a, b) = (Double(value(at: below)), Double(value(at: min(below + 1, total - 1))))
    return a + (b - a) * (place - Double(below))
  }

  private func value(at rank: Int) -> Int {
    var passed = 0
    for (index, count) in counts.enumerated() {
      passed += count
      if passed > rank { return index + least }
    }
    return least + counts.count - 1
  }
}
