// log.txt of a run: one line for each event, with its time, readable while the run goes on.

import Foundation
import Logging
import Synchronization

/// Writes swift-log's messages to a file, line by line, appending to what is there.
struct RunLogHandler: LogHandler {
  /// The open file, shared by copies of the handler.
  private final class File: Sendable {
    private let handle: Mutex<FileHandle?>

    init(_ url: URL) {
      if !FileManager.default.fileExists(atPath: url.path) { try? Data().write(to: url) }
      let opened = try? FileHandle(forWritingTo: url)
      _ = try? opened?.seekToEnd()
      handle = Mutex(opened)
    }

    /// A line that cannot be written, on a full disk say, must not end the training that it tells of.
    func append(_ line: String) { handle.withLock { try? $0?.write(contentsOf: Data("\(line)\n".utf8)) } }
  }

  private let file: File
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(file url: URL) { file = File(url) }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = Date().formatted(.iso8601)
    let values = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let words = values.map { " \($0.key)=\($0.value)" }.joined()
    file.append("\(time) \(event.level) \(event.message)\(words)")
  }
}

extension RunFolder {
  /// A logger that writes to the run's log.txt.
  func logger() -> Logger {
    Logger(label: "limn.run") { _ in RunLogHandler(file: url.appendingPathComponent("log.txt")) }
  }
}
