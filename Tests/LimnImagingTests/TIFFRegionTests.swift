// Parts of TIFFs against tifffile, files written row by row, and what both refuse.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct TIFFRegionTests {
  private static let names = [
    "strips8", "plain16", "big", "one-strip", "tiles8", "tiles16", "alpha", "planes", "float", "float-strips",
    "white", "lzw", "jpeg", "ycbcr",
  ]

  private func expected(_ name: String) throws -> Tensor {
    let tensors = try Safetensors.read(file("regions/expected.safetensors")).tensors
    return try #require(tensors["\(name).tif"])
  }

  @Test(arguments: names)
  func partsAreThoseOfTheWhole(name: String) throws {
    let image = try expected(name)
    let reader = try TIFFRegionReader(file("regions/\(name).tif"))
    #expect([reader.channels, reader.height, reader.width] == image.shape)
    #expect(reader.dtype == image.dtype && reader.storedBits == 8 * image.dtype.size)
    // JPEG's colours may be off by one where two libraries turn them into RGB.
    let tolerance = name == "jpeg" || name == "ycbcr" ? 1.0 : 0
    var random = SystemRandomNumberGenerator()
    let whole = (0..<reader.height, 0..<reader.width)
    for (rows, columns) in [whole, whole] + (0..<60).map({ _ in part(whole.0, whole.1, &random) }) {
      let part = try reader.read(rows: rows, columns: columns)
      #expect(difference(part, image[.all, rows, columns]) <= tolerance, "rows \(rows), columns \(columns)")
    }
  }

  private func part(
    _ rows: Range<Int>, _ columns: Range<Int>, _ random: inout SystemRandomNumberGenerator
  ) -> (Range<Int>, Range<Int>) {
    func piece(_ range: Range<Int>) -> Range<Int> {
      let start = Int.random(in: range, using: &random)
      return start..<Int.random(in: start + 1...range.upperBound, using: &random)
    }
    return (piece(rows), piece(columns))
  }

  @Test(arguments: names)
  func rowsFromTheTopDown(name: String) throws {
    let image = try expected(name)
    let reader = try TIFFRegionReader(file("regions/\(name).tif"))
    let parts = try stride(from: 0, to: reader.height, by: 4).map { row in
      try reader.read(rows: row..<min(row + 4, reader.height), columns: 0..<reader.width)
    }
    #expect(difference(.cat(parts, dim: 1), image) <= (["jpeg", "ycbcr"].contains(name) ? 1 : 0))
  }

  @Test(arguments: [
    "palette.tif", "pages.tif", "fax.tif", "double.tif", "int8.tif", "uint32.tif", "gray8.png", "text.png",
    "nowhere.tif",
  ])
  func otherKindsAreRefusedInOneLine(name: String) throws {
    let error = #expect(throws: ImagingError.self) { try TIFFRegionReader(file(name)) }
    let line = try #require(error?.errorDescription)
    #expect(line.hasPrefix(file(name).path) && !line.contains("\n"))
  }

  @Test func damageIsFoundWhereItIs() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("cut.tif")
      let rows = Tensor.randint(0, 256, [1, 64, 4096], generator: Generator(seed: 1)).to(.uint8)
      try TIFFStripWriter.write(TIFFFormat(height: 640, width: 4096, dtype: .uint8), to: url) { writer in
        for _ in 0..<10 { try writer.append(rows) }
      }
      let file = try FileHandle(forUpdating: url)
      try file.seek(toOffset: 2_000_000)
      try file.write(contentsOf: Data(repeating: 0, count: 1000))
      try file.close()
      let reader = try TIFFRegionReader(url)
      #expect(difference(try reader.read(rows: 0..<64, columns: 0..<4096), rows) == 0)
      let error = #expect(throws: ImagingError.self) { try reader.read(rows: 300..<640, columns: 0..<9) }
      #expect(try #require(error?.errorDescription).hasPrefix(url.path))
      #expect(difference(try reader.read(rows: 64..<128, columns: 0..<4096), rows) == 0)
    }
  }

  /// A file of some hundred bytes that says it holds a million pixels a side.
  @Test func claimsBeyondAFilesSizeAreRefused() throws {
    try withTemporaryFolder { folder in
      var bytes = [UInt8](try Data(contentsOf: file("regions/strips8.tif")))
      let directory = Int(bytes[4]) | Int(bytes[5]) << 8
      for entry in 0..<Int(bytes[directory]) {
        let place = directory + 2 + 12 * entry
        let tag = Int(bytes[place]) | Int(bytes[place + 1]) << 8
        // Width, height and rows of a strip.
        guard [256, 257, 278].contains(tag) else { continue }
        bytes.replaceSubrange(place + 2..<place + 12, with: [4, 0, 1, 0, 0, 0, 0x40, 0x42, 0x0F, 0])
      }
      let url = folder.appendingPathComponent("vast.tif")
      try Data(bytes).write(to: url)
      let error = #expect(throws: ImagingError.self) { try TIFFRegionReader(url) }
      #expect(try #require(error?.found).contains("1000000 x 1000000"))
    }
  }
}

