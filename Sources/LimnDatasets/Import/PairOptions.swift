// The other image of each pair: where it is, and how its intensities become pixels.

import Foundation
import LimnImaging

/// Images that belong to the imported ones, another contrast of the same anatomy say; they become the layer
/// `targets`.
public struct PairOptions: Sendable {
  /// Where they are. In a folder: the file of the image's own path below its source; else of its name but for the
  /// words that tell contrasts apart (`t1`, `flair`, `ct`, `a`, …), with its folders or alone; else the only one
  /// that shares what comes before the name's first `_`; else the only one of the same DICOM patient; and of one
  /// image on each side, these two.
  public var rule: LabelRule
  /// As ``CutOptions/window``, taken over each of these volumes.
  public var window: IntensityWindow?
  /// As ``CutOptions/takesFileWindow``.
  public var takesFileWindow = false

  /// Where `rule` says, with the window that images have by default.
  public init(_ rule: LabelRule) { self.rule = rule }
}

/// Finds the other image of each pair.
struct PairFinder {
  private let rule: LabelRule
  /// The imported images, and the others, by what a pair may have in common.
  private let own: [String: [SourceUnit]]
  private var others: [String: [SourceUnit]] = [:]
  /// Where there is one image on each side.
  private var onlyPair: SourceUnit?
  /// Files that cannot be read, and why.
  private(set) var problems: [ImportProblem] = []

  /// Words that tell the images of one patient apart.
  private static let words: Set<String> = [
    "t1", "t1w", "t1c", "t1ce", "t1gd", "t2", "t2w", "fl", "flair", "pd", "pdw", "mr", "mri", "ct", "cbct",
    "pet",
    "us", "dwi", "adc", "swi", "a", "b", "source", "target", "moving", "fixed", "real", "fake",
  ]

  /// - Parameters:
  ///   - rule: where the others are.
  ///   - units: what is imported.
  ///   - pool: reads the others' headers.
  ///   - tick: called a few times in a second.
  /// - Throws: ``DatasetError`` where there is no image at all; what `tick` throws.
  init(_ rule: LabelRule, for units: [SourceUnit], pool: HelperPool, tick: () throws -> Void) throws {
    self.rule = rule
    own = Self.index(units)
    guard case .folder(let folder) = rule else { return }
    let scan = try SourceScan([folder], pool: pool, tick: tick)
    let imported = Set(units.map(\.first.standardizedFileURL.path))
    let found = scan.units.filter { !imported.contains($0.first.standardizedFileURL.path) }
    guard !found.isEmpty else {
      throw DatasetError(folder, "no image there to pair with; check --pair")
    }
    others = Self.index(found)
    onlyPair = units.count == 1 && found.count == 1 ? found[0] : nil
    problems = scan.problems
  }

  /// The other image of a pair.
  /// - Throws: ``DatasetError`` where there is none, or more than one.
  func partner(of unit: SourceUnit) throws -> SourceUnit {
    guard case .folder(let folder) = rule else { return try partnerByPath(of: unit) }
    var doubtful: [SourceUnit] = []
    for key in Self.keys(of: unit) {
      guard let found = others[key] else { continue }
      if found.count == 1, own[key]?.count == 1 { return found[0] }
      if doubtful.isEmpty { doubtful = found }
    }
    if let onlyPair { return onlyPair }
    guard let first = doubtful.first else {
      throw DatasetError(
        unit.first,
        "has no counterpart in \(folder.path): no file there has its name, with or without a word such as t1 or "
          + "flair; check --pair")
    }
    let others =
      doubtful.count > 1
      ? "\(doubtful.count) files of \(folder.path) may belong to it, \(first.path) and \(doubtful[1].path) among them"
      : "\(first.path) may belong to it, and to other sources"
    throw DatasetError(unit.first, "\(others); give --pair a path with {name} or {folder}")
  }

  private func partnerByPath(of unit: SourceUnit) throws -> SourceUnit {
    let path = rule.path(for: unit)
    let url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DatasetError(unit.first, "has no counterpart: there is no \(path); check --pair")
    }
    let files = isFolder.boolValue ? SourceScan.files(below: url).map(\.0) : [url]
    guard let first = files.first else {
      throw DatasetError(unit.first, "has no counterpart: \(path) is empty; check --pair")
    }
    return SourceUnit(
      files: files, isDICOM: FileKind(sniffing: first) == .dicom, path: url.lastPathComponent, header: nil)
  }

  private static func index(_ units: [SourceUnit]) -> [String: [SourceUnit]] {
    var index: [String: [SourceUnit]] = [:]
    for unit in units {
      for key in keys(of: unit) { index[key, default: []].append(unit) }
    }
    return index
  }

  /// What the images of a pair may have in common, the surest first.
  private static func keys(of unit: SourceUnit) -> [String] {
    let parts = unit.path.split(separator: "/").map(String.init)
    // The files of a series are called as they like; their folder tells whose it is.
    let isSeries = unit.files.count > 1
    let folders = Array(parts.dropFirst().dropLast())
    let name = isSeries ? folders.last ?? "" : FileStem.of(unit.first)
    let subject = plain((isSeries ? folders : folders + [name]).joined(separator: "-"))
    let person = unit.header?.dicom?.patientID ?? ""
    let start = name.firstIndex(of: "_").map { String(name[..<$0]) } ?? name
    let values = [
      ("path", name.isEmpty ? "" : (folders + [name]).joined(separator: "/")), ("subject", subject),
      ("name", plain(name)), ("start", start), ("person", person),
    ]
    return values.filter { !$0.1.isEmpty }.map { "\($0.0)/\($0.1)" }
  }

  /// The words of a name but for those that tell contrasts apart.
  private static func plain(_ name: String) -> String {
    name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
      .filter { !words.contains($0) }.joined(separator: "-")
  }
}
