// Slices of a series in their order in space, and the affine and the doubts that follow from it.

import Foundation

/// How the slices of a volume really lie, which an affine alone cannot say.
public struct SliceStackReport: Sendable, Codable, Equatable {
  /// Slices missing between two neighbours.
  public struct Gap: Sendable, Codable, Equatable {
    /// The index of the slice before the gap.
    public var after: Int
    /// The distance along the normal to the next slice, in millimetres.
    public var millimetres: Double
    /// How many slices of the usual distance would fit between.
    public var missing: Int
  }

  /// Centre of the first voxel of each slice, RAS+ millimetres, in the volume's order.
  public var origins: [SIMD3<Double>]
  /// Distances along the normal between neighbouring slices, in millimetres.
  public var gaps: [Double]
  /// The most frequent of those distances; the smallest of several.
  public var usualGap: Double?
  /// Where a distance is a multiple of the usual one, so that slices are missing.
  public var missing: [Gap]
  /// Whether distances differ by more than 2 %.
  public var isIrregular: Bool
  /// The angle between the direction of stacking and the slices' normal, in degrees: the gantry's tilt.
  public var tiltDegrees: Double
  /// Files that were not used, since another has their place.
  public var duplicates: [String]

  /// Creates a report.
  public init(
    origins: [SIMD3<Double>], gaps: [Double], usualGap: Double?, missing: [Gap] = [], isIrregular: Bool,
    tiltDegrees: Double, duplicates: [String] = []
  ) {
    (self.origins, self.gaps, self.usualGap, self.missing) = (origins, gaps, usualGap, missing)
    (self.isIrregular, self.tiltDegrees, self.duplicates) = (isIrregular, tiltDegrees, duplicates)
  }
}

/// The slices of one volume along their normal.
struct SliceStack {
  /// Slices in order; of several at one place the first by instance number.
  private(set) var slices: [Slice]
  /// What is odd about the stack, a line each.
  private(set) var warnings: [String] = []
  private var duplicates: [String] = []

  init(_ unordered: [Slice]) {
    slices = unordered.sorted { Self.key($0) < Self.key($1) }
    isPlaced = unordered.allSatisfy { $0.place != nil }
    if slices.count > 1, isPlaced { dropRepeated() }
    warnings += geometryWarnings()
  }

  /// Slices in the order they have: nothing tells where they lie.
  init(unplaced slices: [Slice]) {
    self.slices = slices
    isPlaced = false
  }

  /// Whether every slice says where it lies.
  let isPlaced: Bool

  /// Place along the normal, then instance number, then frame; slices without a place go by the numbers.
  private static func key(_ slice: Slice) -> (Int, Int, Int) {
    (slice.place ?? 0, slice.header.instanceNumber, slice.frame)
  }

  private mutating func dropRepeated() {
    var kept: [Slice] = []
    for slice in slices {
      if kept.last?.place == slice.place {
        duplicates.append(slice.header.path)
      } else {
        kept.append(slice)
      }
    }
    if kept.count < slices.count {
      let kind = slices[0].header.frameCount > 1 ? "frames" : "files"
      warnings.append(
        "\(slices.count) \(kind) at \(kept.count) places: the first of each place is used, by instance number"
      )
    }
    slices = kept
  }

  /// Distances between neighbouring slices along the normal, in millimetres.
  private var gaps: [Double] {
    guard isPlaced else { return [] }
    let places = slices.compactMap(\.place)
    return zip(places, places.dropFirst()).map { Double($1 - $0) / 1000 }
  }

  /// The most frequent distance, in hundredths of a millimetre.
  private var usualGap: Double? {
    let counts = Dictionary(grouping: gaps) { ($0 * 100).rounded() }.mapValues(\.count)
    return counts.min { ($1.value, $0.key) < ($0.value, $1.key) }.map { $0.key / 100 }
  }

  private var isIrregular: Bool {
    guard let least = gaps.min(), let most = gaps.max() else { return false }
    return most - least > 0.02 * most
  }

  private var tiltDegrees: Double {
    guard let step, let normal = slices[0].header.normal, length(step) > 0, length(normal) > 0 else {
      return 0
    }
    return acos(min(1, abs(dot(step, normal)) / length(step) / length(normal))) * 180 / .pi
  }

  private var missing: [SliceStackReport.Gap] {
    guard let usual = usualGap, usual > 0 else { return [] }
    return gaps.enumerated().compactMap { index, gap in
      let count = (gap / usual).rounded()
      guard count >= 2, count < 10_000, abs(gap - count * usual) < 0.05 * usual else { return nil }
      return SliceStackReport.Gap(after: index, millimetres: gap, missing: Int(count) - 1)
    }
  }

  private func geometryWarnings() -> [String] {
    var lines: [String] = []
    if isIrregular {
      let distinct = Set(gaps.map { ($0 * 100).rounded() / 100 }).sorted()
      let list = distinct.prefix(5).map { String(format: "%g", $0) }.joined(separator: ", ")
      lines.append("slice gaps differ (\(list) mm): the volume's z spacing is their mean")
    }
    let absent = missing.reduce(0) { $0 + $1.missing }
    if absent > 0 {
      lines.append("\(absent) slices seem to be missing, going by a usual gap of \(usualGap ?? 0) mm")
    }
    if tiltDegrees > 0.5 {
      lines.append(String(format: "slices are stacked %.1f° off their normal (gantry tilt)", tiltDegrees))
    }
    return lines
  }

  /// The facts; nil where a slice does not say where it lies.
  var report: SliceStackReport? {
    guard isPlaced else { return nil }
    return SliceStackReport(
      origins: slices.compactMap { $0.position.map { $0 * Self.flip } }, gaps: gaps, usualGap: usualGap,
      missing: missing, isIrregular: isIrregular, tiltDegrees: tiltDegrees, duplicates: duplicates)
  }

  /// The mean step from slice to slice, LPS+ millimetres; nil where the files do not say.
  private var step: SIMD3<Double>? {
    guard slices.count > 1, isPlaced, let first = slices.first?.position, let last = slices.last?.position
    else { return nil }
    return (last - first) / Double(slices.count - 1)
  }

  /// DICOM's LPS+ to RAS+ and back.
  private static let flip: SIMD3<Double> = [-1, -1, 1]

  /// Voxel to RAS+ millimetres: DICOM's LPS+ with x and y turned round. A tilted stack gives a sheared
  /// affine.
  var affine: Affine {
    let first = slices[0].header
    guard let row = first.rowDirection, let column = first.columnDirection, let normal = first.normal,
      let position = first.position
    else { return .picture(spacing: first.spacing) }
    return Affine(
      x: row * first.spacing.x * Self.flip, y: column * first.spacing.y * Self.flip,
      z: (step ?? normal * first.spacing.z) * Self.flip, origin: position * Self.flip)
  }
}
