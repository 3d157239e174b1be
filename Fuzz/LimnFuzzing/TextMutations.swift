// Damage to JSON, YAML and the header of safetensors: whole tokens, so that most results still parse.

import Foundation
import LimnDatasets

enum TextMutation {
  private static let numbers = [
    "0", "1", "-1", "-0", "2", "3", "0.5", "1e400", "-1e400", "1e-400", "1e18", "65536", "2147483648",
    "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890", "NaN", "Infinity", "00", "0x10",
  ]
  private static let values = [
    "null", "true", "[]", "{}", "\"\"", "\"../x\"", "\"a/b\"", "\"\\u0000\"", "\"\\ud800\"",
    "\"line\\nbreak\"",
    "\"\\u001b[31m\"", "\"images\"", "\"uint16\"", "\"float32\"", "[0]", "[[]]", "{\"a\":1}", "\"1\"",
    "[1,2,3,4]",
  ]
  private static let yaml = [
    "&a", "*a", "!!binary x", "!!python/object:os.system", "? ", "- ", "<<: *a", "|\n", ">\n", "~", ".inf",
    "-.inf",
    ".nan", "0x7fffffffffffffff", "1_000", "2001-01-01", "%YAML 9.9", "---", "...", "\t", "#", "{", "[",
    "yes",
    "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n",
    "{a_b: 1, aB: 2, a__b: 3}", "''", "\"\\x1b[31m\"", "1e400", "99999999999999999999",
  ]

  static func json(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    tokenwise(&bytes, numbers + values, &random)
  }

  static func yaml(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    if random.chance(50) { bytes = laughs(&random) }
    tokenwise(&bytes, numbers + values + yaml, &random)
  }

  /// Aliases of aliases, whose expansion has no end in practice.
  private static func laughs(_ random: inout FuzzRandom) -> [UInt8] {
    let depth = 2 + random.below(28)
    let lines = (1..<depth).map { "\($0): &l\($0) [*l\($0 - 1), *l\($0 - 1), *l\($0 - 1), *l\($0 - 1)]" }
    return Array((["learning_rate: &l0 [x, x]"] + lines).joined(separator: "\n").utf8)
  }

  /// The JSON of a safetensors file; its length before it is made right, but not always.
  static func safetensors(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    guard let length = bytes.number(at: 0, size: 8), length >= 0, length <= bytes.count - 8 else { return }
    var header = Array(bytes[8..<8 + length])
    tokenwise(
      &header, numbers + values + ["\"F64\"", "\"BOOL\"", "\"BF16\"", "\"I8\"", "\"U16\"", "\"F8_E4M3\""],
      &random)
    let data = bytes[(8 + length)...]
    bytes = [UInt8](repeating: 0, count: 8) + header + data
    bytes.set(random.chance(12) ? random.pick(edgeNumbers) : header.count, at: 0, size: 8)
  }

  private static func tokenwise(_ bytes: inout [UInt8], _ replacements: [String], _ random: inout FuzzRandom)
  {
    var tokens = tokens(of: bytes)
    for _ in 0...random.below(3) where !tokens.isEmpty {
      let place = random.below(tokens.count)
      switch random.below(10) {
      case 0...4: replaceValue(&tokens, replacements, &random)
      case 5: tokens.remove(at: place)
      case 6: tokens.insert(tokens[random.below(tokens.count)], at: place)
      case 7: tokens.swapAt(place, random.below(tokens.count))
      case 8: tokens[place] = Array(random.pick(replacements).utf8)
      default: nest(&tokens, place, &random)
      }
    }
    bytes = Array(tokens.joined())
  }

  private static func replaceValue(
    _ tokens: inout [[UInt8]], _ replacements: [String], _ random: inout FuzzRandom
  ) {
    let valuePlaces = tokens.indices.filter { tokens[$0].count > 1 || tokens[$0].first.map(isWord) == true }
    guard !valuePlaces.isEmpty else { return }
    let place = random.pick(valuePlaces)
    if random.chance(3), valuePlaces.count > 1 {
      tokens[place] = tokens[random.pick(valuePlaces)]
    } else {
      tokens[place] = Array(random.pick(replacements).utf8)
    }
  }

  /// Deeper, or longer, than anybody writes.
  private static func nest(_ tokens: inout [[UInt8]], _ place: Int, _ random: inout FuzzRandom) {
    let count = random.pick([2, 100, 600, 5000])
    switch random.below(3) {
    case 0: tokens[place] = Array(String(repeating: "[", count: count).utf8)
    case 1:
      tokens[place] = Array(
        (String(repeating: "[", count: count) + String(repeating: "]", count: count)).utf8)
    default: tokens[place] = Array(("\"" + String(repeating: "x", count: count) + "\"").utf8)
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || [0x2B, 0x2D, 0x2E, 0x5F].contains(byte)
      || (0x61...0x7A).contains(byte)
  }

  /// Strings with their quotes, words and numbers, and everything else byte by byte.
  private static func tokens(of bytes: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var place = 0
    while place < bytes.count {
      var end = place + 1
      if bytes[place] == 0x22 {
        while end < bytes.count, bytes[end] != 0x22 { end += bytes[end] == 0x5C ? 2 : 1 }
        end = min(bytes.count, end + 1)
      } else if isWord(bytes[place]) {
        while end < bytes.count, isWord(bytes[end]) { end += 1 }
      }
      found.append(Array(bytes[place..<end]))
      place = end
    }
    return found
  }
}
