// The sample sheets of a run: samples/000200.png, samples/sketches-000200.png, grouped and ordered.

import Foundation

/// All sheets of one kind, oldest first.
struct SampleGroup: Equatable {
  /// One sheet, drawn at `step`.
  struct Sheet: Equatable {
    let step: Int
    let url: URL
  }

  /// What stands before the step in the file names: empty for the samples themselves.
  let prefix: String
  let sheets: [Sheet]

  /// The groups in `folder`, the one without a prefix first; empty if there is no such folder.
  static func all(in folder: URL) -> [SampleGroup] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let parsed = names.compactMap { name in
      parse(name).map {
        (prefix: $0.prefix, sheet: Sheet(step: $0.step, url: folder.appendingPathComponent(name)))
      }
    }
    return Dictionary(grouping: parsed, by: \.prefix).sorted { $0.key < $1.key }.map { prefix, members in
      SampleGroup(prefix: prefix, sheets: members.map(\.sheet).sorted { $0.step < $1.step })
    }
  }

  /// At most `count` sheets, evenly spread, the first and the last among them.
  func spread(_ count: Int) -> [Sheet] {
    guard sheets.count > count, count > 1 else { return sheets }
    return (0..<count).map { sheets[$0 * (sheets.count - 1) / (count - 1)] }
  }

  /// The prefix as a heading: `sketches` → `Sketches`.
  var heading: String {
    let words = prefix.replacingOccurrences(of: "-", with: " ").replacingOccurrences(of: "_", with: " ")
    return prefix.isEmpty ? "Samples" : words.prefix(1).uppercased() + words.dropFirst()
  }

  private static func parse(_ name: String) -> (prefix: String, step: Int)? {
    guard name.hasSuffix(".png"), !name.hasPrefix(".") else { return nil }
    let stem = name.dropLast(4)
    let digits = stem.suffix { $0.isASCII && $0.isNumber }
    let before = stem.dropLast(digits.count)
    guard let step = Int(digits), before.isEmpty || before.hasSuffix("-") else { return nil }
    return (String(before.dropLast()), step)
  }
}

extension Substring {
  /// The longest end whose characters all satisfy `predicate`.
  fileprivate func suffix(while predicate: (Character) -> Bool) -> Substring {
    self[(lastIndex { !predicate($0) }.map { index(after: $0) } ?? startIndex)...]
  }
}
