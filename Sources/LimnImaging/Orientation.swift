// Where a volume's axes point in the patient, as three letters such as RAS or LPS.

import Foundation

/// The anatomical direction of each voxel axis: three letters, for x, y and z in turn, each naming the side
/// that the axis runs towards (R right, L left, A front, P back, S head, I feet).
public struct Orientation: Sendable, Hashable, Codable, CustomStringConvertible {
  /// One voxel axis: which of the RAS+ dimensions it runs along (0, 1, 2) and whether towards R, A or S.
  struct Axis: Sendable, Hashable, Codable {
    var dimension: Int
    var isPositive: Bool
  }

  var axes: [Axis]

  private static let letters: [[Character]] = [["L", "R"], ["P", "A"], ["I", "S"]]

  /// Creates an orientation from letters such as `RAS`; nil unless each dimension is named once.
  public init?(_ letters: String) {
    axes = letters.uppercased().compactMap(Self.axis)
    guard axes.count == 3, letters.count == 3, Set(axes.map(\.dimension)).count == 3 else { return nil }
  }

  init(axes: [Axis]) { self.axes = axes }

  private static func axis(of letter: Character) -> Axis? {
    for (dimension, pair) in letters.enumerated() {
      if let side = pair.firstIndex(of: letter) { return Axis(dimension: dimension, isPositive: side == 1) }
    }
    return nil
  }

  /// The orientation nearest to an affine: the assignment of voxel axes to patient axes with the largest sum
  /// of direction cosines.
  public init(nearest affine: Affine) {
    let assignments = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    let cosines = (0..<3).map { affine.column($0) / max(length(affine.column($0)), .leastNormalMagnitude) }
    func agreement(_ order: [Int]) -> Double { (0..<3).reduce(0) { $0 + abs(cosines[$1][order[$1]]) } }
    let best = assignments.max { agreement($0) < agreement($1) } ?? [0, 1, 2]
    axes = (0..<3).map { Axis(dimension: best[$0], isPositive: cosines[$0][best[$0]] >= 0) }
  }

  public var description: String {
    String(axes.map { Self.letters[$0.dimension][$0.isPositive ? 1 : 0] })
  }

  /// NIfTI's own axes.
  public static let ras = Orientation(axes: [
    Axis(dimension: 0, isPositive: true), Axis(dimension: 1, isPositive: true),
    Axis(dimension: 2, isPositive: true),
  ])
  /// DICOM's axes, and an axial picture's: columns to the left, rows to the back.
  public static let lps = Orientation(axes: [
    Axis(dimension: 0, isPositive: false), Axis(dimension: 1, isPositive: false),
    Axis(dimension: 2, isPositive: true),
  ])

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let letters = try container.decode(String.self)
    guard let value = Orientation(letters) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "orientation '\(letters)', expected three letters such as RAS")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
