// Random numbers come from explicit generators, so that everything can be drawn again.

import CTorch

/// A random number generator of libtorch: Mersenne Twister on the CPU, Philox on a GPU.
public final class Generator: @unchecked Sendable {
  let handle: ct_generator
  /// Where the numbers are drawn.
  public let device: Device

  /// A generator of its own, seeded.
  public init(seed: UInt64, device: Device = .cpu) {
    guard let handle = ct_generator_create(device.kind.rawValue, Int32(device.index), seed) else {
      Torch.fail(Torch.lastError("Generator", "seed \(seed), \(device)"))
    }
    self.handle = handle
    self.device = device
  }

  private init(default device: Device) {
    guard let handle = ct_generator_default(device.kind.rawValue, Int32(device.index)) else {
      Torch.fail(Torch.lastError("Generator.default", device.description))
    }
    self.handle = handle
    self.device = device
  }

  /// The generator behind operators that take none, such as dropout.
  public static func `default`(on device: Device) -> Generator { Generator(default: device) }

  deinit { ct_generator_release(handle) }

  /// Starts the sequence again from `seed`.
  public func reseed(_ seed: UInt64) {
    Torch.check(ct_generator_seed(handle, seed), "Generator.reseed", "\(seed)")
  }

  /// The whole state, a uint8 tensor on the CPU.
  public var state: Tensor {
    get {
      guard let state = ct_generator_state(handle) else { Torch.fail(Torch.lastError("Generator.state")) }
      return Tensor(owning: state)
    }
    set { Torch.check(ct_generator_set_state(handle, newValue.handle), "Generator.state", newValue.summary) }
  }
}

/// Seeds derived from seeds: independent streams for each purpose and step.
public enum Seed {
  /// Mixes a seed with any number of counters (SplitMix64's finaliser over each in turn).
  public static func derive(_ seed: UInt64, _ counters: UInt64...) -> UInt64 {
    // The halves change places so that equal numbers, as in `derive(7, 7)`, do not cancel.
    counters.reduce(mixed(seed)) { mixed(($0 << 32 | $0 >> 32) ^ mixed($1)) }
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
