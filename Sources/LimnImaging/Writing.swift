// Files appear whole or not at all: they are written beside their place and renamed.

import Foundation

enum AtomicFile {
  /// Calls `write` with a path beside `path`, then renames; nothing stays when it throws.
  static func write(to path: String, _ write: (String) throws -> Void) throws {
    let url = URL(fileURLWithPath: path)
    let beside = url.deletingLastPathComponent().appendingPathComponent(
      ".\(UUID().uuidString).\(url.lastPathComponent)")
    defer { try? FileManager.default.removeItem(at: beside) }
    try write(beside.path)
    guard rename(beside.path, path) == 0 else { throw unwritable(path) }
  }

  static func write(_ data: Data, to path: String) throws {
    try write(to: path) { beside in
      do {
        try data.write(to: URL(fileURLWithPath: beside))
      } catch {
        throw unwritable(path)
      }
    }
  }

  static func unwritable(_ path: String) -> ImagingError {
    ImagingError(
      file: path, found: "a place that cannot be written to", expected: "an existing folder with room",
      advice: "create the folder or choose another")
  }
}
