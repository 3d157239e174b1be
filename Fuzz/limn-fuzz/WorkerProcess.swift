// The parent's end of a worker: lines come, or an end, or nothing.

import Foundation

final class WorkerProcess {
  enum Event {
    case line(String)
    /// The process is gone, with what it wrote while it died.
    case died(trace: String)
    case silent
  }

  private let process = Process()
  private let output = Pipe()
  private let trace: URL
  private var buffer: [UInt8] = []

  /// - Throws: where the process cannot be started.
  init(arguments: [String], trace: URL) throws {
    self.trace = trace
    try Data().write(to: trace)
    process.executableURL = Bundle.main.executableURL
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: trace)
    let asan =
      "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=5120:detect_odr_violation=0:handle_abort=1"
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no", "OMP_NUM_THREADS": "1", "ASAN_OPTIONS": asan]) { $1 }
    try process.run()
    // Else the pipe would not end with the worker.
    try output.fileHandleForWriting.close()
  }

  /// Waits for the next line.
  func next(seconds: Double) -> Event {
    let descriptor = output.fileHandleForReading.fileDescriptor
    let deadline = Date().addingTimeInterval(seconds)
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return .line(line)
      }
      var awaited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let left = max(0, deadline.timeIntervalSinceNow)
      guard poll(&awaited, 1, Int32(left * 1000)) > 0 else { return .silent }
      var step = [UInt8](repeating: 0, count: 4096)
      let got = read(descriptor, &step, step.count)
      guard got > 0 else {
        process.waitUntilExit()
        return .died(trace: (try? String(contentsOf: trace, encoding: .utf8)) ?? "")
      }
      buffer += step[..<got]
    }
  }

  /// Ends a silent process in a way that makes it tell where it is.
  func interrupt() -> String {
    kill(process.processIdentifier, SIGABRT)
    if case .died(let trace) = next(seconds: 5) { return trace }
    return ""
  }

  /// Ends the process at once.
  func stop() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }
}
