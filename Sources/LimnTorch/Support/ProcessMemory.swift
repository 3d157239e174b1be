// How much memory this process holds, as the kernel counts it.

import Foundation

/// The memory of this process.
public enum ProcessMemory {
  /// Bytes resident in memory now; nil where the system has no `/proc`.
  public static var resident: Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    return resident(inStatus: status)
  }

  /// The `VmRSS` entry of a `/proc/…/status` text, in bytes (the kernel writes kibibytes).
  static func resident(inStatus text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    return kibibytes.map { $0 * 1024 }
  }
}
