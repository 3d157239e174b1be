// Damage to files of torch.save and numpy.savez: the zip directory, the pickle's instructions and numbers.

enum WeightsMutation {
  /// Flags, method, sizes, lengths and place in an entry of the directory (APPNOTE 6.3, 4.3.12).
  private static let directoryFields = [
    (8, 2), (10, 2), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4),
  ]
  private static let instructions =
    [UInt8]("(.)tR}]aeshjqrcQbNKMJXGUT".utf8) + [
      0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x93, 0x94, 0x95,
    ]
  private static let numbers: [UInt8: Int] = [
    UInt8(ascii: "K"): 1, UInt8(ascii: "M"): 2, UInt8(ascii: "J"): 4, UInt8(ascii: "h"): 1,
    UInt8(ascii: "q"): 1, UInt8(ascii: "X"): 4,
  ]

  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    for _ in 0...random.below(2) {
      switch random.below(4) {
      case 0: changeDirectory(&bytes, &random)
      case 1:
        let places = bytes.indices.filter { instructions.contains(bytes[$0]) }
        if !places.isEmpty { bytes[random.pick(places)] = random.pick(instructions) }
      default:
        let places = bytes.indices.filter { numbers[bytes[$0]] != nil }
        guard !places.isEmpty else { return }
        let place = random.pick(places)
        bytes.set(random.pick(edgeNumbers), at: place + 1, size: numbers[bytes[place]] ?? 1)
      }
    }
  }

  private static func changeDirectory(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let signature: [UInt8] = [0x50, 0x4B, 0x01, 0x02]
    let entries = bytes.indices.filter { bytes[$0...].starts(with: signature) }
    guard !entries.isEmpty else { return }
    let (offset, size) = random.pick(directoryFields)
    bytes.set(random.pick(edgeNumbers + [8]), at: random.pick(entries) + offset, size: size)
  }
}
