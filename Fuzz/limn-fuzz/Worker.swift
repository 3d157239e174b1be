// A process that reads inputs until one of them ends it; the parent sees how far it came.

import ArgumentParser
import Foundation
import LimnFuzzing
import LimnTorch

enum Worker {
  /// Bytes of its own that a worker may take.
  private static let memoryLimit = 5 << 30

  /// Reads the inputs of `task` (`FORMAT:FROM:TO`), a line of output for each.
  static func serve(_ task: String, seeds folders: [URL], seed: UInt64, in work: String) throws {
    let parts = task.split(separator: ":").map(String.init)
    guard parts.count == 3, let format = FuzzFormat(rawValue: parts[0]), let start = Int(parts[1]),
      let end = Int(parts[2]), start < end
    else { throw ValidationError("no such task: \(task)") }
    let answers = prepare()
    let mutator = Mutator(seeds: SeedFiles.load(from: folders), seed: seed)
    let reader = try FuzzReader(workFolder: URL(fileURLWithPath: work))
    say("ready", to: answers)
    for index in start..<end {
      say(text(of: try reader.read(mutator.input(format, index))), to: answers)
    }
  }

  /// Reads one recorded input in this process, which may die of it.
  static func replay(_ url: URL) throws {
    let name = url.lastPathComponent
    guard let kind = FuzzKind(rawValue: String(name.prefix { $0 != "-" })) else {
      throw ValidationError(
        "\(name) does not begin with a kind of file: \(FuzzKind.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("limn-replay-\(getpid())")
    defer { try? FileManager.default.removeItem(at: place) }
    let input = FuzzInput(kind: kind, bytes: [UInt8](try Data(contentsOf: url)))
    print(try FuzzReader(workFolder: place).read(input))
  }

  /// Bounds the process and sends what libraries print nowhere; the answer is where lines go.
  private static func prepare() -> Int32 {
    let answers = dup(STDOUT_FILENO)
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO)
    Torch.threadCount = 1
    CrashTrace.install()
    #if os(Linux)
      var none = rlimit(rlim_cur: 0, rlim_max: 0)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
      // AddressSanitizer's shadow alone is larger; it bounds single allocations itself.
      var memory = rlimit(rlim_cur: rlim_t(memoryLimit), rlim_max: rlim_t(memoryLimit))
      if !CrashTrace.isSanitized { setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &memory) }
    #endif
    return answers
  }

  private static func text(of outcome: FuzzOutcome) -> String {
    switch outcome {
    case .read: "read"
    case .refused: "refused"
    case .badLine(let line): "line \(line.debugDescription)"
    case .overMemory(let bytes): "memory \(bytes >> 20) MiB"
    }
  }

  private static func say(_ line: String, to descriptor: Int32) {
    let bytes = Array((line + "\n").utf8)
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
      }
      guard written > 0 else { _exit(0) }
      done += written
    }
  }
}
