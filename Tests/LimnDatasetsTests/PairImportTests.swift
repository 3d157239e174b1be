// Pairs: found by name, brought onto the image's grid, cut as the image is.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnDatasets

@Suite struct PairImportTests {
  private func out(_ folder: URL) -> URL { folder.appendingPathComponent("set") }

  /// Imports pictures `a/…` with the counterparts `b/…`.
  private func dataset(
    _ images: [(String, Tensor)], with others: [(String, Tensor)], rule: String? = nil,
    _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws -> (set: Dataset, summary: ImportSummary) {
    try withTemporaryFolder { folder in
      let scans = try writePictures(images, in: folder.appendingPathComponent("a"))
      let pairs = try writePictures(others, in: folder.appendingPathComponent("b"))
      let text = rule?.replacingOccurrences(of: "B", with: pairs.path) ?? pairs.path
      let chosen = try options {
        $0.pairs = PairOptions(LabelRule(text))
        change(&$0)
      }
      let summary = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      return (try Dataset.open(out(folder)), summary)
    }
  }

  private func pixels(_ seed: UInt64, bitDepth: Int = 8, channels: Int = 1, size: [Int] = [6, 5]) -> Tensor {
    randomPixels(1, bitDepth: bitDepth, channels: channels, size: size, seed: seed)[0]
  }

  // MARK: - Who belongs to whom

  @Test(arguments: [
    ("p1.png", "p1.png"), ("a/p1.png", "a/p1.png"), ("p1.png", "deep/p1.png"), ("s1_t1.png", "s1_FLAIR.png"),
    ("sub-01_T1w.png", "sub-01_T2w.png"), ("t1-s1.png", "fl-s1.png"), ("s1_T1_LPS.png", "s1_FL_LPS.png"),
    ("s1/t1.png", "s1/flair.png"), ("001_A.png", "001_B.png"), ("s1_T1.png", "s1_FL_registered.png"),
  ])
  func counterpartsAreFound(image: String, other: String) throws {
    let (a, b) = (pixels(1), pixels(2))
    let (set, summary) = try dataset([(image, a)], with: [(other, b), ("x9_t1.png", pixels(3))])
    #expect(summary.problems.isEmpty)
    #expect(try set.layer("images")[0].isIdentical(to: a) && set.layer("targets")[0].isIdentical(to: b))
  }

  @Test func oneOnEachSideIsAPair() throws {
    let (set, _) = try dataset([("p.png", pixels(1))], with: [("q.png", pixels(2))])
    #expect(try set.layer("targets")[0].isIdentical(to: pixels(2)))
  }

  @Test(arguments: ["B/{name}-other.png", "{folder}/../../b/scans/{name}-other.png"])
  func pathsSayItOutright(rule: String) throws {
    let (set, summary) = try dataset(
      [("p.png", pixels(1)), ("q.png", pixels(2))], with: [("p-other.png", pixels(3))], rule: rule)
    #expect(set.count == 1 && summary.problems.count == 1)
    #expect(try set.layer("targets")[0].isIdentical(to: pixels(3)))
    #expect(
      summary.problems[0].line.contains("has no counterpart: there is no"), "\(summary.problems[0].line)")
  }

  @Test func doubtsAreToldOf() throws {
    let images = ["s1_T1.png", "s2_T1.png", "s3_T1_x.png", "s3_T1_y.png", "s4_T1.png"]
    let others = ["s1_T2.png", "s1_FL.png", "s3_T2.png", "s4_T2.png"]
    let (set, summary) = try dataset(
      images.map { ($0, pixels(1)) }, with: others.map { ($0, pixels(2)) })
    #expect(set.manifest.items.map(\.source) == ["s4_T1.png"])
    let lines = summary.problems.map(\.line)
    #expect(lines.count == 4)
    for (line, words) in zip(
      lines,
      [
        "2 files of", "has no counterpart in", "scans/s3_T2.png may belong to it, and to other sources",
        "may belong to it",
      ])
    {
      #expect(line.contains(words) && line.contains("--pair"), "\(line)")
    }
  }

