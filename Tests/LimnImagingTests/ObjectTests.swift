// Objects of masks and what is measured of them, against SciPy and scikit-image.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

/// Values of Tests/Fixtures/imaging/objects.safetensors.
enum ObjectFixtures {
  private static let contents = Result {
    try Safetensors.read(fixture("imaging/objects.safetensors")).tensors
  }

  static func tensor(_ name: String) throws -> Tensor {
    guard let tensor = try contents.get()[name] else { throw MissingFixture(name: name) }
    return tensor
  }
}

private func reference(_ name: String) throws -> Tensor { try ObjectFixtures.tensor(name) }

private func map(_ rows: String...) -> Tensor {
  Tensor(rows.flatMap { $0.map { Int32($0.wholeNumberValue ?? 0) } }, shape: [rows.count, rows[0].count])
}

/// Discs given by row, column and radius, 1 inside.
private func discs(_ all: [(Double, Double, Double)], height: Int, width: Int) -> Tensor {
  let values = (0..<height * width).map { place -> Int32 in
    let (row, column) = (Double(place / width), Double(place % width))
    return all.contains { (row - $0.0) * (row - $0.0) + (column - $0.1) * (column - $0.1) <= $0.2 * $0.2 }
      ? 1 : 0
  }
  return Tensor(values, shape: [height, width])
}

@Suite struct HoleFillingTests {
  @Test(arguments: ["fine", "coarse", "noise"]) func isSciPys(name: String) throws {
    let filled = HoleFilling.filled(try reference("\(name).mask"))
    #expect(filled.isIdentical(to: try reference("\(name).filled").to(.int32)))
  }

  @Test func aHoleTakesTheClassAroundItIfThereIsOne() {
    let labels = map("1110222", "1012202", "1112222", "0001111", "2221001", "2021001", "2221111")
    let filled = map("1110222", "1112222", "1112222", "0001111", "2221111", "2221111", "2221111")
    #expect(HoleFilling.filled(labels).isIdentical(to: filled))
    // Between two classes, and open over the edge.
    let kept = map("1120", "1022", "1122", "1011")
    #expect(HoleFilling.filled(kept).isIdentical(to: kept))
  }
}

@Suite struct WatershedTests {
  @Test(arguments: ["surface", "masked"]) func basinsAreScikitImages(name: String) throws {
    let basins = Watershed.flooded(
      try reference("\(name).elevation"), from: try reference("\(name).markers"),
      within: try reference("\(name).within"))
    #expect(basins.isIdentical(to: try reference("\(name).basins").to(.int32)))
  }

  /// Distances on a grid have many equals, of which scikit-image may take another first.
  @Test func basinsOfDistancesAreScikitImages() throws {
    let basins = Watershed.flooded(
      try reference("distance.elevation"), from: try reference("distance.markers"),
      within: try reference("distance.within"))
    let expected = try reference("distance.basins").to(.int32)
    let differing = basins.isEqual(to: expected).logicalNot().to(.float64).sum().item()
    #expect(differing == 0)
  }

  @Test func waterStaysWithinTheMask() {
    let within = map("11011", "11011")
    let markers = map("10200", "00000")
    let basins = Watershed.flooded(Tensor.zeros([2, 5]), from: markers, within: within)
    #expect(basins.isIdentical(to: map("11000", "11000")), "a marker outside does not count")
  }
}

@Suite struct ObjectExtractionTests {
  private let watershed = ObjectOptions(separation: .watershed)

  @Test(arguments: ["fine", "coarse", "noise"]) func componentsAreSciPys(name: String) throws {
    let objects = ObjectExtraction.instances(in: try reference("\(name).mask"))
    #expect(objects.isIdentical(to: try reference("\(name).components").to(.int32)))
  }

  @Test func overlappingDiscsAreTwo() {
    let mask = discs([(14, 12, 9), (17, 27, 10)], height: 32, width: 40)
    #expect(ObjectExtraction.instances(in: mask).max().item() == 1)
    let objects = ObjectExtraction.instances(in: mask, options: watershed)
    #expect(objects.max().item() == 2)
    #expect(objects.isGreater(than: 0).to(.int32).isIdentical(to: mask))
    #expect(objects[14][12].item() == 1 && objects[17][27].item() == 2)
    #expect(objects.isIdentical(to: ObjectExtraction.instances(in: mask, options: watershed)))
  }

