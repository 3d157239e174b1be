// Numbers in bytes, and damage that needs no knowledge of the format.

extension [UInt8] {
  /// The number of `size` bytes at `place`; nil where there are not so many.
  func number(at place: Int, size: Int, bigEndian: Bool = false) -> Int? {
    guard place >= 0, size <= 8, place <= count - size else { return nil }
    let digits = self[place..<place + size]
    let value = (bigEndian ? Array(digits) : digits.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(truncatingIfNeeded: value)
  }

  /// Writes the low `size` bytes of a number, where they fit.
  mutating func set(_ value: Int, at place: Int, size: Int, bigEndian: Bool = false) {
    guard place >= 0, place <= count - size else { return }
    for i in 0..<size {
      self[place + (bigEndian ? size - 1 - i : i)] = UInt8(truncatingIfNeeded: value >> (8 * i))
    }
  }

  /// A piece of at most `longest` bytes.
  func piece(_ random: inout FuzzRandom, longest: Int = 64) -> Range<Int> {
    let start = random.below(count)
    return start..<Swift.min(count, start + 1 + random.below(longest))
  }
}

/// Numbers at which parsers break: the borders of types, powers of two and their neighbours.
let edgeNumbers: [Int] = [
  0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512,
  1000,
  1023, 1024, 4095, 4096, 16_383, 16_384, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 1 << 20, 1 << 24,
  (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 62, .max, .min,
  -1,
  -2, -128, -32_768,
]

/// Extents that are each possible, and together more than a small file can hold.
let vastExtents = [2000, 5000, 9000, 16_000, 23_000, 32_000, 45_000, 65_000]

/// Damage to bytes of any meaning.
enum ByteMutation {
  /// One or a few changes; `other` is a second file to splice with.
  static func apply(_ bytes: inout [UInt8], other: [UInt8], _ random: inout FuzzRandom) {
    for _ in 0...random.below(4) where !bytes.isEmpty { change(&bytes, other, &random) }
  }

  private static func change(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout FuzzRandom) {
    let place = random.below(bytes.count)
    switch random.below(9) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = random.pick([0, 1, 0x7F, 0x80, 0xFE, 0xFF, random.byte()])
    case 2:
      let size = random.pick([2, 4, 8])
      bytes.set(random.pick(edgeNumbers), at: place, size: size, bigEndian: random.chance(2))
    case 3: bytes.removeSubrange(bytes.piece(&random))
    case 4: bytes.insert(contentsOf: bytes[bytes.piece(&random)], at: place)
    case 5: bytes.insert(contentsOf: (0..<1 + random.below(16)).map { _ in random.byte() }, at: place)
    case 6: swapPieces(&bytes, &random)
    case 7:
      bytes.removeLast(random.chance(2) ? random.below(bytes.count) : 1 + random.below(min(16, bytes.count)))
    default: bytes = Array(bytes[..<place]) + other[random.below(other.count)...]
    }
  }

  private static func swapPieces(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let first = bytes.piece(&random)
    let second = min(random.below(bytes.count), bytes.count - first.count)
    for i in 0..<first.count { bytes.swapAt(first.lowerBound + i, second + i) }
  }
}
