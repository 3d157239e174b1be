// Masks beside images: found by name, checked, brought onto the image's grid, cut as the image is.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnDatasets

@Suite struct LabelImportTests {
  /// Imports pictures with masks, each [C, H, W], under the names given.
  private func dataset(
    _ images: [String], masks: [(String, Tensor)], _ change: (inout LabelOptions) -> Void = { _ in },
    cut: (inout CutOptions) -> Void = { _ in }
  ) throws -> (set: Dataset, summary: ImportSummary) {
    try withTemporaryFolder { folder in
      let scans = try writePictures(images.map { ($0, randomPixels(1, size: [6, 5])[0]) }, in: folder)
      let others = folder.appendingPathComponent("others")
      let masks = try writePictures(masks, in: others)
      let chosen = try options {
        var labels = LabelOptions(.folder(masks))
        change(&labels)
        $0.labels = labels
        cut(&$0.cut)
      }
      let out = folder.appendingPathComponent("set")
      let summary = try Importer.run(sources: [scans], to: out, options: chosen)
      return (try Dataset.open(out), summary)
    }
  }

  private func mask(_ values: [UInt8] = [0, 1, 2], seed: UInt64 = 0) -> Tensor {
    let places = Tensor.randint(0, values.count, [1, 6, 5], generator: Generator(seed: seed))
    return Tensor(values, shape: [values.count]).indexSelect(dim: 0, places.flattened()).reshaped([1, 6, 5])
  }

  @Test(arguments: [
    ("p1.png", "p1.png"), ("a/p1.png", "a/p1.png"), ("p1.png", "x/p1_mask.png"), ("p1.png", "p1-seg.png"),
    ("21_training.png", "21_manual1.png"),
  ])
  func masksAreFound(image: String, maskName: String) throws {
    let expected = mask()
    let (set, summary) = try dataset([image], masks: [(maskName, expected), ("other.png", mask(seed: 1))])
    #expect(try set.layer("labels").isIdentical(to: expected))
    #expect(summary.problems.isEmpty)
    #expect(set.manifest.classes.compactMap(\.value) == [1, 2])
  }

  @Test func blackAndWhiteIsOneClass() throws {
    let white = mask([0, 255])
    let (set, _) = try dataset(["p.png"], masks: [("p.png", white)]) {
      $0.classes = [LabelClass(name: "vessel", value: 1)]
    }
    #expect(try set.layer("labels").isIdentical(to: white.isGreater(than: 0).to(.uint8)))
    #expect(set.manifest.classes == [LabelClass(name: "vessel", value: 1)])
  }

  /// What lies outside the field of view is unknown, and no class.
  @Test func fieldOfViewIsKept() throws {
    let (inside, white) = (mask([0, 255], seed: 4), mask([0, 255]))
    try withTemporaryFolder { folder in
      let views = try writePictures([("p_mask.png", inside)], in: folder.appendingPathComponent("views"))
      let (set, summary) = try dataset(["p.png"], masks: [("p.png", white)]) {
        $0.fieldOfView = .folder(views)
      }
      let expected = white.isGreater(than: 0).to(.uint8).filled(where: inside.isEqual(to: 0), with: 255)
      #expect(try set.layer("labels").isIdentical(to: expected))
      #expect(set.manifest.classes.map(\.value) == [1] && summary.problems.isEmpty)
      let (_, refused) = try dataset(["p.png", "q.png"], masks: [("p.png", white), ("q.png", white)]) {
        $0.fieldOfView = .folder(views)
      }
      #expect(refused.problems.count == 1 && refused.problems[0].line.hasSuffix("check --mask"))
    }
  }

