// The processor as Linux describes it in /proc/cpuinfo, and what its features mean for training speed.

import Foundation

/// Instructions that libtorch's kernels use where they are there. The raw value is the kernel's flag.
enum CPUFeature: String, CaseIterable {
  case avx2
  case avx512f
  case avx512BFloat16 = "avx512_bf16"
  case avx512Float16 = "avx512_fp16"
  case amxBFloat16 = "amx_bf16"
  case amxInt8 = "amx_int8"
  case neon = "asimd"
  case neonFloat16 = "asimdhp"
  case neonBFloat16 = "bf16"
  case sve

  var name: String {
    switch self {
    case .avx2: "AVX2"
    case .avx512f: "AVX-512F"
    case .avx512BFloat16: "AVX-512 BF16"
    case .avx512Float16: "AVX-512 FP16"
    case .amxBFloat16: "AMX BF16"
    case .amxInt8: "AMX INT8"
    case .neon: "NEON"
    case .neonFloat16: "NEON FP16"
    case .neonBFloat16: "NEON BF16"
    case .sve: "SVE"
    }
  }
}

struct CPUInfo: Equatable {
  let model: String
  /// Physical cores; equal to `threads` where the kernel does not tell them apart.
  let cores: Int
  /// Logical processors.
  let threads: Int
  let features: [CPUFeature]

  /// Reads the text of `/proc/cpuinfo`, whose blocks describe one logical processor each.
  init(cpuinfo: String) {
    let processors = Self.blocks(cpuinfo).filter { $0["processor"] != nil }
    let first = processors.first ?? [:]
    let coreNames = processors.compactMap { block in
      block["core id"].map { "\(block["physical id"] ?? "0")/\($0)" }
    }
    let flags = Set((first["flags"] ?? first["Features"] ?? "").split(separator: " ").map(String.init))
    model = first["model name"] ?? Self.armModel(first) ?? "unknown"
    threads = processors.count
    cores = coreNames.isEmpty ? processors.count : Set(coreNames).count
    // "bf16" and "sve" are Arm's names; x86 flags never collide with them.
    features = CPUFeature.allCases.filter { flags.contains($0.rawValue) }
  }

  /// This machine's.
  static var current: CPUInfo {
    CPUInfo(cpuinfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }

  /// Whether bfloat16 is faster than float32.
  var multipliesBFloat16: Bool {
    !Set(features).isDisjoint(with: [.amxBFloat16, .avx512BFloat16, .neonBFloat16])
  }

  /// What the features mean for the choice of precision.
  var advice: String {
    let has = Set(features)
    if has.contains(.amxBFloat16) {
      return "bfloat16 is fast here (AMX multiplies it in tiles): train in bfloat16 autocast."
    }
    if has.contains(.avx512BFloat16) || has.contains(.neonBFloat16) {
      return "bfloat16 is fast here: train in bfloat16 autocast."
    }
    if has.isDisjoint(with: [.avx2, .neon]) {
      return "libtorch's fast kernels need AVX2 or NEON; expect everything to be slow on this processor."
    }
    return "This processor only emulates bfloat16: train in float32, which is faster here."
  }

  private static func blocks(_ text: String) -> [[String: String]] {
    var blocks: [[String: String]] = [[:]]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmed }
      if parts.count == 2 {
        blocks[blocks.count - 1][parts[0]] = parts[1]
      } else if line.trimmed.isEmpty {
        blocks.append([:])
      }
    }
    return blocks
  }

  /// Arm kernels give numbers instead of a name; these are the server cores one meets.
  private static func armModel(_ block: [String: String]) -> String? {
    guard let implementer = block["CPU implementer"], let part = block["CPU part"] else { return nil }
    let known = [
      "0x41/0xd0c": "Arm Neoverse N1", "0x41/0xd49": "Arm Neoverse N2", "0x41/0xd40": "Arm Neoverse V1",
      "0x41/0xd4f": "Arm Neoverse V2", "0x46/0x001": "Fujitsu A64FX", "0xc0/0xac3": "Ampere-1",
    ]
    return known["\(implementer)/\(part)"] ?? "Arm implementer \(implementer), part \(part)"
  }
}
