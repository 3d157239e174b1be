// The folder of a dataset in the making: hidden beside its place, renamed when whole, removed when not.

import Foundation
import LimnTorch

/// A folder that appears at `target` complete or not at all.
///
/// Work happens in `.NAME.MARK.partial` beside the target. What a killed process left there is removed by the
/// next one that writes the same dataset: a lock, which dies with its process, tells the two apart.
final class DatasetFolder {
  let target: URL
  let partial: URL
  private let overwrite: Bool
  private var lock: Int32
  private var isPublished = false

  /// - Throws: ``DatasetError`` if something is at `target` and may not be replaced, or if the parent folder
  ///   cannot be written.
  init(target: URL, overwrite: Bool) throws {
    let target = target.standardizedFileURL
    let mark = String(UInt64.random(in: .min ... .max), radix: 36)
    self.target = target
    self.overwrite = overwrite
    partial = Self.sibling(of: target, mark: "\(mark).partial")
    try Self.checkReplaceable(target, overwrite: overwrite)
    Self.removeAbandoned(besides: target)
    do { try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true) } catch {
      throw DatasetError(target, "the folder cannot be made (\(error.localizedDescription))")
    }
    lock = open(Self.lockFile(partial), O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    flock(lock, LOCK_EX | LOCK_NB)
  }

  deinit {
    close(lock)
    if !isPublished { try? FileManager.default.removeItem(at: partial) }
  }

  /// Puts the folder in its place; what stood there is removed after that.
  func publish() throws {
    try Self.checkReplaceable(target, overwrite: overwrite)
    unlink(Self.lockFile(partial))
    do { try WholeFolder.publish(partial, at: target) } catch let error as AtomicFileError {
      throw DatasetError(target, "cannot be put in place (\(error.reason))")
    }
    isPublished = true
  }

  private static func sibling(of target: URL, mark: String) -> URL {
    target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).\(mark)")
  }

  private static func lockFile(_ partial: URL) -> String { partial.appendingPathComponent(".lock").path }

  /// Only a dataset is ever overwritten: a mistyped path must not cost somebody a folder of something else.
  /// - Throws: ``DatasetError`` if something is at `target` that may not be replaced.
  static func checkReplaceable(_ target: URL, overwrite: Bool) throws {
    guard FileManager.default.fileExists(atPath: target.path) else { return }
    let manifest = target.appendingPathComponent(DatasetManifest.fileName)
    guard FileManager.default.fileExists(atPath: manifest.path) else {
      throw DatasetError(target, "exists and is not a dataset; choose another place")
    }
    guard overwrite else {
      throw DatasetError(target, "exists; choose another place, or pass --overwrite to replace it")
    }
  }

  private static func removeAbandoned(besides target: URL) {
    let parent = target.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    for name in names where name.hasPrefix(".\(target.lastPathComponent).") && name.hasSuffix(".partial") {
      let folder = parent.appendingPathComponent(name)
      let descriptor = open(lockFile(folder), O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(at: folder) }
      close(descriptor)
    }
  }
}
