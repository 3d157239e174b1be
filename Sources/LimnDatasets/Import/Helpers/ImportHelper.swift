// Where files are decoded: in this process, or in another one that a codec may take down with it.

import Foundation

/// How an import reads files.
public enum ImportHelpers: Sendable {
  /// In this process, one after the other. A codec that crashes ends the program.
  case none
  /// In so many processes of a program that answers by calling ``ImportHelperProcess/serve(memory:)``.
  case processes(count: Int, executable: URL, arguments: [String], limits: HelperLimits = HelperLimits())
}

/// What a helper process may use before it is stopped and replaced.
public struct HelperLimits: Sendable {
  /// Bytes of memory of its own: 8 GiB, twice the largest image that is read.
  public var memory = 8 << 30
  /// Seconds for a request, and for each of its files.
  public var seconds = 60.0

  /// The defaults above.
  public init() {}
}

/// Does what a request asks for.
protocol ImportHelper: AnyObject {
  /// - Throws: ``HelperFailure`` where the helper died of the request; it can take the next one.
  func perform(_ request: ImportRequest) throws -> ImportReply
}

/// A helper did not survive a request.
struct HelperFailure: Error {
  /// What happened: `the decoder crashed (signal 6)`.
  let reason: String
}

/// Works in this process.
final class LocalHelper: ImportHelper {
  func perform(_ request: ImportRequest) -> ImportReply { ImportWork.perform(request) }
}

/// A helper process, started when it is needed and again when it has died. One thread at a time uses it.
final class HelperProcess: ImportHelper, @unchecked Sendable {
  private let executable: URL
  private let arguments: [String]
  private let limits: HelperLimits
  /// Asked while a reply is awaited; true ends the wait and the process.
  private let isCancelled: @Sendable () -> Bool
  private var running: ChildProcess?

  init(
    executable: URL, arguments: [String], limits: HelperLimits, isCancelled: @escaping @Sendable () -> Bool
  ) {
    (self.executable, self.arguments, self.limits) = (executable, arguments, limits)
    self.isCancelled = isCancelled
  }

  /// Starts the process; if it cannot be, the first request says so.
  func prepare() { _ = try? started() }

  func perform(_ request: ImportRequest) throws -> ImportReply {
    let process = try started()
    let deadline = Date().addingTimeInterval(limits.seconds * Double(1 + request.fileCount))
    do {
      try MessagePipe.send(request, to: process.input)
      return try MessagePipe.receive(ImportReply.self, from: process.output) {
        try self.wait(for: process.output, until: deadline)
      }
    } catch {
      running = nil
      if let failure = error as? HelperFailure { throw failure }
      throw HelperFailure(reason: process.ended())
    }
  }

  private func wait(for descriptor: Int32, until deadline: Date) throws {
    var awaited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&awaited, 1, 100) == 0 {
      if isCancelled() { throw HelperFailure(reason: "the import was stopped") }
      guard Date() < deadline else {
        throw HelperFailure(reason: "the decoder did not come to an end in time")
      }
    }
  }

  private func started() throws -> ChildProcess {
    if let running { return running }
    // Images come and go by the thousand: their memory is kept, not given back and cleared each time.
    // 32 MiB is the most that the C library takes for the first.
    let memory = ["MALLOC_MMAP_THRESHOLD_": "\(32 << 20)", "MALLOC_TRIM_THRESHOLD_": "\(1 << 30)"]
    guard
      let process = ChildProcess(
        executable.path, arguments + ["\(limits.memory)"],
        environment: ProcessInfo.processInfo.environment.merging(memory) { $1 })
    else { throw HelperFailure(reason: "the helper \(executable.path) cannot be started") }
    running = process
    return process
  }
}

extension ImportRequest {
  fileprivate var fileCount: Int {
    switch self {
    case .probe(let files): files.count
    case .test: 1
    case .cut(let request): request.files.count + (request.pair?.files.count ?? 0)
    }
  }
}
