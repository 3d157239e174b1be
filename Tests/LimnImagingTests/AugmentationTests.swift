// Augmentation against SciPy, NumPy and PyTorch, and what must hold whatever is drawn.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnImaging

/// A case of imaging/augmentation.json.
struct AugmentationCase: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var tolerance: Double
  var draw: AugmentationDraw
  var testDescription: String { name }

  static let all: [AugmentationCase] = {
    let contents = try? Data(contentsOf: fixture("imaging/augmentation.json"))
    return contents.flatMap { try? JSONDecoder().decode([AugmentationCase].self, from: $0) } ?? []
  }()
}

private func reference(_ name: String) throws -> Tensor {
  try #require(try Safetensors.read(fixture("imaging/augmentation.safetensors")).tensors[name])
}

private func batch() throws -> AlignedBatch {
  AlignedBatch([
    "images": .image(try reference("images")), "labels": .labels(try reference("labels"), outside: 5),
  ])
}

@Suite struct AugmentationParityTests {
  @Test func `all cases are read`() { #expect(AugmentationCase.all.count == 21) }

  @Test(arguments: AugmentationCase.all)
  func `images and labels are SciPy's`(one: AugmentationCase) throws {
    let result = one.draw(try batch())
    let labels = try reference("\(one.name).labels")
    let error = difference(result["images"], try reference("\(one.name).images"))
    #expect(error <= one.tolerance)
    // A place half-way between two pixels may fall to either.
    let wrong = (result["labels"].to(.int64) - labels.to(.int64)).isNotEqual(to: 0).to(.float64).mean().item()
    #expect(result["labels"].shape == labels.shape && wrong <= (one.name == "grid-rotated" ? 0.01 : 0))
  }

  @Test(arguments: AugmentationCase.all)
  func `float64 images agree more closely`(one: AugmentationCase) throws {
    guard one.tolerance == 1e-5 else { return }
    let images = try reference("images").to(.float64)
    let result = one.draw(AlignedBatch(["images": .image(images)]))["images"]
    #expect(result.dtype == .float64)
    // The expected values are stored as float32.
    #expect(difference(result, try reference("\(one.name).images")) <= 1e-6)
  }

  @Test func `Hounsfield units, with a range of their own`() throws {
    let gamma = try #require(AugmentationCase.all.first { $0.name == "gamma" })
    let ct = try reference("images") * 1500 - 200
    let result = gamma.draw(AlignedBatch(["ct": .image(ct, range: -1000...1000)]))["ct"]
    #expect(relativeError(result, try reference("ct.images")) < 1e-5)
  }

  @Test func `grid displacements are SciPy's bicubic spline`() throws {
    let grid = try #require(AugmentationCase.all.first { $0.name == "grid" }).draw.images[0]
    let plan = SpatialPlan(grid, source: Canvas(height: 19, width: 25))
    let field = DeformationField.fields(plan.deformations, on: .cpu).squeezed(0)
    #expect(relativeError(field, try reference("grid.field")) < 1e-5)
  }

  @Test func `a quarter turn is PyTorch's rot90, exactly, where the image is square`() throws {
    let square = try reference("images").narrowed(dim: 3, start: 2, length: 19)
    for count in -1...5 {
      let draw = AugmentationDraw(images: Array(repeating: [.quarterTurns(count: count)], count: 2))
      let turned = draw(AlignedBatch(["images": .image(square)]))["images"]
      #expect(turned.isIdentical(to: square.rotated90(count, dims: [2, 3])), "\(count)")
    }
  }

  @Test func `padding further than the image is wide goes on mirroring`() throws {
    let images = try reference("images")
    let window = DrawnTransform.window(top: -60, left: -60, height: 139, width: 145)
    let padded = AugmentationDraw(images: [[window], [window]])(AlignedBatch(["images": .image(images)]))
    let once = pad(images, [18, 18, 18, 18], mode: .reflect)
    let part = padded["images"].narrowed(dim: 2, start: 42, length: 55).narrowed(
      dim: 3, start: 42, length: 61)
    #expect(part.isIdentical(to: once))
    // Mirrored twice, an axis of 25 repeats after 48.
    let whole = padded["images"]
    #expect(
      whole.narrowed(dim: 3, start: 0, length: 48).isIdentical(
        to: whole.narrowed(dim: 3, start: 48, length: 48)))
  }
}

