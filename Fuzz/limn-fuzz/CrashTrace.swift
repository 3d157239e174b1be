// Where a worker died: its frames, written while it dies, and what they say.

import Foundation

enum CrashTrace {
  /// Whether the program is built with AddressSanitizer, which writes traces of its own.
  static var isSanitized: Bool { dlsym(nil, "__asan_init") != nil }

  private typealias Frames = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  // glibc's <execinfo.h>, which Swift does not import.
  private static let collect = dlsym(nil, "backtrace").map {
    unsafeBitCast($0, to: (@convention(c) (Frames?, Int32) -> Int32).self)
  }
  private static let write = dlsym(nil, "backtrace_symbols_fd").map {
    unsafeBitCast($0, to: (@convention(c) (Frames?, Int32, Int32) -> Void).self)
  }
  nonisolated(unsafe) private static let frames = Frames.allocate(capacity: 48)

  /// Makes deadly signals write the frames to standard error first.
  static func install() {
    #if os(Linux)
      // The first call loads a library, which a dying process should not.
      guard !isSanitized, let collect, write != nil else { return }
      _ = collect(frames, 4)
      // A stack of its own, for the case that the other one is used up.
      var stack = stack_t(ss_sp: malloc(1 << 18), ss_flags: 0, ss_size: 1 << 18)
      sigaltstack(&stack, nil)
      for signal in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP] {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
          CrashTrace.write?(CrashTrace.frames, CrashTrace.collect?(CrashTrace.frames, 48) ?? 0, STDERR_FILENO)
          kill(getpid(), SIGKILL)
        }
        action.sa_flags = SA_ONSTACK
        sigaction(signal, &action, nil)
      }
    #endif
  }

  /// The frame that a trace blames: the first outside the system's libraries and the handler.
  static func culprit(of trace: String) -> String {
    let lines = trace.split(separator: "\n").map(String.init)
    let frames = lines.filter { $0.contains(" [0x") || $0.contains(")[0x") || $0.contains("    #") }
    let isOurs = frames.first?.contains("#") == true
    let blamed = frames.dropFirst(isOurs ? 0 : 2).first { frame in
      !system.contains { frame.contains($0) }
    }
    let words = lines.first { $0.contains("rror") || $0.contains("ssert") || $0.contains("atal") } ?? ""
    let place = blamed.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "unknown place"
    return String("\(place) \(words)".prefix(300))
  }

  private static let system = [
    "libc.so", "libstdc++", "libgcc", "ld-linux", "linux-vdso", "libpthread", "asan", "__interceptor",
    "compiler-rt", "libswiftCore", "libFoundation",
  ]

  /// Libraries whose deaths are not ours to mend: GDCM and the codecs that it calls.
  static func isGDCM(_ culprit: String) -> Bool {
    ["libgdcm", "libopenjp2", "libcharls"].contains { culprit.contains($0) }
  }
}
