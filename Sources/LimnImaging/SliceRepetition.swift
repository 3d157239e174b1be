// Slices of one place: the same object twice, or images of different times, echoes and acquisitions.

import Foundation

/// One slice: a file, or one frame of it.
struct Slice {
  var header: DICOMHeader
  /// Its place in the file, from 0.
  var frame: Int
  var position: SIMD3<Double>?
  var repetition: [String: String]

  /// A file of one frame.
  init(only header: DICOMHeader) {
    self.header = header
    (frame, position, repetition) = (0, header.position, header.repetition)
  }

  /// A frame of a file, its header as if the frame were alone.
  init(_ header: DICOMHeader, _ frame: DICOMFrame) {
    self.header = header
    self.frame = frame.index
    (position, repetition) = (frame.position, frame.repetition)
    (self.header.position, self.header.rowDirection) = (frame.position, frame.rowDirection)
    (self.header.columnDirection, self.header.spacing) = (frame.columnDirection, frame.spacing)
    self.header.repetition = frame.repetition
  }

  /// Place along the normal in micrometres; nil where the file does not say.
  var place: Int? {
    guard let position, let normal = header.normal else { return nil }
    let micrometres = (dot(position, normal) * 1000).rounded()
    return abs(micrometres) < 1e15 ? Int(micrometres) : nil
  }

  /// In the plane, too: slices of one place whose corners differ are not repetitions.
  var corner: [Int]? {
    guard let position, place != nil, length(position) < 1e9 else { return nil }
    return [position.x, position.y, position.z].map { Int(($0 * 1000).rounded()) }
  }
}

/// Tells volumes of the same place apart.
enum SliceRepetition {
  /// What volumes are told apart by, the first that suffices.
  private static let names = [
    "stack", "time", "acquisition", "echo", "echo time", "b value", "trigger", "segment", "image type",
  ]

  /// Slices of one series, size and orientation as volumes in which no place repeats, where anything that the
  /// files say tells them apart; else as they came. The same object twice stays in its volume.
  static func split(_ slices: [Slice]) -> [[Slice]] {
    guard repeats(slices) else { return [slices] }
    for name in names {
      let parts = parted(slices) { $0.repetition[name] ?? "" }
      if parts.count > 1, !parts.contains(where: repeats) { return parts }
    }
    let all = parted(slices) { slice in names.map { slice.repetition[$0] ?? "" }.joined(separator: "|") }
    return all.count > 1 && !all.contains(where: repeats) ? all : [slices]
  }

  /// Whether different objects share a place.
  private static func repeats(_ slices: [Slice]) -> Bool {
    let distinct = withoutCopies(slices)
    let corners = distinct.compactMap(\.corner)
    return corners.count == distinct.count && Set(corners).count < corners.count
  }

  /// One of the files that are the same object.
  private static func withoutCopies(_ slices: [Slice]) -> [Slice] {
    var seen = Set<String>()
    return slices.filter { slice in
      let uid = slice.header.instanceUID
      return uid.isEmpty || seen.insert("\(uid)|\(slice.frame)").inserted
    }
  }

  /// Slices with the same key together, in the keys' order, numbers by size.
  private static func parted(_ slices: [Slice], by key: (Slice) -> String) -> [[Slice]] {
    let parts = Dictionary(grouping: slices, by: key)
    let order = parts.keys.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    return order.compactMap { parts[$0] }
  }
}