@Suite struct AugmentationPropertyTests {
  /// Everything at once.
  private let pipeline = AugmentationPipeline([
    .init(.flip(.horizontal), probability: 0.5), .init(.quarterTurns, probability: 0.5),
    .init(.rotation(degrees: -30...30), probability: 0.7), .init(.scale(factor: 0.8...1.3)),
    .init(.shift(pixels: -4...4), probability: 0.5), .init(.shear(degrees: -8...8), probability: 0.5),
    .init(.gridDeformation(sigma: 2), probability: 0.6),
    .init(.smoothDeformation(magnitude: 0.5...1.5, sigma: 3), probability: 0.6),
    .init(.crop(height: 24, width: 20)), .init(.gamma(exponent: 0.7...1.4), probability: 0.5),
    .init(.brightness(offset: -0.1...0.1), probability: 0.5),
    .init(.contrast(factor: 0.8...1.25), probability: 0.5),
    .init(.biasField(magnitude: 0.3), probability: 0.5),
    .init(.noise(deviation: 0.01...0.05), probability: 0.5),
  ])

  /// Random images, blocks of three classes, and a map that is the class 1's place.
  private func random(_ count: Int, labelType: DType = .uint8) -> AlignedBatch {
    let generator = Generator(seed: 3)
    let images = Tensor.rand([count, 2, 32, 28], generator: generator) * 2 - 1
    let blocks = Tensor.randint(0, 3, [count, 1, 4, 4], generator: generator).to(.float32)
    let labels = interpolate(blocks, size: [32, 28], mode: .nearest).squeezed(1) * 90
    return AlignedBatch([
      "images": .image(images), "labels": .labels(labels.to(labelType)),
      "map": .map(labels.isEqual(to: 90).to(.float32).unsqueezed(1)),
    ])
  }

  private func row(_ index: Int, of batch: AlignedBatch) -> AlignedBatch {
    AlignedBatch(batch.layers.mapValues { $0.with($0.values.narrowed(dim: 0, start: index, length: 1)) })
  }

