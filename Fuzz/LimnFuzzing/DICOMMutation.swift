// Damage to DICOM's elements: lengths, representations, tags, and values that the pixels depend on.

enum DICOMMutation {
  private struct Element {
    var start: Int
    var tag: Int
    var lengthPlace: Int
    var lengthSize: Int
    var value: Range<Int>
    var representation: String
  }

  private static let longForms: Set<String> = ["OB", "OD", "OF", "OL", "OW", "SQ", "UC", "UN", "UR", "UT"]
  /// Samples, photometric interpretation, planes, frames, rows, columns, bits, sign, rescaling, geometry, syntax.
  private static let decisive: Set<Int> = [
    0x0028_0002, 0x0028_0004, 0x0028_0006, 0x0028_0008, 0x0028_0010, 0x0028_0011, 0x0028_0100, 0x0028_0101,
    0x0028_0102, 0x0028_0103, 0x0028_1050, 0x0028_1052, 0x0028_1053, 0x0028_1101, 0x0028_3002, 0x0020_0032,
    0x0020_0037, 0x0028_0030, 0x0002_0010, 0x0020_0013, 0x0028_0120, 0x0008_0008, 0x7FE0_0010,
  ]
  private static let texts = [
    "", "0", "-1", "1e309", "nan", "inf", "1\\2", "99999999999999999999", "2147483648", "MONOCHROME1", "RGB",
    "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "0\\0\\0", "1\\0\\0\\1\\0\\0",
    "1e300\\1e300\\1e300",
    "-1e-300\\\\7", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.100",
  ]
  private static let names = [
    "AE", "CS", "DS", "FD", "FL", "IS", "OB", "OW", "SQ", "UI", "UL", "UN", "US", "ZZ",
  ]

  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    if random.chance(16) {
      for element in elements(of: bytes) where [0x0028_0010, 0x0028_0011].contains(element.tag) {
        bytes.set(random.pick(vastExtents), at: element.value.lowerBound, size: 2)
      }
    }
    for _ in 0...random.below(3) { change(&bytes, &random) }
  }

  private static func change(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    let all = elements(of: bytes)
    let important = all.filter { decisive.contains($0.tag) }
    guard !all.isEmpty else { return }
    let element = random.pick(important.isEmpty || random.chance(3) ? all : important)
    switch random.below(8) {
    case 0: bytes.set(length(element, &random), at: element.lengthPlace, size: element.lengthSize)
    case 1:
      guard element.representation != "" else { return }
      bytes.replaceSubrange(element.start + 4..<element.start + 6, with: random.pick(names).utf8)
    case 2:
      let tag = random.pick(decisive.sorted())
      bytes.set(tag >> 16, at: element.start, size: 2)
      bytes.set(tag, at: element.start + 2, size: 2)
    case 3: bytes.removeSubrange(element.start..<element.value.upperBound)
    case 4: bytes.insert(contentsOf: bytes[element.start..<element.value.upperBound], at: element.start)
    default: changeValue(&bytes, element, &random)
    }
  }

  private static func length(_ element: Element, _ random: inout FuzzRandom) -> Int {
    random.pick([element.value.count + 1, element.value.count - 1, 0xFFFF_FFFF, 0xFFFF_FFFE] + edgeNumbers)
  }

  private static func changeValue(_ bytes: inout [UInt8], _ element: Element, _ random: inout FuzzRandom) {
    let value = element.value
    if value.count == 2 || value.count == 4, random.below(4) > 0 {
      bytes.set(random.pick(edgeNumbers), at: value.lowerBound, size: value.count)
    } else if value.count > 64 {
      for _ in 0...random.below(8) { bytes[value.lowerBound + random.below(value.count)] = random.byte() }
    } else {
      var text = Array(random.pick(texts).utf8)
      if text.count % 2 == 1 { text.append(0) }
      bytes.replaceSubrange(value, with: text)
      bytes.set(text.count, at: element.lengthPlace, size: element.lengthSize)
    }
  }

  /// The elements of a little-endian file, those of items too, in their order.
  private static func elements(of bytes: [UInt8]) -> [Element] {
    var found: [Element] = []
    var place = bytes.count > 132 && bytes[128..<132].elementsEqual("DICM".utf8) ? 132 : 0
    while let group = bytes.number(at: place, size: 2), let number = bytes.number(at: place + 2, size: 2),
      place + 8 <= bytes.count, found.count < 2000
    {
      let isNamed = group != 0xFFFE && bytes[place + 4...place + 5].allSatisfy { (0x41...0x5A).contains($0) }
      let name = isNamed ? String(decoding: bytes[place + 4...place + 5], as: UTF8.self) : ""
      let isLong = longForms.contains(name)
      let (lengthPlace, size) = !isNamed ? (place + 4, 4) : isLong ? (place + 8, 4) : (place + 6, 2)
      guard let length = bytes.number(at: lengthPlace, size: size) else { break }
      let start = lengthPlace + size
      let isOpen = length == 0xFFFF_FFFF || name == "SQ" || group == 0xFFFE
      let end = isOpen ? start : min(bytes.count, start + length)
      guard start <= bytes.count else { break }
      found.append(
        Element(
          start: place, tag: group << 16 | number, lengthPlace: lengthPlace, lengthSize: size,
          value: start..<end,
          representation: name))
      place = end
    }
    return found
  }
}
