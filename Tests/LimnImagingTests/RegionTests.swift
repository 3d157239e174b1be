// Regions of label maps and their outlines: filling the outline gives the very pixels back.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

/// Whether the centre of a pixel is inside, by the even-odd rule over all polygons.
private func isInside(_ polygons: [[SIMD2<Int>]], _ x: Int, _ y: Int) -> Bool {
  let (px, py) = (Double(x) + 0.5, Double(y) + 0.5)
  return polygons.reduce(false) { inside, polygon in
    zip(polygon, polygon.dropFirst() + polygon.prefix(1)).reduce(inside) { inside, edge in
      let (a, b) = (SIMD2<Double>(edge.0), SIMD2<Double>(edge.1))
      guard (a.y > py) != (b.y > py) else { return inside }
      return px < a.x + (py - a.y) * (b.x - a.x) / (b.y - a.y) ? !inside : inside
    }
  }
}

@Suite struct RegionTests {
  private func labels(_ rows: String...) -> Tensor {
    Tensor(rows.flatMap { $0.map { UInt8($0.wholeNumberValue ?? 0) } }, shape: [rows.count, rows[0].count])
  }

  @Test func regionsTouchByCornersToo() {
    let regions = LabelRegion.all(in: labels("1100", "0010", "2020", "0003"))
    #expect(regions.map(\.value) == [1, 2, 2, 3])
    #expect(regions.map(\.area) == [3, 1, 1, 1])
    #expect(regions.map(\.left) == [0, 0, 2, 3] && regions.map(\.top) == [0, 2, 2, 3])
    #expect(regions[0].width == 3 && regions[0].height == 2)
    #expect(regions[0].mask == [true, true, false, false, false, true])
    #expect(regions[0].places(imageWidth: 4) == [0, 1, 6])
    #expect(LabelRegion.all(in: labels("000", "000")).isEmpty)
  }

  @Test func anOutlineHasCornersOnly() {
    let outline = LabelRegion.all(in: labels("00000", "01110", "01010", "01110"))[0].outline
    #expect(outline.outer == [[1, 1], [4, 1], [4, 4], [1, 4]])
    #expect(outline.holes == [[[2, 2], [2, 3], [3, 3], [3, 2]]])
    #expect(outline.joined.count == 10)
  }

  @Test func pixelsThatTouchByACornerShareOneBorder() {
    let outlines = LabelRegion.all(in: labels("10", "01")).map(\.outline)
    #expect(outlines.count == 1 && outlines[0].holes.isEmpty)
    #expect(outlines[0].outer == [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [1, 2], [1, 1], [0, 1]])
  }

  /// Noise of several densities has every case: holes in holes, checkerboards, borders of the image.
  @Test(arguments: [0.1, 0.35, 0.5, 0.65, 0.9], [UInt64(1), 2, 3])
  func fillingAnOutlineGivesTheRegion(density: Double, seed: UInt64) {
    let (height, width) = (23, 31)
    let noise = Tensor.rand([height, width], generator: Generator(seed: seed))
    let map = noise.isLess(than: density).to(.uint8)
    let regions = LabelRegion.all(in: map)
    let values = map.array(of: UInt8.self)
    #expect(regions.reduce(0) { $0 + $1.area } == values.count { $0 > 0 })
    for region in regions {
      let (outline, places) = (region.outline, Set(region.places(imageWidth: width)))
      let expected = (0..<height * width).map(places.contains)
      func filled(_ polygons: [[SIMD2<Int>]]) -> [Bool] {
        (0..<height * width).map { isInside(polygons, $0 % width, $0 / width) }
      }
      #expect(filled([outline.outer] + outline.holes) == expected)
      #expect(filled([outline.joined]) == expected)
    }
  }
}

@Suite struct IndexedPNGTests {
  @Test func labelsAreSamplesAndColoursAreThePalette() throws {
    let labels = Tensor([0, 1, 2, 9, 200, 255] as [UInt8], shape: [2, 3])
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.png")
      let data = try PNGFile.encode(labels: labels, text: PNGFile.syntheticText("by Limn"))
      try data.write(to: url)
      #expect(data.range(of: Data("tEXtSynthetic".utf8)) != nil)
      // Colour type 3 of 8 bits; readers give the palette's colours.
      #expect(data[24..<26].elementsEqual([8, 3]))
      let shown = try ImageReader.read(url).voxels.squeezed(1)
      let colours = labels.array(of: UInt8.self).map { LabelColours.colour(of: Int($0)) }
      #expect(shown[0].flattened().array(of: UInt8.self) == colours.map(\.red))
      #expect(shown[1].flattened().array(of: UInt8.self) == colours.map(\.green))
      #expect(shown[2].flattened().array(of: UInt8.self) == colours.map(\.blue))
    }
  }

  @Test func coloursAreReadAsTheyAreWritten() {
    for colour in LabelColours.palette { #expect(LabelColours.Colour(hex: colour.hex) == colour) }
    #expect(LabelColours.Colour(hex: "#e69f00") == LabelColours.colour(of: 1))
    for text in ["e69f00", "#e69f0", "#e69f000", "#e69f0g", "", "#+12345"] {
      #expect(LabelColours.Colour(hex: text) == nil)
    }
  }

  @Test func aLabelWithoutColourIsRefused() {
    let palette = Array(LabelColours.palette.prefix(3))
    let labels = Tensor([0, 3] as [UInt8], shape: [1, 2])
    #expect(throws: ImagingError.self) { try PNGFile.encode(labels: labels, palette: palette) }
    #expect(throws: ImagingError.self) { try PNGFile.encode(labels: labels.to(.float32)) }
    #expect(throws: ImagingError.self) { try PNGFile.encode(labels: labels.unsqueezed(0)) }
  }
}