  @Test func `a stored draw gives equal bits`() throws {
    let batch = random(6)
    let (augmented, draw) = pipeline(batch, generator: Generator(seed: 11))
    let stored = try JSONEncoder().encode(draw)
    let again = try JSONDecoder().decode(AugmentationDraw.self, from: stored)
    #expect(again == draw)
    let replayed = again(batch)
    for name in ["images", "labels", "map"] {
      #expect(replayed[name].isIdentical(to: augmented[name]), "\(name)")
    }
    #expect(
      !augmented["images"].isIdentical(to: pipeline(batch, generator: Generator(seed: 12)).batch["images"]))
  }

  @Test func `a batch is its images one by one`() {
    let batch = random(6)
    let seeds: [UInt64] = [5, 8, 13, 21, 34, 55]
    let (together, draw) = pipeline(batch, seeds: seeds)
    #expect(Set(draw.images.map { $0.map(\.description) }).count == 6)
    for index in 0..<6 {
      let (alone, one) = pipeline(row(index, of: batch), seeds: [seeds[index]])
      #expect(one.images[0] == draw.images[index])
      let expected = row(index, of: together)
      #expect(difference(alone["images"], expected["images"]) < 1e-5)
      #expect(difference(alone["map"], expected["map"]) < 1e-5)
      #expect(alone["labels"].isIdentical(to: expected["labels"]))
    }
  }

  @Test(arguments: [DType.uint8, .int16, .uint16, .int32, .int64])
  func `labels keep their type and gain no class`(type: DType) {
    for seed in 0..<10 {
      let batch = random(4, labelType: type)
      let labels = pipeline(batch, generator: Generator(seed: UInt64(seed))).batch["labels"]
      #expect(labels.dtype == type && labels.shape == [4, 24, 20])
      #expect(Set(labels.to(.int64).array(of: Int.self)).isSubset(of: [0, 90, 180]))
    }
  }

  @Test func `labels of instances beyond float32 stay whole`() {
    let labels = Tensor([16_777_217, 2_147_483_647] as [Int32], shape: [1, 1, 2]).expanded([1, 2, 2])
    let draw = AugmentationDraw(images: [[.rotation(degrees: 10)]], border: .constant)
    let turned = draw(AlignedBatch(["labels": .labels(labels.contiguous(), outside: -1)]))["labels"]
    #expect(Set(turned.array(of: Int32.self)).isSubset(of: [16_777_217, 2_147_483_647, -1]))
    #expect(turned.array(of: Int32.self).contains(16_777_217))
  }

  @Test(arguments: 0..<8)
  func `labels lie where images and maps show them`(seed: UInt64) {
    let batch = random(3)
    let result = pipeline(batch, generator: Generator(seed: seed)).batch
    let (map, labels) = (result["map"], result["labels"].isEqual(to: 90).to(.float32).unsqueezed(1))
    // Linear and nearest interpolation agree wherever the former is not half-way.
    let isClear = (map - 0.5).abs().isGreater(than: 0.251)
    let differing = (map.isGreater(than: 0.5).to(.float32) - labels).abs() * isClear.to(.float32)
    #expect(differing.sum().item() == 0)
    #expect(isClear.to(.float32).mean().item() > 0.6)
  }

  @Test func `nothing drawn, and transforms that do nothing, change nothing`() {
    let batch = random(2)
    let idle: [DrawnTransform] = [
      .rotation(degrees: 0), .scale(factor: 1), .shift(x: 0, y: 0), .shear(degrees: 0),
      .quarterTurns(count: 4), .window(top: 0, left: 0, height: 32, width: 28), .gamma(exponent: 1),
      .brightness(offset: 0), .contrast(factor: 1), .noise(deviation: 0, seed: 1),
      .biasField(coefficients: [0, 0]),
    ]
    let still = [Double](repeating: 0, count: 9)
    let deformed =
      idle + [
        .gridDeformation(x: still, y: still), .smoothDeformation(magnitude: 0, sigma: 2, seed: 1),
      ]
    #expect(AugmentationDraw(images: [[], []])(batch)["images"].isIdentical(to: batch["images"]))
    for list in [idle, deformed] {
      let result = AugmentationDraw(images: [list, []])(batch)
      // Places are float32: a few millionths of a pixel off after a deformation, times a step of up to 2.
      #expect(difference(result["images"], batch["images"]) < (list == idle ? 1e-6 : 2e-5))
      #expect(result["labels"].isIdentical(to: batch["labels"]))
    }
  }

  @Test func `transforms that undo one another leave no trace of interpolation`() {
    let batch = random(1)
    let list: [DrawnTransform] = [
      .rotation(degrees: 30), .shear(degrees: 12), .shear(degrees: -12), .scale(factor: 0.5),
      .rotation(degrees: -30), .scale(factor: 2), .flip(axis: .vertical), .flip(axis: .vertical),
    ]
    #expect(AugmentationDraw(images: [list])(batch)["images"].isIdentical(to: batch["images"]))
  }

  @Test func `what follows a crop sees the image beyond it`() {
    let batch = random(1)
    let list: [DrawnTransform] = [
      .window(top: 8, left: 8, height: 10, width: 10), .window(top: -4, left: -4, height: 18, width: 18),
    ]
    let part = batch["images"].narrowed(dim: 2, start: 4, length: 18).narrowed(dim: 3, start: 4, length: 18)
    #expect(AugmentationDraw(images: [list])(batch)["images"].isIdentical(to: part))
  }

  @Test func `intensities change images alone, within their range, each image's own`() {
    let batch = random(3)
    let draw = AugmentationDraw(images: [
      [.brightness(offset: 0.9), .contrast(factor: 3)], [],
      [.noise(deviation: 0.5, seed: 2), .gamma(exponent: 2)],
    ])
    let result = draw(batch)
    #expect(result["images"].max().item() == 1 && result["images"].min().item() == -1)
    #expect(row(1, of: result)["images"].isIdentical(to: row(1, of: batch)["images"]))
    #expect(difference(row(0, of: result)["images"], row(0, of: batch)["images"]) > 0.5)
    for name in ["labels", "map"] { #expect(result[name].isIdentical(to: batch[name])) }
  }

  @Test func `half precision images keep their type`() {
    let images = random(1)["images"].to(.bfloat16)
    let draw = AugmentationDraw(images: [[.rotation(degrees: 5), .gamma(exponent: 1.1)]])
    #expect(draw(AlignedBatch(["images": .image(images)]))["images"].dtype == .bfloat16)
  }
}

