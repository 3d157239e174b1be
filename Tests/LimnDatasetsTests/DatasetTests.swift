// The dataset folder: written, read, checked, refused.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct SHA256Tests {
  /// The examples of FIPS 180-4 and NIST's long message.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 100_000),
      "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
    ),
  ])
  func knownDigests(text: String, digest: String) {
    #expect(SHA256.hexDigest(of: text) == digest)
  }

  @Test func piecesOfAnyLengthGiveTheSameDigest() {
    let bytes = (0..<1000).map { UInt8($0 % 251) }
    var whole = SHA256()
    whole.update(bytes)
    for length in [1, 3, 55, 56, 63, 64, 65, 127, 128, 500] {
      var pieces = SHA256()
      for start in stride(from: 0, to: bytes.count, by: length) {
        pieces.update(Array(bytes[start..<min(start + length, bytes.count)]))
      }
      #expect(pieces.hexDigest == whole.hexDigest)
    }
  }
}

@Suite struct DatasetTests {
  @Test(arguments: [8, 16])
  func roundTripKeepsEveryBit(bitDepth: Int) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let pixels = randomPixels(7, bitDepth: bitDepth, channels: 3)
      let written = try write(pixels, to: url)
      let dataset = try Dataset.open(url)
      #expect(dataset.manifest == written)
      #expect(dataset.count == 7 && dataset.size == [6, 5] && dataset.bitDepth == bitDepth)
      let layer = try dataset.layer("images")
      #expect(layer.dtype == pixels.dtype)
      #expect(layer.to(.int32).isIdentical(to: pixels.to(.int32)))
    }
  }

  @Test func everySixteenBitValueIsNormalisedToItsOwnFloat() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let levels = (0...65535).map { UInt16($0) }
      try write(Tensor(levels, shape: [1, 1, 256, 256]), to: url)
      let images = try Dataset.open(url).images(at: [0])
      // Float division rounds once and the subtraction once more; the reference does the same in Swift.
      #expect(images.array(of: Float.self) == levels.map { Float($0) / 32767.5 - 1 })
      #expect(images.quantized(bitDepth: 16).array(of: UInt16.self) == levels)
    }
  }

  @Test func eightBitValuesAreNormalisedAndBack() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let levels = (0...255).map { UInt8($0) }
      try write(Tensor(levels + levels, shape: [2, 1, 16, 16]), to: url)
      let images = try Dataset.open(url).images(at: [1])
      #expect(images.shape == [1, 1, 16, 16])
      #expect(images.array(of: Float.self) == levels.map { Float($0) / 127.5 - 1 })
      #expect(images.quantized(bitDepth: 8).array(of: UInt8.self) == levels)
    }
  }

  @Test func companionLayersStayBesideTheirImages() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let pixels = randomPixels(4)
      let labels = randomPixels(4, seed: 2).squeezed(1)
      let layer = LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [6, 5])
      let writer = try DatasetWriter(description(pixels, companions: [layer]), to: url)
      for (index, item) in items(4).enumerated() {
        try writer.append(item, image: pixels[index], companions: ["labels": labels[index]])
      }
      try writer.finish(provenance: provenance)
      let dataset = try Dataset.open(url)
      #expect(try contents(url) == ["dataset.json", "images.safetensors", "labels.safetensors"])
      #expect(try dataset.layer("labels").isIdentical(to: labels))
      #expect(failure { _ = try dataset.layer("sketches") }?.contains("it has images, labels") == true)
    }
  }

  @Test func equalPixelsGiveEqualHashes() throws {
    try withTemporaryFolder { folder in
      let pixels = randomPixels(5)
      let first = try write(pixels, to: folder.appendingPathComponent("a"))
      let writer = try DatasetWriter(description(pixels), to: folder.appendingPathComponent("b"))
      for (index, item) in items(5).enumerated() { try writer.append(item, image: pixels[index]) }
      let second = try writer.finish(provenance: provenance)
      #expect(first.contentHash == second.contentHash)
      let other = try write(randomPixels(5, seed: 3), to: folder.appendingPathComponent("c"))
      #expect(other.contentHash != first.contentHash)
    }
  }

  @Test func manifestIsReadableAndSorted() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      try write(randomPixels(4), to: url)
      let text = try String(contentsOf: url.appendingPathComponent("dataset.json"), encoding: .utf8)
      let keys = text.split(separator: "\n").filter { $0.hasPrefix("  \"") }.map { String($0) }
      #expect(keys.dropLast() == keys.dropLast().sorted()[...])
      #expect(
        text.contains("\n    {\"id\":\"3\",\"patient\":\"p1\",\"source\":\"3.png\",\"split\":\"train\"}\n  ]")
      )
    }
  }

  @Test func statisticsDescribeTheValues() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      let levels: [UInt8] = [0, 100, 200, 100] + [7, 7, 7, 7] + [0, 100, 200, 100]
      try write(Tensor(levels, shape: [3, 1, 2, 2]), to: url)
      let found = try Dataset.open(url).verify()
      let mean = levels.reduce(0.0) { $0 + Double($1) } / 12
      let variance = levels.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 12
      #expect(found.minimum == 0 && found.maximum == 200)
      #expect(abs(found.mean - mean) < 1e-9 && abs(found.standardDeviation - variance.squareRoot()) < 1e-9)
      #expect(found.constantImages == 1 && found.repeatedImages == 1 && found.repeatedAcrossSplits == 0)
    }
  }
}
