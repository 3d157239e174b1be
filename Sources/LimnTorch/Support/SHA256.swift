// SHA-256 (FIPS 180-4): the content hash of layers, the digests of weights files, the keyed pseudonyms of patients.

import Foundation

/// A running SHA-256 over bytes given piece by piece.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var rest: [UInt8] = []
  private var length: UInt64 = 0

  /// A hash of nothing yet.
  public init() {}

  /// Takes in the bytes that follow.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    length += UInt64(bytes.count)
    var bytes = bytes[...]
    if !rest.isEmpty {
      let missing = bytes.prefix(64 - rest.count)
      rest.append(contentsOf: missing)
      bytes = bytes.dropFirst(missing.count)
      guard rest.count == 64 else { return }
      rest.withUnsafeBytes { Self.compress($0, into: &state) }
      rest.removeAll(keepingCapacity: true)
    }
    let whole = bytes.prefix(bytes.count / 64 * 64)
    Self.compress(UnsafeRawBufferPointer(rebasing: whole), into: &state)
    rest.append(contentsOf: bytes.dropFirst(whole.count))
  }

  /// Takes in more bytes.
  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of all bytes so far, 32 bytes; more may follow.
  public var digest: [UInt8] {
    var padded = self
    var tail: [UInt8] = [0x80] + [UInt8](repeating: 0, count: (119 - Int(length % 64)) % 64)
    tail += withUnsafeBytes(of: (length &* 8).bigEndian) { [UInt8]($0) }
    padded.update(tail)
    return padded.state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { [UInt8]($0) } }
  }

  /// The digest of all bytes so far, 64 hexadecimal digits; more may follow.
  public var hexDigest: String { digest.map { String(format: "%02x", $0) }.joined() }

  /// The digest of a text's UTF-8.
  public static func hexDigest(of text: String) -> String {
    var hash = SHA256()
    hash.update([UInt8](text.utf8))
    return hash.hexDigest
  }

  /// Takes in `blocks`, a multiple of 64 bytes.
  private static func compress(_ blocks: UnsafeRawBufferPointer, into state: inout [UInt32]) {
    state.withUnsafeMutableBufferPointer { state in
      constants.withUnsafeBufferPointer { k in
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
          for start in stride(from: 0, to: blocks.count, by: 64) {
            schedule(blocks, from: start, into: w)
            round(w, k, state)
          }
        }
      }
    }
  }

  /// The message schedule W₀…W₆₃, section 6.2.2 step 1.
  @inline(__always)
  private static func schedule(
    _ blocks: UnsafeRawBufferPointer, from start: Int, into w: UnsafeMutableBufferPointer<UInt32>
  ) {
    for t in 0..<16 {
      w[t] = UInt32(bigEndian: blocks.loadUnaligned(fromByteOffset: start + 4 * t, as: UInt32.self))
    }
    for t in 16..<64 {
      let s0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ (w[t - 15] >> 3)
      let s1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ (w[t - 2] >> 10)
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
  }

  /// One block's 64 rounds, section 6.2.2 steps 2 to 4.
  @inline(__always)
  private static func round(
    _ w: UnsafeMutableBufferPointer<UInt32>, _ k: UnsafeBufferPointer<UInt32>,
    _ state: UnsafeMutableBufferPointer<UInt32>
  ) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      let t1 = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ k[t] &+ w[t]
      let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
      let t2 = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    (state[0], state[1], state[2], state[3]) = (state[0] &+ a, state[1] &+ b, state[2] &+ c, state[3] &+ d)
    (state[4], state[5], state[6], state[7]) = (state[4] &+ e, state[5] &+ f, state[6] &+ g, state[7] &+ h)
  }

  @inline(__always)
  private static func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { (x >> n) | (x << (32 - n)) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, section 4.2.2.
  private static let constants: [UInt32] = firstPrimes(64).map { prime in
    // ∛prime · 2³² is the integer cube root of prime · 2⁹⁶, found bit by bit; its low half is the fraction.
    var root: UInt64 = 0
    for bit in (0..<36).reversed() where isAtMostCubeRoot(root | 1 << UInt64(bit), of: prime) {
      root |= 1 << UInt64(bit)
    }
    return UInt32(truncatingIfNeeded: root)
  }

  /// Whether x³ ≤ prime · 2⁹⁶, for x below 2³⁶.
  private static func isAtMostCubeRoot(_ x: UInt64, of prime: UInt64) -> Bool {
    let value = UInt128(x)
    return value * value * value <= UInt128(prime) << 96
  }

  private static func firstPrimes(_ count: Int) -> [UInt64] {
    var primes: [UInt64] = []
    for candidate in UInt64(2)... where !primes.contains(where: { candidate % $0 == 0 }) {
      primes.append(candidate)
      if primes.count == count { break }
    }
    return primes
  }
}
