// Folders that appear and vanish whole: written under a hidden name, renamed, the rename made durable.

import Foundation

/// Moves of folders that a crash leaves done or not begun.
package enum WholeFolder {
  /// A hidden name beside `place` for what is unfinished or no longer wanted: `.NAME.UUID.tmp`.
  package static func temporaryPlace(beside place: URL) -> URL {
    let name = ".\(place.lastPathComponent).\(UUID().uuidString).tmp"
    return place.deletingLastPathComponent().appendingPathComponent(name)
  }

  /// Puts a finished folder in its place. What stands there is moved aside first, removed last, and put back
  /// where the new folder cannot take its place.
  /// - Throws: ``AtomicFileError`` with the system's reason.
  package static func publish(_ temporary: URL, at place: URL) throws {
    let old = temporaryPlace(beside: place)
    let replaces = rename(place.path, old.path) == 0
    do { try move(temporary, to: place) } catch {
      if replaces { rename(old.path, place.path) }
      throw error
    }
    if replaces { try? FileManager.default.removeItem(at: old) }
  }

  /// Renames a folder within its parent.
  /// - Throws: ``AtomicFileError`` with the system's reason, also where something stands at `place` already.
  package static func move(_ folder: URL, to place: URL) throws {
    guard rename(folder.path, place.path) == 0 else {
      throw AtomicFileError(place)
    }
    synchronise(place.deletingLastPathComponent())
  }

  /// Removes a folder: gone at once, whatever interrupts the removal of what it holds.
  package static func remove(_ folder: URL) {
    let hidden = temporaryPlace(beside: folder)
    guard rename(folder.path, hidden.path) == 0 else { return }
    try? FileManager.default.removeItem(at: hidden)
  }

  /// Removes the hidden folders and files that a killed process has left in `parent`.
  /// - Parameters:
  ///   - parent: where to look.
  ///   - name: only what was made beside this name; all where nil.
  ///   - isAbandoned: asked for each of them.
  package static func removeLeftovers(
    in parent: URL, beside name: String? = nil, where isAbandoned: (URL) -> Bool = { _ in true }
  ) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    for found in names where found.hasPrefix(".\(name.map { "\($0)." } ?? "")") && found.hasSuffix(".tmp") {
      let middle = found.dropLast(4).split(separator: ".").last.map(String.init) ?? ""
      guard name == nil || found == ".\(name ?? "").\(middle).tmp" && UUID(uuidString: middle) != nil else {
        continue
      }
      let leftover = parent.appendingPathComponent(found)
      if isAbandoned(leftover) { try? FileManager.default.removeItem(at: leftover) }
    }
  }

  /// Makes renames in a folder durable; some network file systems refuse, which costs nothing.
  private static func synchronise(_ folder: URL) {
    let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }
}
