// Readers of the small texts in which Linux and its drivers describe themselves. All are pure functions.

import Foundation

extension StringProtocol {
  var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

enum SystemTexts {
  /// The distribution's name in `/etc/os-release`.
  static func distribution(osRelease: String) -> String? {
    value(of: "PRETTY_NAME", separator: "=", in: osRelease)?.trimmingCharacters(in: ["\""])
  }

  /// Total and available memory in bytes, from `/proc/meminfo`, which counts in KiB.
  static func memory(meminfo: String) -> (total: Int, available: Int)? {
    func bytes(_ key: String) -> Int? {
      value(of: key, separator: ":", in: meminfo)?.split(separator: " ").first.flatMap { Int($0) }
        .map { $0 * 1024 }
    }
    guard let total = bytes("MemTotal"), let available = bytes("MemAvailable") else { return nil }
    return (total, available)
  }

  /// The driver's version in `/proc/driver/nvidia/version`: its first line's first dotted number.
  static func nvidiaDriver(version: String) -> String? {
    let line = version.split(separator: "\n").first { $0.hasPrefix("NVRM version") }
    return line?.split(separator: " ").map(String.init).first { word in
      let parts = word.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count >= 2 && parts.allSatisfy { Int($0) != nil }
    }
  }

  /// The model in `/proc/driver/nvidia/gpus/*/information`.
  static func nvidiaModel(information: String) -> String? {
    value(of: "Model", separator: ":", in: information)
  }

  /// The path of a loaded library whose file name begins with `name`, from `/proc/self/maps`.
  static func loadedLibrary(_ name: String, maps: String) -> String? {
    for line in maps.split(separator: "\n") {
      guard let start = line.firstIndex(of: "/"), let slash = line.lastIndex(of: "/") else { continue }
      if line[line.index(after: slash)...].hasPrefix(name) { return String(line[start...]) }
    }
    return nil
  }

  /// `1.5 GiB` and the like.
  static func size(_ bytes: Int) -> String {
    let gibibytes = Double(bytes) / 0x1p30
    return gibibytes < 10 ? String(format: "%.1f GiB", gibibytes) : "\(Int(gibibytes.rounded())) GiB"
  }

  private static func value(of key: String, separator: Character, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      if parts.count == 2, parts[0].trimmed == key { return parts[1].trimmed }
    }
    return nil
  }
}