  /// Tiles lie around the centre, labels with them; what is too empty is left out.
  @Test func imagesAreDivided() throws {
    let expected = mask()
    let (set, summary) = try dataset(["p.png"], masks: [("p.png", expected)]) { _ in
    } cut: {
      $0.tiles = ImageSize(height: 3, width: 2)
    }
    let labels = try set.layer("labels")
    #expect(
      labels.shape == [4, 3, 2] && summary.manifest.items.map(\.source).allSatisfy { $0.contains("-r") })
    for (place, box) in [(0, 0), (0, 2), (3, 0), (3, 2)].enumerated() {
      #expect(labels[place].isIdentical(to: expected[0, box.0..<box.0 + 3, box.1..<box.1 + 2].contiguous()))
    }
    let whole = try dataset(["p.png"], masks: [("p.png", expected)]).set.layer("images")
    #expect(
      try set.layer("images")[3].isIdentical(to: whole[0, .all, 3..<6, 2..<4].contiguous()))
    let (none, left) = try dataset(["p.png", "q.png"], masks: [("p.png", expected), ("q.png", expected)]) {
      _ in
    } cut: {
      ($0.tiles, $0.minimumContent) = (ImageSize(height: 1, width: 1), 0.5)
      $0.window = IntensityWindow(option: "range:100,255")
    }
    #expect(none.count + left.skippedSlices == 60 && left.skippedSlices > 0)
    #expect(try none.layer("images").to(.float32).min().item() > 0.05 * 255)
  }

  /// Unknown throughout, the border that made the image square included.
  @Test(arguments: [LabelKind.auto, .instances])
  func imagesWithoutAMaskAreKeptWhereAskedFor(kind: LabelKind) throws {
    let (set, summary) = try dataset(["p.png", "q.png"], masks: [("p.png", mask([0, 1]))]) {
      ($0.keepsUnlabelled, $0.kind) = (true, kind)
    } cut: {
      $0.size = ImageSize(height: 8, width: 8)
    }
    #expect(summary.problems.isEmpty && set.count == 2 && summary.unlabelled == 1)
    let labels = try set.layer("labels").to(.int32)
    #expect(labels[0].distinctValues == [0, 1] && labels[1].distinctValues == [255])
    #expect(set.manifest.classes.map(\.value) == [1])
    if kind == .instances { #expect(try set.layer("instances")[1].to(.int32).distinctValues == [0]) }
    let (_, refused) = try dataset(["p.png", "q.png"], masks: [("p.png", mask([0, 1]))])
    #expect(refused.problems.count == 1 && refused.problems[0].line.hasSuffix("check --labels"))
    #expect(throws: DatasetError.self) {
      try dataset(["q.png"], masks: [("x/q.png", mask([0, 1])), ("y/q.png", mask([0, 1]))]) {
        $0.keepsUnlabelled = true
      }
    }
  }

  /// Sections that are numbered keep their order.
  @Test func numbersCount() throws {
    let names = ["s10.png", "s2.png", "s1.png"]
    let masks = names.enumerated().map { ($1, mask(seed: UInt64($0))) }
    let (set, _) = try dataset(names, masks: masks)
    for (place, index) in [2, 1, 0].enumerated() {
      #expect(try set.layer("labels")[place].isIdentical(to: masks[index].1[0]))
    }
    #expect(NaturalOrder.precedes("a/02.png", "a/2.png") && !NaturalOrder.precedes("a/2.png", "a/02.png"))
    #expect(NaturalOrder.precedes("patient9_1", "patient10_0") && NaturalOrder.precedes("B", "a"))
  }

  @Test func coloursAreClasses() throws {
    let labels = mask([0, 4, 9])
    func channel(_ a: Double, _ b: Double) -> Tensor {
      let values = labels.to(.int32)
      return (values.isEqual(to: 4).to(.int32) * a + values.isEqual(to: 9).to(.int32) * b).to(.uint8)
    }
    let painted = Tensor.cat([channel(255, 0), channel(128, 16), channel(0, 200)], dim: 0)
    let list = try #require([LabelClass](list: "left=4#FF8000,right=9#0010c8"))
    let (set, _) = try dataset(["p.png"], masks: [("p.png", painted)]) { $0.classes = list }
    #expect(try set.layer("labels").isIdentical(to: labels))
    let refused = failure {
      _ = try dataset(["p.png"], masks: [("p.png", painted)]) {
        $0.classes = [LabelClass(name: "left", value: 4, colour: "#ff8000")]
      }
    }
    #expect(refused?.contains("the colour #0010c8, which no class has") == true, "\(refused ?? "")")
  }

  @Test func severalValuesAreOneClass() throws {
    let values = Tensor.randint(0, 6, [1, 6, 5], generator: Generator(seed: 4)).flattened()
    let stored = Tensor([Int32(0), 4, 11, 50, 255, 1035], shape: [6]).to(.uint16)
    let expected = Tensor([UInt8(0), 1, 2, 1, 255, 0], shape: [6])
    func mask(_ table: Tensor) -> Tensor {
      table.to(.int32).indexSelect(dim: 0, values).reshaped([1, 6, 5])
    }
    let list = try #require([LabelClass](list: "csf=1:4+49-52,white=2:11"))
    #expect(list[0].gathered == [4, 49, 50, 51, 52])
    let (set, _) = try dataset(["p.png"], masks: [("p.png", mask(stored).to(.uint16))]) { $0.classes = list }
    #expect(try set.layer("labels").isIdentical(to: mask(expected).to(.uint8)))
    #expect(set.manifest.classes == list)
  }

  @Test(arguments: [
    "a=1:", "a=1:3-2", "a=1:2+", "a=1:70000", "a=1:2,b=2:2", "a=1:x", "a=1:1:2", "a=1:-2", "a=256",
  ])
  func oddListsOfClassesAreRefused(list: String) {
    #expect([LabelClass](list: list) == nil)
  }

  @Test func objectsAreCounted() throws {
    let objects = Tensor.randint(0, 700, [1, 6, 5], generator: Generator(seed: 3)).to(.int32).to(.uint16)
    let (set, _) = try dataset(["p.png"], masks: [("p.png", objects)]) { $0.kind = .instances }
    #expect(try set.layer("instances").to(.int32).isIdentical(to: objects.to(.int32)))
    let isObject = objects.to(.int32).isGreater(than: 0).to(.uint8)
    #expect(try set.layer("labels").isIdentical(to: isObject))
  }

  /// Labels keep to their pixels when images are enlarged, cropped and mirrored into another size.
  @Test func masksAreCutAsImagesAre() throws {
    let expected = mask()
    let (set, _) = try dataset(["p.png"], masks: [("p.png", expected)]) { _ in
    } cut: {
      $0.box = CropBox(top: 1, left: 1, height: 4, width: 4)
      $0.size = ImageSize(height: 12, width: 12)
    }
    let part = expected[0, 1..<5, 1..<5].to(.float32).reshaped([1, 1, 4, 4])
    let enlarged = interpolate(part, size: [12, 12], mode: .nearest)[0].to(.uint8)
    #expect(try set.layer("labels").isIdentical(to: enlarged))
  }

  @Test(arguments: [
    ("p.png", "q.png", [UInt8](), "has no mask"), ("p.png", "p.png", [0, 7], "the value 7, expected one of"),
  ])
  func badMasksAreToldOf(image: String, name: String, values: [UInt8], words: String) throws {
    let good = ("good.png", mask())
    let bad = (name, mask(values.isEmpty ? [0, 1] : values))
    let (set, summary) = try dataset([image, "good.png"], masks: [good, bad]) {
      $0.classes = [LabelClass(name: "a", value: 1), LabelClass(name: "b", value: 2)]
    }
    #expect(set.count == 1 && summary.problems.count == 1)
    #expect(summary.problems[0].line.contains(words), "\(summary.problems[0].line)")
  }

  @Test func otherSizesAreToldOf() throws {
    let wide = Tensor.zeros([1, 6, 7], dtype: .uint8)
    let (_, summary) = try dataset(["p.png", "q.png"], masks: [("p.png", wide), ("q.png", mask())])
    #expect(summary.problems.map(\.line).contains { $0.contains("6×7 pixels, expected 6×5 pixels") })
  }

  /// A mask of finer, turned voxels lies where its affine says.
  @Test func masksAreBroughtOntoTheImage() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ voxels: Tensor, _ affine: Affine) throws {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try NIfTIFile.write(
          Volume(voxels: voxels, affine: affine, storedBits: 8, info: SourceInfo(path: "", format: "NIfTI")),
          to: file)
      }
      let image = Tensor.rand([1, 4, 6, 5], generator: Generator(seed: 1))
      let fine = Tensor.randint(0, 4, [1, 4, 6, 5], generator: Generator(seed: 2)).to(.uint8)
      try write("t1/a.nii", image, Affine(x: [2, 0, 0], y: [0, 2, 0], z: [0, 0, 3], origin: [1, 2, 3]))
      // Axes swapped and turned; each voxel of the image is one of the mask.
      let turned = fine.permuted([0, 3, 2, 1]).flipped([1]).contiguous()
      try write(
        "seg/a.nii", turned,
        Affine(x: [0, 0, 3], y: [0, 2, 0], z: [-2, 0, 0], origin: [1 + 8, 2, 3]))
      var chosen = try options {
        $0.labels = LabelOptions(.folder(folder.appendingPathComponent("seg")))
        $0.cut.axis = .axial
      }
      let source = [folder.appendingPathComponent("t1")]
      let refused = failure {
        _ = try Importer.run(sources: source, to: folder.appendingPathComponent("no"), options: chosen)
      }
      #expect(refused?.contains("--resample-labels") == true, "\(refused ?? "")")
      chosen.labels?.resample = true
      let out = folder.appendingPathComponent("set")
      _ = try Importer.run(sources: source, to: out, options: chosen)
      // Radiological display: columns run to the left, rows to the back. Pixels were made square (none was off).
      let shown = fine[0].flipped([1, 2])
      #expect(try Dataset.open(out).layer("labels").isIdentical(to: shown))
    }
  }

  @Test(arguments: ["", "a", "a=", "=1", "a=1,b", "a=256", "a=-1", "a=1#12", "a=1#zzzzzz", "a=1#112233#4"])
  func badListsOfClasses(text: String) { #expect([LabelClass](list: text) == nil) }
}

