// Damage to NIfTI headers of both versions, plain, compressed or in pairs.

/// Fields of the header set to what they must not be.
enum NIfTIMutation {
  /// Offset, size and name of the fields that a reader computes with.
  private static let first = fields(
    dim: (40, 2),
    single: [(70, 2), (72, 2), (108, 4), (112, 4), (116, 4), (252, 2), (254, 2), (344, 4), (348, 4)],
    floats: 256..<328, floatSize: 4)
  private static let second = fields(
    dim: (16, 8),
    single: [(12, 2), (14, 2), (168, 8), (176, 8), (184, 8), (344, 4), (348, 4), (4, 4), (540, 4)],
    floats: 352..<496, floatSize: 8)
  private static let types = [
    0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 511, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304,
  ]
  private static let floats: [Float] = [0, -1, 1e-30, 1e30, .nan, .infinity, -.infinity, 1e9]

  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let isCompressed = bytes.starts(with: [0x1F, 0x8B])
    // What a compressed seed holds is not looked into: a plain one, compressed, reaches the same code.
    guard !isCompressed, bytes.count >= 348 else { return }
    let isSecond = bytes.number(at: 0, size: 4) == 540 || bytes.number(at: 0, size: 4, bigEndian: true) == 540
    let isBig = bytes[0] == 0
    for _ in 0...random.below(3) { change(&bytes, isSecond ? second : first, isBig, isSecond, &random) }
    if random.chance(8) {
      let (start, size) = isSecond ? (24, 8) : (42, 2)
      for place in 0..<3 {
        bytes.set(
          random.pick([1] + vastExtents.prefix(6)), at: start + size * place, size: size, bigEndian: isBig)
      }
    }
    if random.chance(4) { bytes = Checksum.gzip(bytes) }
  }

  private static func change(
    _ bytes: inout [UInt8], _ fields: [(Int, Int)], _ isBig: Bool, _ isSecond: Bool,
    _ random: inout FuzzRandom
  ) {
    if random.chance(4) {
      bytes.set(random.pick(types), at: isSecond ? 12 : 70, size: 2, bigEndian: isBig)
    } else {
      let (place, size) = random.pick(fields)
      let bits = Int(random.pick(floats).bitPattern)
      let isNumber = random.chance(3) && size == 4
      bytes.set(isNumber ? bits : random.pick(edgeNumbers), at: place, size: size, bigEndian: isBig)
    }
  }

  private static func fields(
    dim: (start: Int, size: Int), single: [(Int, Int)], floats: Range<Int>, floatSize: Int
  ) -> [(Int, Int)] {
    let dims = (0..<8).map { (dim.start + dim.size * $0, dim.size) }
    return dims + dims + single
      + stride(from: floats.lowerBound, to: floats.upperBound, by: floatSize)
      .map { ($0, floatSize) }
  }
}
