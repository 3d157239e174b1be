// What an import has finished so far, beside the dataset to be: an interrupted import goes on from it.

import Foundation
import LimnTorch

/// The hidden folder `.NAME.importing`. Each volume that has been cut is there as two files, named by a keyed
/// hash of the volume's files, their sizes and times, and the options; so a volume is taken up again only if
/// nothing about it has changed. Nothing in the folder names a person.
final class Spool {
  let folder: URL
  private let key: IdentityKey
  private let lock: Int32

  /// - Throws: ``DatasetError`` where another import to the same place is under way, or the folder cannot be
  ///   made.
  init(beside destination: URL, key: IdentityKey) throws {
    let target = destination.standardizedFileURL
    folder = Self.folder(beside: target)
    self.key = key
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw DatasetError(target, "the folder cannot be made (\(error.localizedDescription))")
    }
    lock = open(folder.appendingPathComponent(".lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw DatasetError(target, "another import to this place is under way; wait for it, or stop it")
    }
  }

  deinit { close(lock) }

  private static func folder(beside target: URL) -> URL {
    target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).importing")
  }

  /// Removes what an import has left that was killed between completing its dataset and tidying up.
  static func removeLeftover(beside destination: URL) {
    let folder = folder(beside: destination.standardizedFileURL)
    let lock = open(folder.appendingPathComponent(".lock").path, O_RDWR | O_CLOEXEC)
    guard lock >= 0 else { return }
    if flock(lock, LOCK_EX | LOCK_NB) == 0 { WholeFolder.remove(folder) }
    close(lock)
  }

  /// The name under which a request's result is kept.
  func name(of request: CutRequest) -> String {
    var unnamed = request
    unnamed.output = ""
    let files = request.files + [request.label?.file].compactMap(\.self) + (request.pair?.files ?? [])
    let state = files.map(Self.state).joined(separator: "\n")
    let text = (try? JSONEncoder.readable.encode(unnamed)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return key.digest("spool", "\(LimnVersion.current)\n\(text)\n\(state)")
  }

  private static func state(of file: String) -> String {
    var facts = stat()
    guard stat(file, &facts) == 0 else { return "" }
    return "\(facts.st_size) \(facts.st_mtim.tv_sec) \(facts.st_mtim.tv_nsec)"
  }

  /// Where a helper writes the pixels.
  func pixels(_ name: String) -> URL { folder.appendingPathComponent("\(name).pixels") }

  /// What an earlier import has kept; nil where there is nothing that is whole.
  func result(_ name: String) -> CutOutcome? {
    guard let data = try? Data(contentsOf: description(name)) else { return nil }
    return try? JSONDecoder().decode(CutOutcome.self, from: data)
  }

  /// Keeps a result whose pixels have been written.
  func keep(_ outcome: CutOutcome, as name: String) throws {
    try AtomicFile.write(JSONEncoder.readable.encode(outcome), to: description(name))
  }

  private func description(_ name: String) -> URL { folder.appendingPathComponent("\(name).json") }

  /// Removes everything: the dataset is complete.
  func remove() { WholeFolder.remove(folder) }
}