@Suite struct IndexedLabelTests {
  /// Label maps with a palette are read as what they store, whatever colours stand for it.
  @Test(arguments: [2, 16, 256]) func indexedPicturesAreTheirIndices(count: Int) throws {
    let labels = Tensor.randint(0, count, [9, 13], generator: Generator(seed: 3)).to(.uint8)
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("a.png")
      try PNGFile.encode(labels: labels, palette: Array(LabelColours.palette.prefix(count))).write(to: file)
      let source = try #require(try VolumeSource.all(at: file).first)
      let read = try LabelPairReader(kind: .instances).labels(source, on: source.read())
      #expect(read[0, 0].isEqual(to: labels.to(.int32)).all().item() == 1)
    }
  }

  /// Made by Pillow: 1, 2 and 4 bits a sample, palettes of its own.
  @Test(arguments: [1, 2, 4]) func fewBitsASampleAreReadToo(bits: Int) throws {
    let indices = try #require(try PNGFile.indices(of: fixture("datasets/indexed-\(bits).png")))
    let expected = Tensor((0..<35).map { UInt8($0 % (1 << bits)) }, shape: [1, 5, 7])
    #expect(indices.isEqual(to: expected).all().item() == 1)
    #expect(try PNGFile.indices(of: fixture("datasets/1.dcm")) == nil)
  }
}
