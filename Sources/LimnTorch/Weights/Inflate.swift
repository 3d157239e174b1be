// Deflate (RFC 1951), for what numpy.savez_compressed packs.

/// Unpacks raw deflate data.
struct Inflate {
  private let input: UnsafeRawBufferPointer
  private let output: UnsafeMutableRawBufferPointer
  private var position = 0
  private var written = 0
  private var bits: UInt64 = 0
  private var bitCount = 0

  /// Unpacks `input` so that it fills `output`.
  /// - Throws: ``FileProblem`` for damaged data and for any other length.
  static func unpack(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws {
    var inflate = Inflate(input: input, output: output)
    try inflate.run()
  }

  private static let damaged = FileProblem("packed data that is damaged")

  private init(input: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer) {
    (self.input, self.output) = (input, output)
  }

  private mutating func run() throws {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try copyStored()
      case 1: try decode(Self.fixedLiterals, Self.fixedDistances)
      case 2: try decodeDynamic()
      default: throw Self.damaged
      }
    }
    guard written == output.count else { throw Self.damaged }
  }

  // MARK: - Bits

  /// Makes at least `count` bits ready; zeros follow the input for as long as a table is looked up in.
  private mutating func fill(_ count: Int) throws {
    while bitCount < count {
      guard position < input.count + 4 else { throw Self.damaged }
      let byte = position < input.count ? input[position] : 0
      bits |= UInt64(byte) << UInt64(bitCount)
      (position, bitCount) = (position + 1, bitCount + 8)
    }
  }

  private mutating func drop(_ count: Int) {
    bits >>= UInt64(count)
    bitCount -= count
  }

  private mutating func take(_ count: Int) throws -> Int {
    try fill(count)
    defer { drop(count) }
    return Int(bits & (1 << UInt64(count) - 1))
  }

  // MARK: - Blocks

  private mutating func copyStored() throws {
    drop(bitCount % 8)
    let length = try take(16)
    guard try take(16) == ~length & 0xFFFF else { throw Self.damaged }
    position -= bitCount / 8
    (bits, bitCount) = (0, 0)
    guard length <= input.count - position, length <= output.count - written else { throw Self.damaged }
    let target = UnsafeMutableRawBufferPointer(rebasing: output[written..<written + length])
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[position..<position + length]))
    (position, written) = (position + length, written + length)
  }

  private mutating func decodeDynamic() throws {
    let (literalCount, distanceCount, codeCount) = (try take(5) + 257, try take(5) + 1, try take(4) + 4)
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<codeCount { codeLengths[Self.codeOrder[index]] = UInt8(try take(3)) }
    let codes = try HuffmanTable(codeLengths)
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try next(codes)
      switch symbol {
      case 0..<16: lengths.append(UInt8(symbol))
      case 16:
        guard let last = lengths.last else { throw Self.damaged }
        lengths += [UInt8](repeating: last, count: 3 + (try take(2)))
      case 17: lengths += [UInt8](repeating: 0, count: 3 + (try take(3)))
      default: lengths += [UInt8](repeating: 0, count: 11 + (try take(7)))
      }
    }
    guard lengths.count == literalCount + distanceCount else { throw Self.damaged }
    try decode(
      try HuffmanTable(Array(lengths[..<literalCount])), try HuffmanTable(Array(lengths[literalCount...])))
  }

  private mutating func next(_ table: HuffmanTable) throws -> Int {
    try fill(15)
    let entry = table.entries[Int(bits & 0x7FFF)]
    guard entry != 0 else { throw Self.damaged }
    drop(Int(entry & 15))
    return Int(entry >> 4)
  }

  private mutating func decode(_ literals: HuffmanTable, _ distances: HuffmanTable) throws {
    while true {
      let symbol = try next(literals)
      if symbol == 256 { return }
      if symbol < 256 {
        guard written < output.count else { throw Self.damaged }
        output[written] = UInt8(symbol)
        written += 1
      } else {
        guard symbol <= 285 else { throw Self.damaged }
        let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthExtras[symbol - 257]))
        let code = try next(distances)
        guard code < 30 else { throw Self.damaged }
        try copy(length, from: Self.distanceBases[code] + (try take(max(code / 2 - 1, 0))))
      }
    }
  }

  /// Repeats what lies `distance` back; both may overlap, byte after byte.
  private mutating func copy(_ length: Int, from distance: Int) throws {
    guard distance <= written, length <= output.count - written else { throw Self.damaged }
    for place in written..<written + length { output[place] = output[place - distance] }
    written += length
  }

  // MARK: - Tables of section 3.2.5 to 3.2.7

  private static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  private static let lengthExtras = (0..<29).map { $0 == 28 || $0 < 8 ? 0 : $0 / 4 - 1 }
  private static let lengthBases =
    lengthExtras.dropLast().reduce(into: [3]) { $0.append(($0.last ?? 3) + 1 << $1) }.dropLast() + [258]
  private static let distanceBases = (0..<30).map { code in
    code < 4 ? code + 1 : (2 + code % 2) << (code / 2 - 1) + 1
  }
  private static let fixedLiterals = HuffmanTable(
    complete: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanTable(complete: [UInt8](repeating: 5, count: 32))
}

/// The symbols and lengths of all codes, by the next 15 bits.
private struct HuffmanTable {
  /// symbol · 16 + length, or 0 where no code begins so.
  let entries: [UInt16]

  init(_ lengths: [UInt8]) throws {
    let used = lengths.filter { $0 > 0 }.reduce(0) { $0 + 1 << (15 - Int($1)) }
    guard used <= 1 << 15 else { throw FileProblem("packed data that is damaged") }
    self.init(complete: lengths)
  }

  /// Codes that are known to fit.
  init(complete lengths: [UInt8]) {
    var entries = [UInt16](repeating: 0, count: 1 << 15)
    var code = 0
    for length in 1...15 {
      for (symbol, own) in lengths.enumerated() where Int(own) == length {
        let reversed = (0..<length).reduce(0) { $0 | (code >> $1 & 1) << (length - 1 - $1) }
        for index in stride(from: reversed, to: 1 << 15, by: 1 << length) {
          entries[index] = UInt16(symbol << 4 | length)
        }
        code += 1
      }
      code <<= 1
    }
    self.entries = entries
  }
}