@Suite struct TIFFStripWriterTests {
  @Test(arguments: [DType.uint8, .uint16, .float32], [1, 3])
  func whatIsWrittenIsReadBack(type: DType, channels: Int) throws {
    let pixels = (Tensor.rand([channels, 50, 37], generator: Generator(seed: 2)) * 250).to(type)
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.tif")
      let format = TIFFFormat(
        channels: channels, height: 50, width: 37, dtype: type, description: "Synthetic: by Limn")
      try TIFFStripWriter.write(format, to: url) { writer in
        for rows in [0..<1, 1..<33, 33..<50] { try writer.append(pixels[.all, rows]) }
      }
      #expect(difference(try ImageReader.read(url).voxels.squeezed(1), pixels) == 0)
      #expect(try Data(contentsOf: url).range(of: Data("Synthetic: by Limn".utf8)) != nil)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.tif"])
    }
  }

  @Test func labelsHaveTheirColours() throws {
    let labels = Tensor.randint(0, 5, [1, 20, 30], generator: Generator(seed: 2)).to(.uint8)
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.tif")
      let palette = Array(LabelColours.palette.prefix(5))
      try TIFFStripWriter.write(
        TIFFFormat(height: 20, width: 30, dtype: .uint8, palette: palette), to: url
      ) { try $0.append(labels) }
      let colours = LabelColours.table.indexSelect(dim: 0, labels.flattened().to(.int64))
      let expected = colours.reshaped([20, 30, 3]).permuted([2, 0, 1])
      #expect(difference(try ImageReader.read(url).voxels.squeezed(1), expected) == 0)
    }
  }

  @Test func whatDoesNotFitLeavesNothing() throws {
    let format = TIFFFormat(height: 4, width: 3, dtype: .uint8)
    func refused(_ format: TIFFFormat, _ rows: [Tensor]) throws {
      try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("a.tif")
        let error = #expect(throws: ImagingError.self) {
          try TIFFStripWriter.write(format, to: url) { writer in for part in rows { try writer.append(part) }
          }
        }
        #expect(error?.errorDescription?.hasPrefix(url.path) == true)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.isEmpty)
      }
    }
    let row = Tensor.zeros([1, 1, 3], dtype: .uint8)
    try refused(format, [row])
    try refused(format, Array(repeating: row, count: 5))
    try refused(format, [Tensor.zeros([1, 4, 2], dtype: .uint8)])
    try refused(format, [Tensor.zeros([1, 4, 3])])
    try refused(TIFFFormat(channels: 2, height: 4, width: 3, dtype: .uint8), [])
    try refused(TIFFFormat(height: 4, width: 3, dtype: .float64), [])
    try refused(TIFFFormat(height: 0, width: 3, dtype: .uint8), [])
    try refused(TIFFFormat(height: 4, width: 3, dtype: .uint16, palette: LabelColours.palette), [])
  }

  /// Percentiles of 0 to 999 in any order, interpolated linearly: 10 % is 99.9, 90 % is 899.1.
  @Test func windowsFollowAllPixelsOfAFile() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.tif")
      // 613 and 1000 have no divisor in common, so every number comes once.
      let values = (0..<1000).map { UInt16($0 * 613 % 1000) }
      try TIFFFile.write(voxels: Tensor(values, shape: [1, 1, 500, 2]), to: url)
      let reader = try TIFFRegionReader(url)
      let window = try IntensityWindow.percentiles(10, 90).display(of: reader)
      #expect(abs(window.low - 99.9) < 1e-9 && abs(window.high - 899.1) < 1e-9)
      let full = try IntensityWindow.full.display(of: reader)
      #expect(full.low == 0 && full.high == 65535)
      try TIFFFile.write(voxels: Tensor([0, 1] as [Float], shape: [1, 1, 1, 2]), to: url)
      let floats = try TIFFRegionReader(url)
      #expect(throws: ImagingError.self) { try IntensityWindow.percentiles(10, 90).display(of: floats) }
      #expect(try IntensityWindow.range(-1, 3).display(of: floats).high == 3)
    }
  }
}
