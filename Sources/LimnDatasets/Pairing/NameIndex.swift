// What belongs to a file, found by the likeness of their names.

import Foundation

/// Things by the paths of their files.
struct NameIndex<Value: Sendable>: Sendable {
  /// How two names are alike, the surest first.
  enum Likeness: Sendable {
    /// The same path below the two folders, or the same name but for an ending such as `_mask`.
    case name
    /// The same letters before the first `_`.
    case start
  }

  /// What may follow a name, the empty ending first.
  private let endings: [String]
  private var byPath: [String: [Value]] = [:]
  private var byName: [String: [Value]] = [:]
  private var byStart: [String: [Value]] = [:]

  /// - Parameter words: what follows a name after `_` or `-`, such as `mask`.
  init(words: [String]) { endings = [""] + words.map { "_\($0)" } + words.map { "-\($0)" } }

  /// - Parameters:
  ///   - value: what is found again.
  ///   - path: the file's path from the folder on, whose own name comes first.
  mutating func add(_ value: Value, path: String) {
    let stem = Self.stem(path)
    byPath["\(Self.folders(path))/\(stem)", default: []].append(value)
    byName[stem, default: []].append(value)
    byStart[Self.start(stem), default: []].append(value)
  }

  /// - Parameter path: from its own folder on, whose name comes first.
  /// - Returns: what is most like that path, more than one value where it is not decided; nil of nothing.
  func matches(_ path: String) -> (values: [Value], likeness: Likeness)? {
    let stem = Self.stem(path)
    let names =
      [stem]
      + endings.filter { !$0.isEmpty && stem.hasSuffix($0) }
      .map { String(stem.dropLast($0.count)) }
    let candidates =
      [byPath["\(Self.folders(path))/\(stem)"]]
      + names.flatMap { name in endings.map { byName[name + $0] } }
    if let found = candidates.compactMap(\.self).first { return (found, .name) }
    return byStart[Self.start(stem)].map { ($0, .start) }
  }

  /// Whether more than one thing here begins as a path does.
  func sharesStart(_ path: String) -> Bool { (byStart[Self.start(Self.stem(path))]?.count ?? 0) > 1 }

  private static func stem(_ path: String) -> String { FileStem.of(URL(fileURLWithPath: path)) }

  /// The folders between the outermost one and the file.
  private static func folders(_ path: String) -> String {
    path.split(separator: "/").dropFirst().dropLast().joined(separator: "/")
  }

  private static func start(_ stem: String) -> String {
    stem.firstIndex(of: "_").map { String(stem[..<$0]) } ?? stem
  }
}