@Suite struct AugmentationDrawingTests {
  private func drawn(_ transform: RandomTransform, count: Int = 400) -> [DrawnTransform] {
    AugmentationPipeline([.init(transform)])
      .draw(count: count, height: 40, width: 30, generator: Generator(seed: 1)).images.flatMap { $0 }
  }

  @Test func `ranges are kept and filled`() {
    let angles = drawn(.rotation(degrees: -15...30)).compactMap { transform -> Double? in
      guard case .rotation(let degrees) = transform else { return nil }
      return degrees
    }
    #expect(angles.count == 400 && angles.allSatisfy { (-15...30).contains($0) })
    // The mean of 400 uniform numbers in a range of 45 has a standard error of 0.65.
    #expect(abs(angles.reduce(0, +) / 400 - 7.5) < 2.6)
    let factors = drawn(.scale(factor: 0.5...2)).compactMap { transform -> Double? in
      guard case .scale(let factor) = transform else { return nil }
      return factor
    }
    #expect(abs(factors.map { log($0) }.reduce(0, +) / 400) < 0.08)
  }

  @Test func `steps happen as often as they should, and each image's seed is its own`() {
    let pipeline = AugmentationPipeline([.init(.quarterTurns, probability: 0.3)])
    let draw = pipeline.draw(count: 1000, height: 8, width: 8, generator: Generator(seed: 2))
    // Four standard errors.
    #expect(abs(Double(draw.images.count { !$0.isEmpty }) / 1000 - 0.3) < 0.058)
    let pair = pipeline.draw(seeds: [1, 2, 3, 4, 5], height: 8, width: 8)
    #expect(pipeline.draw(seeds: [3, 9], height: 8, width: 8).images[0] == pair.images[2])
  }

  @Test func `crops lie anywhere inside, centred ones in the middle`() {
    var tops: Set<Int> = []
    for case .window(let top, let left, 36, 30) in drawn(.crop(height: 36, width: 30)) {
      tops.insert(top)
      #expect(left == 0)
    }
    #expect(tops == [0, 1, 2, 3, 4])
    #expect(
      drawn(.centreCrop(height: 11, width: 31), count: 1) == [
        .window(top: 14, left: -1, height: 11, width: 31)
      ])
    #expect(drawn(.padding(margin: 7), count: 1) == [.window(top: -7, left: -7, height: 54, width: 44)])
  }

  @Test func `the U-Net's displacements have their deviation`() {
    let values = drawn(.gridDeformation(sigma: 10)).flatMap { transform -> [Double] in
      guard case .gridDeformation(let x, let y) = transform else { return [] }
      return x + y
    }
    #expect(values.count == 400 * 18)
    // Four standard errors of a deviation from 7200 numbers.
    #expect(abs((values.reduce(0) { $0 + $1 * $1 } / 7200).squareRoot() - 10) < 0.34)
  }

  @Test(arguments: [2.0, 5.0])
  func `smooth displacements have their magnitude`(sigma: Double) {
    let draws = (0..<16).map { DrawnTransform.smoothDeformation(magnitude: 3, sigma: sigma, seed: $0) }
    let canvas = Canvas(height: 64, width: 80)
    let plans = draws.map { SpatialPlan([$0], source: canvas).deformations[0] }
    let field = DeformationField.fields(plans, on: .cpu)
    #expect(field.shape == [16, 2, 64, 80])
    #expect(abs(field.square().mean().item().squareRoot() - 3) < 0.3)
    // As strong at the border as inside.
    #expect(abs(field.narrowed(dim: 3, start: 0, length: 2).square().mean().item().squareRoot() - 3) < 0.75)
  }

  @Test func `a draw prints a line for each image`() {
    let draw = AugmentationDraw(images: [[.rotation(degrees: 12.34567), .gamma(exponent: 1.5)], []])
    #expect(draw.description == "0: rotation 12.346°, gamma 1.5\n1: unchanged")
  }

  @Test(arguments: [
    #"{"scale":{"factor":0}}"#, #"{"gridDeformation":{"x":[1,2,3],"y":[1,2,3]}}"#,
    #"{"biasField":{"coefficients":[1,2,3]}}"#, #"{"window":{"top":0,"left":0,"height":0,"width":3}}"#,
    #"{"gamma":{"exponent":-1}}"#, #"{"smoothDeformation":{"magnitude":1,"sigma":1e9,"seed":1}}"#,
  ])
  func `impossible parameters in a file are refused`(transform: String) {
    let json = Data(#"{"border":"reflect","images":[[\#(transform)]]}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(AugmentationDraw.self, from: json) }
  }
}