  @Test func withoutAnyThereIsNothingToDo() throws {
    let line = failure {
      _ = try dataset([("p.png", pixels(1))], with: [("q.txt", pixels(1))], rule: "/nowhere")
    }
    #expect(line?.contains("no such file or folder") == true)
    try withTemporaryFolder { folder in
      let scans = try writePictures([("p.png", pixels(1))], in: folder)
      let chosen = try options { $0.pairs = PairOptions(.folder(scans)) }
      let own = failure { _ = try Importer.run(sources: [scans], to: out(folder), options: chosen) }
      #expect(own?.contains("no image there to pair with; check --pair") == true, "\(own ?? "")")
    }
  }

  // MARK: - Pictures

  @Test(arguments: [8, 16])
  func pairsKeepEveryBit(bitDepth: Int) throws {
    let (a, b) = (pixels(1, bitDepth: bitDepth), pixels(2, bitDepth: bitDepth, channels: 3))
    let (set, _) = try dataset([("p.png", a)], with: [("p.png", b)]) {
      $0.cut.window = .full
      $0.pairs?.window = .full
    }
    #expect(set.bitDepth == bitDepth && set.channels == 1)
    let targets = try set.layer("targets")
    #expect(targets.shape == [1, 3, 6, 5] && targets[0].to(.int32).isIdentical(to: b.to(.int32)))
    #expect(set.manifest.layers.map(\.name) == ["images", "targets"])
    #expect(set.manifest.layers[1].intensity == IntensityRecord(window: "full"))
    #expect(set.manifest.layers[0].intensity == nil)
  }

  @Test func otherSizesAndChannelsAreRefused() throws {
    let (set, summary) = try dataset(
      [("p.png", pixels(1)), ("q.png", pixels(1)), ("r.png", pixels(1))],
      with: [("p.png", pixels(2)), ("q.png", pixels(2, size: [7, 5])), ("r.png", pixels(2, channels: 3))])
    #expect(set.count == 1)
    let lines = summary.problems.map(\.line)
    #expect(lines.count == 2 && lines.allSatisfy { !$0.contains("\n") })
    #expect(lines[0].contains("7×5 pixels, expected 6×5 pixels as its counterpart has"), "\(lines[0])")
    #expect(lines[1].contains("has 3 channels, the counterparts before it have 1"), "\(lines[1])")
    let gray = try dataset([("p.png", pixels(1))], with: [("p.png", pixels(2, channels: 3))]) {
      $0.cut.channels = .one
    }
    #expect(try gray.set.layer("targets").shape == [1, 1, 6, 5])
  }

  /// The line names the counterpart, and the other pairs are imported.
  @Test func aDamagedCounterpartCostsOnePair() throws {
    try withTemporaryFolder { folder in
      let images = (0..<3).map { ("p\($0).png", pixels(UInt64($0))) }
      let scans = try writePictures(images, in: folder.appendingPathComponent("a"))
      let pairs = try writePictures(images, in: folder.appendingPathComponent("b"))
      let damaged = pairs.appendingPathComponent("p1.png")
      let whole = try Data(contentsOf: damaged)
      try whole.prefix(whole.count - 20).write(to: damaged)
      let chosen = try options { $0.pairs = PairOptions(.folder(pairs)) }
      let summary = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      #expect(summary.manifest.items.map(\.source) == ["p0.png", "p2.png"] && summary.problems.count == 1)
      #expect(summary.problems[0].line.contains(damaged.path), "\(summary.problems[0].line)")
    }
  }

  /// Tilted and uneven slices are evened first; the counterpart is brought onto what comes of that.
  @Test func evenedSlicesArePairedToo() throws {
    try withTemporaryFolder { folder in
      let image = Tensor.rand([1, 6, 7, 5], generator: Generator(seed: 1)) * 90
      let oblique = Affine(x: [2, 0, 0], y: [0, 2, 0], z: [0, 1, 3], origin: .zero)
      let scans = try writeVolume("t1/a.nii", image, oblique, in: folder)
      let pairs = try writeVolume("t2/a.nii", image * 3, oblique, in: folder)
      let chosen = try options {
        ($0.cut.axis, $0.cut.evensSlices, $0.cut.bits) = (.axial, true, 16)
        $0.cut.window = .range(0, 90)
        $0.pairs = PairOptions(.folder(pairs))
        $0.pairs?.window = .range(0, 270)
      }
      _ = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      let set = try Dataset.open(out(folder))
      let (own, other) = (try set.layer("images").to(.float32), try set.layer("targets").to(.float32))
      // Where the counterpart has values; beyond its slanted field it is black.
      let isSeen = other.isGreater(than: 0)
      #expect(isSeen.to(.float32).mean().item() > 0.5)
      // Half a row of shear is interpolated in the plane by one, in space by the other: equal at whole rows.
      let difference = Tensor.where(isSeen, own - other, other.zerosLike()).abs()
      #expect(difference[0].max().item() <= 1 && difference[2].max().item() <= 2)
    }
  }

