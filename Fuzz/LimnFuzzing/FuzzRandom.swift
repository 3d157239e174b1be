// Random choices that depend on the run's seed, the format and the input's number alone.

/// SplitMix64 (Steele, Lea and Flood 2014): the same choices on every machine.
public struct FuzzRandom: RandomNumberGenerator {
  private var state: UInt64

  /// A stream of its own for each input of a run.
  public init(seed: UInt64, format: FuzzFormat, index: Int) {
    state = seed
    for part in format.rawValue.utf8.map(UInt64.init) + [UInt64(index)] { state = next() ^ part }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A number in 0 ..< `bound`; 0 where the bound is none.
  mutating func below(_ bound: Int) -> Int { bound > 1 ? Int.random(in: 0..<bound, using: &self) : 0 }

  mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

  mutating func chance(_ oneIn: Int) -> Bool { below(oneIn) == 0 }

  /// One of a list that is not empty.
  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