@Suite struct AugmentationTextTests {
  private let every =
    "flip@0.5, flip:vertical, quarter-turns, rotation:-15.0..15.0, scale:0.9..1.1@0.25, shift:-10.0..10.0, "
    + "shear:-5.0..5.0, elastic:10.0/3, smooth:1.0..3.0/8.0, crop:24x32, centre-crop:16x16, pad:92, "
    + "gamma:0.7..1.4, brightness:-0.1..0.1, contrast:0.8..1.25, noise:0.0..0.05, bias:0.3/3, border:constant"

  @Test func `a list reads what it writes`() throws {
    let pipeline = try AugmentationPipeline(parsing: every)
    #expect(pipeline.steps.count == 17 && pipeline.border == .constant)
    #expect(pipeline.description == every)
    #expect(pipeline.steps[7].transform == .gridDeformation(sigma: 10))
    let stored = try JSONEncoder().encode(pipeline)
    #expect(try JSONDecoder().decode(AugmentationPipeline.self, from: stored) == pipeline)
  }

  @Test func `every item is described, and the page's example is read`() throws {
    let page = try String(
      contentsOf: fixture("../../docs/reference/augmentation.md").standardizedFileURL, encoding: .utf8)
    for item in every.components(separatedBy: ", ") {
      let name = item.prefix { $0 != ":" && $0 != "@" }
      #expect(page.contains("| `\(name)"), "\(name)")
    }
    let example = try #require(page.components(separatedBy: "parsing: \"").dropFirst().first)
    #expect(try AugmentationPipeline(parsing: String(example.prefix { $0 != "\"" })).steps.count == 6)
  }

  @Test func `spaces and whole numbers are welcome`() throws {
    let pipeline = try AugmentationPipeline(parsing: " rotation:-15..15@0.5 ,flip , ")
    #expect(pipeline.steps.map(\.transform) == [.rotation(degrees: -15...15), .flip(.horizontal)])
    #expect(try AugmentationPipeline(parsing: "").steps.isEmpty)
  }

  @Test(arguments: [
    ("spin:3", "expected one of bias, brightness"), ("rotation:15", "write for example rotation:-15..15"),
    ("rotation:15..-15", "a range A..B"), ("scale:0..2", "not above 0"), ("scale:0.9..nan", "a range"),
    ("flip:up", "flip or flip:vertical"), ("flip@", "a probability after @"), ("flip@2", "not in 0...1"),
    ("crop:32", "HEIGHTxWIDTH"), ("crop:0x5", "sides in 1...65536"), ("crop:5x5@0.5", "different sizes"),
    ("elastic:10", "SIGMA/NODES"), ("elastic:10/1", "2 to 64 nodes"), ("pad:-1", "not in 0...65536"),
    ("noise:-1..1", "below 0"), ("bias:0.3/9", "order 1 to 4"), ("border:wrap", "expected one of"),
    ("shear:-90..0", "between −90 and 90"), ("smooth:1..2", "A..B/SIGMA"),
  ])
  func `mistakes get one line`(text: String, part: String) {
    let error = #expect(throws: ImagingError.self) { try AugmentationPipeline(parsing: text) }
    let line = error?.errorDescription ?? ""
    #expect(line.contains("found \"\(text)\"") && line.contains(part) && !line.contains("\n"), "\(line)")
  }
}
