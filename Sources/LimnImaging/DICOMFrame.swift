// What is said of one frame: in the data set itself, or in functional groups (PS3.3, C.7.6.16).

import Foundation

/// The place, scale and repetition of one frame.
struct DICOMFrame: Sendable, Equatable {
  /// Its place in the file, from 0.
  var index: Int
  /// Millimetres along x, y and z; 1 where the file is silent.
  var spacing: SIMD3<Double> = [1, 1, 1]
  var hasSpacing = false
  /// Centre of the first voxel, LPS+ millimetres.
  var position: SIMD3<Double>?
  var rowDirection: SIMD3<Double>?
  var columnDirection: SIMD3<Double>?
  var slope = 1.0
  var intercept = 0.0
  var rescaleType = ""
  var windowPresets: [WindowPreset] = []
  var repetition: [String: String] = [:]
  /// Which segment a frame of a SEG object shows.
  var segment: Int?

  static func first(of file: DICOMFile) -> DICOMFrame {
    DICOMFrame(0, Groups(file.data, frame: file.data.item(perFrame)))
  }

  /// The frames of a file; those beyond the functional groups say what the whole file says.
  static func all(of file: DICOMFile, count: Int) -> [DICOMFrame] {
    let items = file.data.items(perFrame)
    let frames = (0..<count).map { index in
      DICOMFrame(index, Groups(file.data, frame: index < items.count ? items[index] : nil))
    }
    return placedByVector(frames, file.data)
  }

  private static let perFrame: DICOMTag = 0x5200_9230
  private static let shared: DICOMTag = 0x5200_9229

  /// Where a frame's macros are looked for: its own groups, the shared ones, the data set.
  private struct Groups {
    var data: DICOMDataSet
    var places: [DICOMDataSet]

    init(_ data: DICOMDataSet, frame: DICOMDataSet?) {
      self.data = data
      places = [frame, data.item(DICOMFrame.shared)].compactMap { $0 }
    }

    /// The item of a macro's sequence; the data set itself where no group has one.
    func macro(_ tag: DICOMTag) -> DICOMDataSet {
      for place in places {
        if let item = place.item(tag) { return item }
      }
      return data
    }
  }

  private init(_ index: Int, _ groups: Groups) {
    self.index = index
    // A place further than a kilometre away is none.
    position = groups.macro(0x0020_9113).vector(0x0020_0032, count: 3).map(SIMD3.init)
      .flatMap { length($0) < 1e6 ? $0 : nil }
    if let cosines = groups.macro(0x0020_9116).vector(0x0020_0037, count: 6) {
      orient(row: SIMD3(cosines[0..<3]), column: SIMD3(cosines[3..<6]))
    }
    measure(groups.macro(0x0028_9110))
    rescale(groups.macro(0x0028_9145))
    windowPresets = Self.presets(groups.macro(0x0028_9132))
    repetition = Self.repetition(groups)
    segment = groups.macro(0x0062_000A).unsignedShort(0x0062_000B)
  }

  /// Takes directions that are directions: of length 1 and at right angles, to the precision files have.
  private mutating func orient(row: SIMD3<Double>, column: SIMD3<Double>) {
    guard abs(length(row) - 1) < 0.05, abs(length(column) - 1) < 0.05, abs(dot(row, column)) < 0.05 else {
      return
    }
    (rowDirection, columnDirection) = (row, column)
  }

  /// Spacing is stored as between rows, then between columns: y before x.
  private mutating func measure(_ data: DICOMDataSet) {
    let pair = [0x0028_0030, 0x0018_1164, 0x0018_2010].lazy
      .compactMap { data.vector($0, count: 2) }.first { $0.allSatisfy { (1e-6..<1e6).contains($0) } }
    hasSpacing = pair != nil
    spacing = [pair?[1] ?? 1, pair?[0] ?? 1, 1]
    let between = data.decimal(0x0018_0088).map(abs) ?? 0
    let thickness = data.decimal(0x0018_0050) ?? 0
    spacing.z = [between, thickness].first { (1e-6..<1e6).contains($0) } ?? 1
  }

  private mutating func rescale(_ data: DICOMDataSet) {
    rescaleType = data.text(0x0028_1054) ?? ""
    guard let slope = data.decimal(0x0028_1053), let intercept = data.decimal(0x0028_1052), slope != 0 else {
      return
    }
    (self.slope, self.intercept) = (slope, intercept)
  }

  private static func presets(_ data: DICOMDataSet) -> [WindowPreset] {
    let names = data.texts(0x0028_1055)
    let windows = zip(data.decimals(0x0028_1050), data.decimals(0x0028_1051)).enumerated()
      .filter { $1.1 > 0 }
      .map { place, pair in
        let name = place < names.count && !names[place].isEmpty ? names[place] : nil
        return WindowPreset(name: name, centre: pair.0, width: pair.1)
      }
    return windows + data.items(0x0028_3010).compactMap(span)
  }

  /// The window that a VOI table's entries span; its curve is not kept.
  private static func span(_ table: DICOMDataSet) -> WindowPreset? {
    // The first entry's value has the sign of the values, which 16 bits above 32767 reveal in CT alone.
    DICOMTableDescriptor(table, 0x0028_3002, isSigned: false).map { descriptor in
      WindowPreset(
        name: table.text(0x0028_3003), centre: Double(descriptor.first) + Double(descriptor.entries) / 2,
        width: Double(descriptor.entries))
    }
  }

  /// What can differ between images of one place, by name.
  private static func repetition(_ groups: Groups) -> [String: String] {
    let (data, content) = (groups.data, groups.macro(0x0020_9111))
    let echo = groups.macro(0x0018_9114)
    let values: [(String, String?)] = [
      ("acquisition", data.text(0x0020_0012) ?? content.unsignedShort(0x0020_9156).map(String.init)),
      ("time", data.text(0x0020_0100) ?? content.unsignedLong(0x0020_9128).map(String.init)),
      ("trigger", data.text(0x0018_1060)),
      ("echo", data.text(0x0018_0086) ?? echo.doubles(0x0018_9082).first.map { "\($0)" }),
      ("echo time", data.text(0x0018_0081)),
      (
        "b value",
        groups.macro(0x0018_9117).doubles(0x0018_9087).first.map { "\($0)" }
      ),
      ("image type", data.text(0x0008_0008)),
      ("stack", content.text(0x0020_9056)),
      ("segment", groups.macro(0x0062_000A).unsignedShort(0x0062_000B).map(String.init)),
    ]
    return Dictionary(values.compactMap { name, value in value.map { (name, $0) } }) { first, _ in first }
  }

  /// Nuclear medicine and RT dose place frames by offsets along the normal (PS3.3, C.8.8.3.2).
  private static func placedByVector(_ frames: [DICOMFrame], _ data: DICOMDataSet) -> [DICOMFrame] {
    let offsets = data.decimals(0x3004_000C)
    guard frames.count > 1, offsets.count == frames.count, let first = frames.first,
      let position = first.position, let row = first.rowDirection, let column = first.columnDirection
    else { return frames }
    let normal = cross(row, column)
    // The first offset is 0, or the offsets are positions along z themselves.
    return frames.enumerated().map { index, frame in
      var placed = frame
      placed.position = position + normal * (offsets[index] - offsets[0])
      return placed
    }
  }
}
