// Files that appear whole or not at all: written beside their place, synchronised to disk, renamed.

import Foundation

/// Writes a file so that no moment, not even a crash or a power cut, leaves a half-written one in its place.
public enum AtomicFile {
  /// Writes `data` beside `url` under a temporary name, then renames it onto `url`.
  ///
  /// - Throws: ``AtomicFileError`` if the folder does not exist or cannot be written; the temporary file
  ///   is removed and what stood at `url` before is left as it was.
  public static func write(_ data: Data, to url: URL) throws {
    try write(to: url) { temporary in
      let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw AtomicFileError(url) }
      defer { close(descriptor) }
      try data.withUnsafeBytes { try writeAll($0, to: descriptor, of: url) }
    }
  }

  /// Lets `contents` write the file at the temporary place it is given, then renames it onto `url`.
  ///
  /// For writers that stream (weights, images) and would otherwise need the whole file in memory.
  ///
  /// - Throws: what `contents` throws, or ``AtomicFileError``; the temporary file is removed either way.
  public static func write(to url: URL, contents: (_ temporary: URL) throws -> Void) throws {
    let temporary = temporaryPlace(beside: url)
    do {
      try contents(temporary)
      try synchronise(temporary, for: url)
      guard rename(temporary.path, url.path) == 0 else { throw AtomicFileError(url) }
    } catch {
      unlink(temporary.path)
      throw error
    }
    synchroniseFolder(of: url)
  }

  /// Makes the folder that a file is to lie in, and those above it.
  /// - Throws: Foundation's error where it cannot be made.
  public static func makeFolder(of file: URL) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  }

  /// A hidden name of its own for every call, in the same folder because a rename cannot cross file systems.
  private static func temporaryPlace(beside url: URL) -> URL {
    let mark = String(UInt64.random(in: .min ... .max), radix: 36)
    return url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(mark).tmp")
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, of url: URL) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Foundation.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw AtomicFileError(url) }
      rest = rest.dropFirst(written)
    }
  }

  private static func synchronise(_ temporary: URL, for url: URL) throws {
    let descriptor = open(temporary.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw AtomicFileError(url) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw AtomicFileError(url) }
  }

  /// Makes the rename itself durable; some network file systems refuse it for folders, which costs nothing.
  private static func synchroniseFolder(of url: URL) {
    let descriptor = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }
}

/// A file that could not be written, with the system's reason.
public struct AtomicFileError: Error, CustomStringConvertible {
  /// The file's path.
  public let path: String
  /// The system's words.
  public let reason: String

  /// Takes the reason from `errno`, so it must be made right after the call that failed.
  init(_ url: URL) {
    reason = String(cString: strerror(errno))
    path = url.path
  }

  public var description: String { "\(path): cannot be written (\(reason))" }
}
