// Damage that keeps PNG, JPEG and TIFF recognisable: sizes, types and lengths that do not go together.

/// PNG: chunks with their sums made right again.
enum PNGMutation {
  private struct Chunk {
    var type: [UInt8]
    var data: [UInt8]
  }

  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    var chunks = chunks(of: bytes)
    guard !chunks.isEmpty else { return }
    let place = random.below(chunks.count)
    switch random.below(6) {
    case 0, 1: changeHeader(&chunks[0].data, &random)
    case 2: chunks.remove(at: place)
    case 3: chunks.insert(chunks[random.below(chunks.count)], at: place)
    case 4: chunks.swapAt(place, random.below(chunks.count))
    default: ByteMutation.apply(&chunks[place].data, other: chunks[place].data + [0], &random)
    }
    bytes = Array(bytes.prefix(8)) + chunks.flatMap(encoded)
    guard random.chance(8), bytes.count > 16 else { return }
    bytes.set(random.pick(edgeNumbers), at: 8, size: 4, bigEndian: true)
  }

  private static func changeHeader(_ header: inout [UInt8], _ random: inout FuzzRandom) {
    switch random.below(6) {
    case 5:
      for place in [0, 4] { header.set(random.pick(vastExtents), at: place, size: 4, bigEndian: true) }
    case 0, 1: header.set(random.pick(edgeNumbers), at: random.pick([0, 4]), size: 4, bigEndian: true)
    case 2: header.set(random.pick([1, 2, 4, 8, 16, 32]), at: 8, size: 1)
    case 3: header.set(random.below(8), at: 9, size: 1)
    default: header.set(random.below(3), at: random.pick([10, 11, 12]), size: 1)
    }
  }

  private static func chunks(of bytes: [UInt8]) -> [Chunk] {
    var found: [Chunk] = []
    var place = 8
    while let length = bytes.number(at: place, size: 4, bigEndian: true), length <= bytes.count - place - 12 {
      let data = Array(bytes[place + 8..<place + 8 + length])
      found.append(Chunk(type: Array(bytes[place + 4..<place + 8]), data: data))
      place += 12 + length
    }
    return found
  }

  private static func encoded(_ chunk: Chunk) -> [UInt8] {
    var length = [UInt8](repeating: 0, count: 4), sum = length
    length.set(chunk.data.count, at: 0, size: 4, bigEndian: true)
    sum.set(Int(Checksum.crc32(chunk.type + chunk.data)), at: 0, size: 4, bigEndian: true)
    return length + chunk.type + chunk.data + sum
  }
}

/// JPEG: segments up to the first scan.
enum JPEGMutation {
  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let segments = segments(of: bytes)
    guard !segments.isEmpty else { return }
    let frames = segments.filter { (0xC0...0xC2).contains(bytes[$0.lowerBound + 1]) }
    let segment = random.pick(segments)
    switch random.below(6) {
    case 0, 1: changeFrame(&bytes, at: random.pick(frames.isEmpty ? segments : frames).lowerBound, &random)
    case 2: bytes.set(random.pick(edgeNumbers), at: segment.lowerBound + 2, size: 2, bigEndian: true)
    case 3: bytes.removeSubrange(segment)
    case 4: bytes.insert(contentsOf: bytes[segment], at: random.pick(segments).lowerBound)
    default:
      guard segment.count > 4 else { return }
      bytes[segment.lowerBound + 4 + random.below(segment.count - 4)] = random.byte()
    }
  }

  private static func changeFrame(_ bytes: inout [UInt8], at start: Int, _ random: inout FuzzRandom) {
    switch random.below(6) {
    case 5:
      for place in [5, 7] { bytes.set(random.pick(vastExtents), at: start + place, size: 2, bigEndian: true) }
    case 0, 1: bytes.set(random.pick(edgeNumbers), at: start + random.pick([5, 7]), size: 2, bigEndian: true)
    case 2: bytes.set(random.pick([0xC0, 0xC1, 0xC2, 0xC3, 0xC9]), at: start + 1, size: 1)
    case 3: bytes.set(random.pick([0, 1, 2, 3, 4, 5, 255]), at: start + 9, size: 1)
    default: bytes.set(Int(random.byte()), at: start + 11 + 3 * random.below(3), size: 1)
    }
  }

  private static func segments(of bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xFF, bytes[place + 1] != 0xD9,
      let length = bytes.number(at: place + 2, size: 2, bigEndian: true), place + 2 + length <= bytes.count
    {
      found.append(place..<place + 2 + length)
      if bytes[place + 1] == 0xDA { break }
      place += 2 + length
    }
    return found
  }
}

/// TIFF: the entries of its directories.
enum TIFFMutation {
  private static let tags = [
    254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339, 347,
    529,
    530, 532,
  ]
  private static let compressions = [
    1, 2, 3, 4, 5, 6, 7, 8, 32_773, 32_946, 34_676, 34_677, 34_712, 34_925, 50_000, 50_001,
  ]

  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let isBig = bytes.first == 0x4D
    let entries = entries(of: bytes, isBig)
    guard !entries.isEmpty else { return }
    if random.chance(8) { makeVast(&bytes, entries, isBig, &random) }
    let place = random.pick(entries)
    let tag = bytes.number(at: place, size: 2, bigEndian: isBig) ?? 0
    switch random.below(7) {
    case 0: bytes.set(random.pick(tags), at: place, size: 2, bigEndian: isBig)
    case 1: bytes.set(random.below(19), at: place + 2, size: 2, bigEndian: isBig)
    case 2: bytes.set(random.pick(edgeNumbers), at: place + 4, size: 4, bigEndian: isBig)
    default:
      let value = tag == 259 ? random.pick(compressions) : random.pick(edgeNumbers)
      bytes.set(value, at: place + 8, size: random.pick([2, 4]), bigEndian: isBig)
    }
  }

  private static func makeVast(
    _ bytes: inout [UInt8], _ entries: [Int], _ isBig: Bool, _ random: inout FuzzRandom
  ) {
    for place in entries
    where [256, 257, 322, 323].contains(bytes.number(at: place, size: 2, bigEndian: isBig)) {
      let size = bytes.number(at: place + 2, size: 2, bigEndian: isBig) == 3 ? 2 : 4
      bytes.set(random.pick(vastExtents), at: place + 8, size: size, bigEndian: isBig)
    }
  }

  /// Where the entries of a classic file's directories begin.
  private static func entries(of bytes: [UInt8], _ isBig: Bool) -> [Int] {
    var found: [Int] = []
    var directory = bytes.number(at: 4, size: 4, bigEndian: isBig) ?? 0
    while directory > 0, found.count < 500, let count = bytes.number(at: directory, size: 2, bigEndian: isBig)
    {
      let places = (0..<min(count, 64)).map { directory + 2 + 12 * $0 }.filter { $0 + 12 <= bytes.count }
      found += places
      directory = bytes.number(at: directory + 2 + 12 * count, size: 4, bigEndian: isBig) ?? 0
    }
    return found
  }
}
