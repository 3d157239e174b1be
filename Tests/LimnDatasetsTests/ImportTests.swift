// Importing small files that the tests write: pictures, volumes, what is refused, whose they are.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

func options(_ change: (inout ImportOptions) throws -> Void = { _ in }) throws -> ImportOptions {
  var options = ImportOptions(splits: try #require(Splits(fractions: [0.8, 0.1, 0.1])))
  options.keepsNames = true
  try change(&options)
  return options
}

/// Writes pictures [C, H, W] under the names given below a new folder `scans`.
func writePictures(_ pictures: [(String, Tensor)], in folder: URL) throws -> URL {
  let scans = folder.appendingPathComponent("scans")
  for (name, pixels) in pictures {
    let file = scans.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try PNGFile.write(pixels: pixels, to: file)
  }
  return scans
}

@Suite struct PictureImportTests {
  @Test(arguments: [8, 16])
  func picturesKeepEveryBit(bitDepth: Int) throws {
    try withTemporaryFolder { folder in
      let pixels = randomPixels(3, bitDepth: bitDepth)
      let scans = try writePictures(
        [("b.png", pixels[1]), ("a.png", pixels[0]), ("c/a.png", pixels[2])], in: folder)
      let out = folder.appendingPathComponent("set")
      let chosen = try options { $0.cut.window = .full }
      let summary = try Importer.run(sources: [scans], to: out, options: chosen)
      let dataset = try Dataset.open(out)
      let images = try dataset.layer("images")
      #expect(dataset.bitDepth == bitDepth && summary.problems.isEmpty)
      #expect(images.to(.int32).isIdentical(to: pixels.to(.int32)))
      #expect(dataset.manifest.items.map(\.source) == ["a.png", "b.png", "a.png"])
      #expect(dataset.manifest.provenance.sources == 3 && dataset.manifest.modality == nil)
    }
  }

  @Test func sameInputGivesTheSameContent() throws {
    try withTemporaryFolder { folder in
      let pixels = randomPixels(8, size: [20, 30])
      let scans = try writePictures((0..<8).map { ("p\($0).png", pixels[$0]) }, in: folder)
      let key = try IdentityKey.kept(in: folder.appendingPathComponent("key"))
      let manifests = try ["a", "b", "c"].map { name in
        let chosen = try options {
          $0.cut.size = ImageSize(height: 8, width: 8)
          if name != "c" { $0.key = key }
        }
        return try Importer.run(
          sources: [scans], to: folder.appendingPathComponent(name), options: chosen
        ).manifest
      }
      #expect(manifests[0].contentHash == manifests[1].contentHash)
      #expect(manifests[0].items == manifests[1].items)
      #expect(manifests[0].items.map(\.split) == manifests[2].items.map(\.split))
      // Without the key, pseudonyms cannot be joined.
      #expect(Set(manifests[0].items.map(\.patient)).isDisjoint(with: manifests[2].items.map(\.patient)))
    }
  }

  @Test func colourBecomesLumaAndGrayIsRepeated() throws {
    try withTemporaryFolder { folder in
      let colour = randomPixels(1, channels: 3)[0]
      let scans = try writePictures([("a.png", colour), ("b.png", randomPixels(1)[0])], in: folder)
      func images(_ channels: ChannelChoice) throws -> Tensor {
        let out = folder.appendingPathComponent(channels.rawValue)
        _ = try Importer.run(sources: [scans], to: out, options: options { $0.cut.channels = channels })
        return try Dataset.open(out).layer("images").to(.float32)
      }
      let c = colour.to(.float32)
      let luma = c[0] * 0.299 + c[1] * 0.587 + c[2] * 0.114
      // Half a level of rounding, and float32's error.
      #expect((try images(.one)[0, 0] - luma).abs().max().item() <= 0.501)
      let three = try images(.three)
      #expect(three.shape == [2, 3, 6, 5] && three[0].isIdentical(to: c))
      #expect(three[1, 0].isIdentical(to: three[1, 2]))
    }
  }

  @Test func sourcesOfOtherChannelsAreRefusedInOneLine() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures(
        [("a.png", randomPixels(1)[0]), ("b.png", randomPixels(1, channels: 3)[0])], in: folder)
      let summary = try Importer.run(
        sources: [scans], to: folder.appendingPathComponent("set"), options: options())
      #expect(summary.manifest.count == 1)
      #expect(summary.problems.map(\.line).first?.contains("b.png: has 3 channels") == true)
    }
  }

  @Test func unreadableFilesAreListedAndStrictnessStops() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures(
        [("a.png", randomPixels(1)[0]), ("b.png", randomPixels(1)[0])], in: folder)
      let whole = try Data(contentsOf: scans.appendingPathComponent("b.png"))
      try whole.prefix(whole.count - 20).write(to: scans.appendingPathComponent("b.png"))
      try Data().write(to: scans.appendingPathComponent("c.jpg"))
      try Data("notes".utf8).write(to: scans.appendingPathComponent("README.txt"))
      let out = folder.appendingPathComponent("set")
      let summary = try Importer.run(sources: [scans], to: out, options: options())
      #expect(summary.manifest.count == 1 && summary.passedOver == 1)
      #expect(summary.problems.map(\.file.lastPathComponent) == ["b.png", "c.jpg"])
      #expect(summary.problems.allSatisfy { !$0.line.contains("\n") && $0.line.contains($0.file.path) })
      let strict = folder.appendingPathComponent("strict")
      let line = failure {
        _ = try Importer.run(sources: [scans], to: strict, options: options { $0.isStrict = true })
      }
      #expect(line?.contains("import stopped") == true && line?.contains("c.jpg") == true)
      let left = try contents(folder)
      #expect(left == ["scans", "set"])
    }
  }

  @Test func nothingReadableIsAnError() throws {
    try withTemporaryFolder { folder in
      let scans = folder.appendingPathComponent("scans")
      try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
      let out = folder.appendingPathComponent("set")
      func line() -> String? {
        failure { _ = try Importer.run(sources: [scans], to: out, options: options()) }
      }
      #expect(line()?.contains("no image was found") == true)
      try Data("no".utf8).write(to: scans.appendingPathComponent("a.png"))
      #expect(line()?.contains("no image could be read") == true)
      let missing = folder.appendingPathComponent("nowhere")
      let other = failure { _ = try Importer.run(sources: [missing], to: out, options: options()) }
      #expect(other?.contains("no such file or folder") == true)
      let left = try contents(folder)
      #expect(left == ["scans"])
    }
  }

  @Test func anInterruptedImportGoesOn() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures((0..<6).map { ("p\($0).png", randomPixels(1)[0]) }, in: folder)
      let chosen = try options()
      let out = folder.appendingPathComponent("set")
      #expect(throws: CancellationError.self) {
        _ = try Importer.run(sources: [scans], to: out, options: chosen) {
          if $0.completed == 3 { throw CancellationError() }
        }
      }
      #expect(try contents(folder) == [".set.importing", "scans"])
      let kept = folder.appendingPathComponent(".set.importing")
      func written() throws -> [String: Date] {
        let names = try contents(kept).filter { $0.hasSuffix(".json") }
        return try Dictionary(
          uniqueKeysWithValues: names.map { name in
            let file = kept.appendingPathComponent(name).path
            let date = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
            return (name, date ?? .distantFuture)
          })
      }
      let before = try written()
      #expect(before.count == 3)
      let changed = scans.appendingPathComponent("p1.png")
      try PNGFile.write(pixels: randomPixels(7)[6], to: changed)
      var after: [String: Date] = [:]
      let resumed = try Importer.run(sources: [scans], to: out, options: chosen) {
        if $0.completed == 6 { after = try written() }
      }.manifest
      // What is finished is taken up, not written again; the picture that changed is cut anew.
      #expect(after.count == 7 && before.allSatisfy { after[$0] == $1 })
      let whole = try Importer.run(
        sources: [scans], to: folder.appendingPathComponent("whole"), options: chosen
      ).manifest
      #expect(resumed.contentHash == whole.contentHash)
      #expect(try contents(folder) == ["scans", "set", "whole"])
    }
  }

  @Test func aSecondImportToOnePlaceIsRefused() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures((0..<2).map { ("p\($0).png", randomPixels(1)[0]) }, in: folder)
      let out = folder.appendingPathComponent("set")
      var line: String?
      _ = try Importer.run(sources: [scans], to: out, options: options()) {
        guard $0.total > 0 else { return }
        line = line ?? failure { _ = try Importer.run(sources: [scans], to: out, options: options()) }
      }
      #expect(line?.contains("another import to this place is under way") == true, "\(line ?? "")")
    }
  }

  /// A copy under another patient's name, saved with small errors, would leak into a test.
  @Test func copiesStayInOneSplit() throws {
    try withTemporaryFolder { folder in
      let pictures = (0..<12).map { number in
        interpolate(
          Tensor.rand([1, 1, 6, 6], generator: Generator(seed: UInt64(number))), size: [32, 32],
          mode: .bilinear)[0]
      }
      let copy = (pictures[3] + Tensor.randn([1, 32, 32], generator: Generator(seed: 99)) * 0.004)
      let named = (pictures + [copy]).enumerated().map { ("p\($0).png", ($1 * 250).to(.uint8)) }
      let scans = try writePictures(named, in: folder)
      let chosen = try options { $0.splits = try #require(Splits(fractions: [0.5, 0.25, 0.25], seed: 3)) }
      let summary = try Importer.run(
        sources: [scans], to: folder.appendingPathComponent("set"), options: chosen)
      let items = summary.manifest.items
      let original = try #require(items.first { $0.source == "p3.png" })
      let twin = try #require(items.first { $0.source == "p12.png" })
      #expect(original.split == twin.split && original.patient != twin.patient)
      #expect(summary.warnings.contains { $0.hasPrefix("2 patients have images that look alike") })
      #expect(Set(items.map(\.split)).count == 3)
    }
  }

  @Test func partsOfPicturesAreKept() throws {
    try withTemporaryFolder { folder in
      let dark = Tensor.zeros([1, 40, 60], dtype: .uint8)
      dark[0, 10..<30, 20..<50] = Tensor.full([20, 30], 200, dtype: .uint8)
      dark[0, 2..<4, 2..<4] = Tensor.full([2, 2], 255, dtype: .uint8)
      let scans = try writePictures([("a.png", dark)], in: folder)
      func size(_ change: (inout ImportOptions) -> Void) throws -> [Int] {
        let out = folder.appendingPathComponent("set")
        var chosen = try options(change)
        chosen.overwrite = true
        _ = try Importer.run(sources: [scans], to: out, options: chosen)
        return try Dataset.open(out).size
      }
      #expect(try size { _ in } == [40, 60])
      #expect(try size { $0.cut.box = CropBox(top: 5, left: 7, height: 11, width: 500) } == [11, 53])
      // One pixel wider on each side than what is bright.
      for choice in [CropChoice.body, .fov] {
        #expect(try size { $0.cut.crop = choice } == [22, 32])
      }
    }
  }
}