  @Test func convexShapesStayOne() {
    let disc = discs([(20, 20, 13.3)], height: 41, width: 41)
    #expect(ObjectExtraction.instances(in: disc, options: watershed).isIdentical(to: disc))
    // A bar has a ridge of equal heights, an image full of foreground no outside at all.
    let bar = Tensor.zeros([20, 60], dtype: .int32)
    bar.narrowed(dim: 0, start: 4, length: 9).narrowed(dim: 1, start: 3, length: 50).fill(1)
    #expect(ObjectExtraction.instances(in: bar, options: watershed).isIdentical(to: bar))
    let full = Tensor.ones([6, 7], dtype: .int32)
    #expect(ObjectExtraction.instances(in: full, options: watershed).isIdentical(to: full))
  }

  @Test func fartherMarkersAreFewerObjects() {
    let mask = discs([(14, 12, 9), (17, 27, 10)], height: 32, width: 40)
    let far = ObjectOptions(separation: .watershed, minimumDistance: 18)
    #expect(ObjectExtraction.instances(in: mask, options: far).max().item() == 1)
  }

  @Test func touchingClassesAreDividedApart() {
    let left = discs([(10, 8, 6)], height: 21, width: 30)
    let right = discs([(10, 18, 6)], height: 21, width: 30)
    let labels = left + (right * 2 * (left * -1 + 1))
    let objects = ObjectExtraction.instances(in: labels, options: watershed)
    #expect(objects.max().item() == 2)
    #expect(objects.isIdentical(to: labels.to(.int32)), "a class is cut by another, not shared with it")
  }

  @Test func holesThenSizesThenNumbers() {
    let mask = map("1000111", "0000101", "0110111", "0110000")
    let options = ObjectOptions(minimumArea: 4, fillHoles: true)
    let objects = ObjectExtraction.instances(in: mask, options: options)
    #expect(objects.isIdentical(to: map("0000111", "0000111", "0220111", "0220000")))
    #expect(
      ObjectExtraction.instances(in: Tensor.zeros([3, 0], dtype: .uint8), options: options).shape == [3, 0])
  }

  @Test func optionsAreWrittenAndRead() throws {
    let options = ObjectOptions(minimumArea: 9, fillHoles: true, separation: .watershed, minimumDistance: 3.5)
    let data = try JSONEncoder().encode(options)
    #expect(try JSONDecoder().decode(ObjectOptions.self, from: data) == options)
  }
}

@Suite struct RegionTableTests {
  @Test func isScikitImages() throws {
    let instances = try reference("crowded.instances")
    let table = RegionTable(of: instances, image: try reference("regions.image"), spacing: [0.5, 0.25])
    let values = table.regions.flatMap { region -> [Double] in
      let place = [region.label, region.area].map(Double.init) + [region.centroidRow, region.centroidColumn]
      let box = [region.top, region.left, region.bottom, region.right].map(Double.init)
      let found = region.intensity.map { [$0.mean, $0.minimum, $0.maximum] } ?? []
      return place + box + [region.perimeter] + found
    }
    let expected = try reference("regions.values")
    #expect(values.count == expected.count && table.regions.count > 10)
    // The fixture is float32.
    let errors = zip(values, expected.to(.float64).flattened().array(of: Double.self)).map {
      abs($0 - $1) / max(1, abs($1))
    }
    #expect(errors.max() ?? 1 < 1e-6)
    #expect(table.regions.allSatisfy { $0.areaInSquareMillimetres == Double($0.area) / 8 })
  }

  @Test func csvIsRFC4180() throws {
    let table = RegionTable(of: map("0220", "0200"), image: map("0140", "0700").to(.uint8), spacing: [2, 1])
    let bare = RegionTable(of: map("5"))
    let lines = RegionTable.csv(of: [("a, b.png", table), ("c", bare)]).components(separatedBy: "\r\n")
    #expect(lines[0].split(separator: ",").map(String.init) == RegionTable.columns)
    #expect(
      lines[1]
        == "\"a, b.png\",2,3,6.0,0.3333333333333333,1.3333333333333333,0,1,2,3,3.414213562373095,4.0,1.0,7.0")
    #expect(lines[2] == "c,5,1,,0.0,0.0,0,0,1,1,0.0,,,")
    #expect(lines.count == 4 && lines[3].isEmpty)
    #expect(RegionTable(of: map("00")).regions.isEmpty)
  }
}
