// The lock of a run: one process trains it at a time. It dies with its process, however that ends.

import Foundation

/// Held by the process that trains a run, on the file `.lock` in the run's folder.
final class RunLock: Sendable {
  private let descriptor: Int32

  /// - Throws: ``RunError`` if another process holds the lock, or if the folder cannot be written.
  init(_ folder: URL) throws {
    let path = folder.appendingPathComponent(".lock").path
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard opened >= 0 else {
      throw RunError("\(folder.path): cannot be written (\(String(cString: strerror(errno))))")
    }
    // A file system without locks refuses with other reasons; training then goes on unguarded.
    if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(opened)
      throw RunError("\(folder.path): another process is training this run; let it finish or end it first")
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Whether no living process holds the lock of a folder.
  static func isFree(_ folder: URL) -> Bool { (try? RunLock(folder)) != nil }
}