  /// Cut as the image is: what the counterpart's own import gives where it is told the same.
  @Test(arguments: ["box", "tiles", "pad", "crop", "stretch"])
  func counterpartsAreCutAsImagesAre(way: String) throws {
    func cut(_ options: inout ImportOptions) {
      options.cut.window = .range(20, 230)
      switch way {
      case "box": options.cut.box = CropBox(top: 1, left: 2, height: 4, width: 3)
      case "tiles": options.cut.tiles = ImageSize(height: 3, width: 2)
      default:
        options.cut.size = ImageSize(height: 9, width: 8)
        options.cut.fit = ImageResize.Mode(rawValue: way) ?? .pad
      }
    }
    let (set, _) = try dataset([("p.png", pixels(1))], with: [("p.png", pixels(2))]) {
      cut(&$0)
      $0.pairs?.window = .range(20, 230)
    }
    let (alone, _) = try dataset([("p.png", pixels(2))], with: [("p.png", pixels(1))], cut)
    #expect(try set.layer("targets").isIdentical(to: alone.layer("images")))
  }

  @Test func masksGoAlong() throws {
    try withTemporaryFolder { folder in
      let mask = Tensor.randint(0, 3, [1, 6, 5], generator: Generator(seed: 5)).to(.uint8)
      let masks = try writePictures([("p.png", mask)], in: folder)
      let (set, _) = try dataset([("p.png", pixels(1))], with: [("p.png", pixels(2))]) {
        $0.labels = LabelOptions(.folder(masks))
      }
      #expect(set.layerNames == ["images", "targets", "labels"])
      #expect(
        try set.layer("labels").isIdentical(to: mask) && set.layer("targets")[0].isIdentical(to: pixels(2)))
    }
  }

  // MARK: - Volumes

  private func writeVolume(_ name: String, _ voxels: Tensor, _ affine: Affine, in folder: URL) throws -> URL {
    let file = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let info = SourceInfo(path: "", format: "NIfTI")
    try NIfTIFile.write(Volume(voxels: voxels, affine: affine, storedBits: 16, info: info), to: file)
    return file.deletingLastPathComponent()
  }

  /// Turned and moved by half a voxel, and shorter than the image: means of neighbours, black beyond the field.
  @Test func volumesAreBroughtOntoTheImage() throws {
    try withTemporaryFolder { folder in
      let image = Tensor.rand([1, 6, 7, 5], generator: Generator(seed: 1)) * 90
      let other = Tensor.rand([1, 4, 7, 5], generator: Generator(seed: 2)) * 1000 + 10
      let scans = try writeVolume(
        "t1/a.nii", image, Affine(x: [2, 0, 0], y: [0, 2, 0], z: [0, 0, 3], origin: [1, 2, 3]), in: folder)
      // Axes swapped and turned; half a voxel to the right, one slice higher.
      let turned = other.permuted([0, 3, 2, 1]).flipped([1]).contiguous()
      let pairs = try writeVolume(
        "fl/a.nii", turned, Affine(x: [0, 0, 3], y: [0, 2, 0], z: [-2, 0, 0], origin: [2 + 8, 2, 6]),
        in: folder)
      let chosen = try options {
        $0.cut.axis = .axial
        $0.cut.bits = 16
        $0.pairs = PairOptions(.folder(pairs))
        $0.pairs?.window = .range(0, 1100)
      }
      let summary = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      let targets = try Dataset.open(out(folder)).layer("targets").to(.float32) / 65535 * 1100
      #expect(targets.shape == [6, 1, 7, 5])
      // The outermost voxel goes on to its face.
      let mean = Tensor.cat(
        [
          other[.all, .all, .all, 0..<1],
          (other[.all, .all, .all, 0..<4] + other[.all, .all, .all, 1..<5]) / 2,
        ],
        dim: 3)
      let shown = mean[0].flipped([1, 2])  // columns to the left, rows to the back
      #expect((targets[1..<5, 0] - shown).abs().max().item() < 1100 * 1e-4)
      #expect(targets[0].abs().max().item() == 0 && targets[5].abs().max().item() == 0)
      #expect(
        summary.warnings.count { $0.contains("2 of 6 images lie beyond the field of their counterpart") } == 1
      )
      #expect(summary.manifest.layers[1].intensity == IntensityRecord(window: "range:0,1100"))
    }
  }

  /// Numbers that are none become black and do not bleed.
  @Test func whatWasNotMeasuredIsBlack() throws {
    try withTemporaryFolder { folder in
      let image = Tensor.rand([1, 3, 4, 4], generator: Generator(seed: 1))
      let other = Tensor.full([1, 3, 4, 4], 500)
      other[0, 1, 1, 1] = Tensor(Float.nan)
      let scans = try writeVolume("t1/a.nii", image, .identity, in: folder)
      let pairs = try writeVolume(
        "fl/a.nii", other, Affine(x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1], origin: [0.25, 0, 0]), in: folder)
      let chosen = try options {
        $0.cut.axis = .axial
        $0.pairs = PairOptions(.folder(pairs))
        $0.pairs?.window = .range(0, 1000)
      }
      _ = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      let targets = try Dataset.open(out(folder)).layer("targets").to(.int32)
      // A quarter and three quarters of the way from 0 to 500, and 500: of 1000, in 16 bits.
      #expect(Set(targets.array(of: Int32.self)) == [8192, 24576, 32768])
    }
  }

  /// Hounsfield units are given back; nothing of the counterpart's identity is in the dataset or its exports.
  @Test func seriesArePairedAndGiveTheirUnitsBack() throws {
    try withTemporaryFolder { folder in
      let files = FileManager.default
      for name in ["a/Musterfrau", "b/Musterfrau"] {
        let series = folder.appendingPathComponent(name)
        try files.createDirectory(at: series, withIntermediateDirectories: true)
        for number in 1...3 {
          try files.copyItem(
            at: fixture("datasets/\(number).dcm"), to: series.appendingPathComponent("\(number).dcm"))
        }
      }
      let chosen = try options {
        $0.keepsNames = false
        $0.cut.bits = 16
        $0.cut.window = .range(-1024, 1024)
        $0.pairs = PairOptions(.folder(folder.appendingPathComponent("b")))
        $0.pairs?.window = .range(-1024, 3071)
      }
      _ = try Importer.run(
        sources: [folder.appendingPathComponent("a")], to: out(folder), options: chosen)
      let set = try Dataset.open(out(folder))
      let record = try #require(set.manifest.layers.first { $0.name == "targets" })
      #expect(
        record.intensity == IntensityRecord(window: "range:-1024,3071", unit: "HU") && record.modality == "CT"
      )
      let (images, targets) = (try set.layer("images").to(.float64), try set.layer("targets").to(.float64))
      let (own, others) = (images * (2048 / 65535.0) - 1024, targets * (4095 / 65535.0) - 1024)
      #expect((own - others).abs().max().item() < 0.05)
      let exported = folder.appendingPathComponent("nifti")
      _ = try Exporter.run(set, as: .nifti, to: exported)
      let split = set.manifest.items[0].split.rawValue
      func volume(_ layer: String) throws -> Volume {
        let place = exported.appendingPathComponent("\(split)/\(layer)")
        let name = try #require(try contents(place).first)
        return try ImageReader.read(place.appendingPathComponent(name))
      }
      let (first, second) = (try volume("images"), try volume("targets"))
      #expect(second.affine.placesAlike(first.affine, size: first.size))
      #expect((first.voxels.to(.float64) - second.voxels.to(.float64)).abs().max().item() < 0.05)
      let dicom = folder.appendingPathComponent("dicom")
      _ = try Exporter.run(set, as: .dicom, to: dicom)
      for place in [out(folder), exported, dicom] {
        for name in try #require(files.enumerator(atPath: place.path)).compactMap({ $0 as? String }) {
          let data = (try? Data(contentsOf: place.appendingPathComponent(name))) ?? Data()
          for value in ["Musterfrau", "4711", "19640812", "Spital", "777001"] {
            #expect(data.range(of: Data(value.utf8)) == nil && !name.contains(value), "\(name): \(value)")
          }
        }
      }
    }
  }

  // MARK: - What comes after

  @Test(arguments: [ExportFormat.png, .tiff, .nifti, .webdataset])
  func everyCommandGoesOnWorking(format: ExportFormat) throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures(
        (0..<4).map { ("p\($0)_t1.png", pixels($0)) }, in: folder.appendingPathComponent("a"))
      let pairs = try writePictures(
        (0..<4).map { ("p\($0)_t2.png", pixels(9 + $0)) }, in: folder.appendingPathComponent("b"))
      let chosen = try options { $0.pairs = PairOptions(.folder(pairs)) }
      _ = try Importer.run(sources: [scans], to: out(folder), options: chosen)
      let set = try Dataset.open(out(folder))
      #expect(try set.verify().repeatedImages == 0)
      #expect(set.manifest.provenance.options.contains("--pair"))
      #expect(!set.manifest.provenance.options.joined().contains(folder.path))
      let summary = try Exporter.run(set, as: format, to: folder.appendingPathComponent("out"))
      #expect(summary.images == 4 && summary.warnings.isEmpty)
      // Three rows of two columns twice: image, counterpart, checkerboard.
      let sheet = try set.pairSheet([0, 1, 2, 3], columns: 2)
      #expect(sheet.shape == [1, 6 * 8 + 2, 2 * 7 + 2])
      #expect(sheet[.all, 2..<8, 2..<7].isIdentical(to: try set.layer("images")[0]))
      #expect(sheet[.all, 10..<16, 9..<14].isIdentical(to: try set.layer("targets")[1]))
      let board = sheet[0, 18..<24, 2..<7].to(.int32)
      // Fields of one pixel: the upper left one is the image's.
      let (a, b) = (try set.layer("images")[0, 0].to(.int32), try set.layer("targets")[0, 0].to(.int32))
      #expect(board[0, 0].item() == a[0, 0].item() && board[0, 1].item() == b[0, 1].item())
      #expect(board[1, 0].item() == b[1, 0].item() && board[1, 1].item() == a[1, 1].item())
      #expect(try set.sheet([0], layer: "targets").shape == [1, 10, 9])
    }
    let line = failure {
      _ = try withTemporaryFolder { folder in
        try write(randomPixels(2), to: out(folder))
        return try Dataset.open(out(folder)).pairSheet([0])
      }
    }
    #expect(line?.contains("'limn import --pair' makes them") == true)
  }

  @Test func aLookBefore() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures(
        (0..<3).map { ("p\($0)_t1.png", pixels($0)) }, in: folder.appendingPathComponent("a"))
      let pairs = try writePictures(
        (1..<3).map { ("p\($0)_t2.png", pixels($0)) }, in: folder.appendingPathComponent("b"))
      let survey = try Importer.survey([scans], pairs: .folder(pairs))
      #expect(survey.pairs == 2 && survey.rows.count == 3 && survey.problems.count == 1)
      #expect(try Importer.survey([scans]).pairs == nil)
    }
  }

  /// What an earlier import has kept is taken up only if the counterpart is still the same.
  @Test func keptPairsAreTakenUpWhereNothingChanged() throws {
    try withTemporaryFolder { folder in
      let spool = try Spool(beside: out(folder), key: .unkept())
      let file = folder.appendingPathComponent("b.png")
      try PNGFile.write(pixels: pixels(1), to: file)
      func name(_ window: IntensityWindow?) -> String {
        let pair = PairRequest(files: [file.path], isDICOM: false, window: window, takesFileWindow: false)
        return spool.name(
          of: CutRequest(
            files: [], isDICOM: false, options: CutOptions(), target: nil, label: nil, pair: pair, output: "")
        )
      }
      let before = name(nil)
      #expect(before == name(nil) && before != name(.full))
      try PNGFile.write(pixels: pixels(2, size: [9, 9]), to: file)
      #expect(before != name(nil))
    }
  }
}
