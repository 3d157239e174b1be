// Slices of a series in their order in space, and the affine and the doubts that follow from it.

import Foundation

/// The files of one series along their normal.
struct SliceStack {
  /// Files in order; of several at one place the first by instance number.
  private(set) var headers: [DICOMHeader]
  /// What is odd about the stack, a line each.
  private(set) var warnings: [String] = []

  init(_ unordered: [DICOMHeader]) {
    headers = unordered.sorted { Self.key($0) < Self.key($1) }
    dropRepeated()
    checkSpacing()
    checkTilt()
  }

  /// Place along the normal, then instance number; files without a place go by the number alone.
  private static func key(_ header: DICOMHeader) -> (Double, Int) {
    let place = header.position.flatMap { position in header.normal.map { dot(position, $0) } } ?? 0
    return ((place * 1000).rounded() / 1000, header.instanceNumber)
  }

  private mutating func dropRepeated() {
    guard headers.count > 1, headers.allSatisfy({ $0.position != nil && $0.normal != nil }) else { return }
    var kept: [DICOMHeader] = []
    for header in headers {
      if kept.last.map({ Self.key($0).0 }) != Self.key(header).0 { kept.append(header) }
    }
    if kept.count < headers.count {
      warnings.append(
        "\(headers.count) files at \(kept.count) places: the first of each place is used, by instance number")
    }
    headers = kept
  }

  /// Distances between neighbouring slices along the normal, in millimetres.
  private var gaps: [Double] {
    guard headers.allSatisfy({ $0.position != nil && $0.normal != nil }) else { return [] }
    return zip(headers, headers.dropFirst()).map { Self.key($1).0 - Self.key($0).0 }
  }

  private mutating func checkSpacing() {
    let distinct = Set(gaps.map { ($0 * 100).rounded() / 100 }).sorted()
    guard let least = distinct.first, let most = distinct.last, most - least > 0.02 * most else { return }
    let list = distinct.prefix(5).map { String(format: "%g", $0) }.joined(separator: ", ")
    warnings.append("slice gaps differ (\(list) mm): the volume's z spacing is their mean")
  }

  private mutating func checkTilt() {
    guard let step, let normal = headers[0].normal, length(step) > 0 else { return }
    let angle = acos(min(1, abs(dot(step, normal)) / length(step))) * 180 / .pi
    if angle > 0.5 {
      warnings.append(String(format: "slices are stacked %.1f° off their normal (gantry tilt)", angle))
    }
  }

  /// The mean step from slice to slice, LPS+ millimetres; nil where the files do not say.
  private var step: SIMD3<Double>? {
    guard headers.count > 1, let first = headers.first?.position, let last = headers.last?.position else {
      return nil
    }
    return (last - first) / Double(headers.count - 1)
  }

  /// Voxel to RAS+ millimetres: DICOM's LPS+ with x and y turned round. A tilted stack gives a sheared
  /// affine.
  var affine: Affine {
    let first = headers[0]
    guard let orientation = first.orientation, let position = first.position, let normal = first.normal else {
      return .picture(spacing: first.spacing)
    }
    let flip: SIMD3<Double> = [-1, -1, 1]
    return Affine(
      x: orientation.x * first.spacing.x * flip, y: orientation.y * first.spacing.y * flip,
      z: (step ?? normal * first.spacing.z) * flip, origin: position * flip)
  }
}