@Suite struct VolumeImportTests {
  /// A volume of 4 slices, 5 rows and 6 columns in DICOM's axes, whose values tell their place.
  private func volume(spacing: SIMD3<Double> = [2, 2, 2]) -> Volume {
    let voxels = Tensor.arange(0, 120, dtype: .float32).reshaped([1, 4, 5, 6])
    let affine = Affine(
      x: [-spacing.x, 0, 0], y: [0, -spacing.y, 0], z: [0, 0, spacing.z], origin: [0, 0, 0])
    return Volume(
      voxels: voxels, affine: affine, storedBits: 32,
      info: SourceInfo(path: "", format: "NIfTI", hasGeometry: true))
  }

  private func images(
    of volume: Volume, _ change: (inout ImportOptions) -> Void
  ) throws -> (Tensor, DatasetManifest) {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("sub-01_T1w.nii.gz")
      try NIfTIFile.write(volume, to: file)
      let out = folder.appendingPathComponent("set")
      let chosen = try options {
        $0.cut.window = .range(0, 65535)
        $0.cut.bits = 16
        change(&$0)
      }
      _ = try Importer.run(sources: [file], to: out, options: chosen)
      let dataset = try Dataset.open(out)
      return (try dataset.layer("images").to(.float32).cloned(), dataset.manifest)
    }
  }

  @Test func axialSlicesAreTheVolumesOwn() throws {
    let (images, manifest) = try images(of: volume()) { $0.cut.axis = .axial }
    #expect(images.isIdentical(to: volume().voxels.permuted([1, 0, 2, 3]).contiguous()))
    #expect(manifest.items.map(\.slice) == [0, 1, 2, 3] && manifest.spacing == [2, 2])
    #expect(manifest.items[0].source == "sub-01_T1w.nii.gz")
  }

  @Test func coronalAndSagittalSlicesHaveTheHeadUp() throws {
    let voxels = volume().voxels
    let (coronal, _) = try images(of: volume()) { $0.cut.axis = .coronal }
    #expect(coronal.isIdentical(to: voxels.permuted([2, 0, 1, 3]).flipped([2]).contiguous()))
    let (sagittal, _) = try images(of: volume()) { $0.cut.axis = .sagittal }
    #expect(sagittal.isIdentical(to: voxels.permuted([3, 0, 1, 2]).flipped([2]).contiguous()))
  }

  @Test func autoCutsAcrossTheWidestSpacing() throws {
    let (coronal, _) = try images(of: volume(spacing: [2, 5, 2])) { $0.cut.axis = .auto }
    #expect(coronal.shape == [5, 1, 4, 6])
    let (axial, _) = try images(of: volume()) { $0.cut.axis = .auto }
    #expect(axial.shape == [4, 1, 5, 6])
  }

  @Test func pixelsBecomeSquare() throws {
    let (images, manifest) = try images(of: volume(spacing: [1, 3, 9])) { $0.cut.axis = .axial }
    #expect(images.shape == [4, 1, 15, 6] && manifest.spacing == [1, 1])
  }

  @Test func rangeStepSizeAndSpacingGoTogether() throws {
    let (images, manifest) = try images(of: volume()) {
      $0.cut.axis = .axial
      $0.cut.slices = SliceSelection("1..3")
      $0.cut.every = 2
      $0.cut.size = ImageSize(height: 12, width: 12)
    }
    #expect(images.shape == [2, 1, 12, 12] && manifest.items.map(\.slice) == [1, 3])
    // Padded: 6 columns fill 12, so a pixel is half as wide; one band of a row above and below.
    #expect(manifest.spacing == [1, 1])
    #expect(images[0, 0, 0].max().item() == 0 && images[0, 0, 1].min().item() >= 30)
  }

  @Test func emptySlicesAreLeftOut() throws {
    let sparse = volume()
    sparse.voxels[0, 1].fill(0)
    // The least fraction counts pixels above 5 % of the window, here above 5.
    let (images, manifest) = try images(of: sparse) {
      $0.cut.axis = .axial
      $0.cut.window = .range(0, 100)
      $0.cut.minimumContent = 0.5
    }
    #expect(images.shape[0] == 3 && manifest.items.map(\.slice) == [0, 2, 3])
  }

  @Test func percentilesAreTakenOverTheVolume() throws {
    let (images, manifest) = try images(of: volume()) {
      $0.cut.axis = .axial
      $0.cut.window = .percentiles(10, 90)
    }
    // numpy.percentile(arange(120), [10, 90]) = [11.9, 107.1].
    let expected = ((volume().voxels[0, 1] - 11.9) / 95.2).clamped(min: 0, max: 1) * 65535
    #expect((images[1, 0] - expected).abs().max().item() <= 0.51)
    #expect(manifest.intensity?.window == "percentiles:10,90")
  }
}
