// From pairs to translated files, datasets and pages, and to registered images: `limn translate`, `limn register`, as
// processes.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import limn

@Suite(.serialized) struct TranslateCommandTests {
  private static let network =
    "--images 2 --threads 1 --precision float32 --augment none --set width=2 "

  private func noise(_ seed: UInt64, _ size: [Int], levels: Double = 255) -> Tensor {
    let coarse = Tensor.rand([1, 1, 4, 4], generator: Generator(seed: seed))
    return (interpolate(coarse, size: size, mode: .bilinear)[0] * levels).round()
  }

  /// 8 pairs of pictures of 32×32 pixels, the targets their negatives, with labels.
  private func makePairs(in folder: URL) throws {
    let writer = try DatasetWriter(
      DatasetDescription(
        name: "set", channels: 1, height: 32, width: 32, bitDepth: 8,
        intensity: IntensityRecord(window: "full"),
        classes: [LabelClass(name: "bright", value: 1)],
        companions: [
          LayerDescriptor(
            name: "targets", dtype: .uint16, itemShape: [1, 32, 32],
            intensity: IntensityRecord(window: "full"),
            modality: "MR"),
          LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [32, 32]),
        ]), to: folder.appendingPathComponent("set"))
    for number in 0..<8 {
      let image = noise(UInt64(number), [32, 32])
      let item = DatasetItem(
        id: "item-\(number)", patient: "p\(number / 2)", source: "v\(number / 2)", slice: number % 2,
        split: number < 6 ? .train : .validation)
      try writer.append(
        item, image: image.to(.uint8),
        companions: [
          "targets": ((255 - image) * 257).to(.int32).to(.uint16),
          "labels": image[0].isGreater(than: 128).to(.uint8),
        ])
    }
    try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
  }

  private func train(_ words: String, in folder: URL) throws {
    let done = try Command.limn("train \(words) --data set \(Self.network)", in: folder)
    try #require(done.status == 0, "\(done.error)")
  }

  private func write(_ pixels: Tensor, _ place: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(place)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try PNGFile.write(pixels: pixels, to: file)
  }

  private func volume(_ slices: Int, side: Int = 32) -> Volume {
    let voxels = Tensor.stack((0..<slices).map { noise(UInt64(50 + $0 / 3), [side, side])[0] }).unsqueezed(0)
    return Volume(
      voxels: voxels.to(.uint8),
      affine: Affine(x: [0, 1, 0], y: [0, 0, 1], z: [4, 0, 0], origin: [10, 20, 30]),
      storedBits: 8, info: SourceInfo(path: "", format: "NIfTI", hasGeometry: true))
  }

  private func makeVolume(_ slices: Int, side: Int = 32, _ place: String, in folder: URL) throws {
    let volume = volume(slices, side: side)
    let file = folder.appendingPathComponent(place)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try NIfTIFile.write(volume, to: file)
  }

  private func exists(_ place: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(place).path)
  }

  private struct Document: Decodable {
    struct Row: Decodable { let series: String }
    let figures: PairEvaluation?
    let consistency: [Row]
  }

  private func decoded<Value: Decodable>(_ place: String, in folder: URL) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appendingPathComponent(place)))
  }

  @Test func filesOfAnyKindAreTranslatedMeasuredAndShown() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "reggan --set discriminator_width=2 --out run --set blocks=1 --set registration.width=2", in: folder)
      for (name, size) in [("a", [40, 29]), ("b", [32, 32])] {
        let image = noise(name == "a" ? 20 : 21, size)
        try write(image.to(.uint8), "new/\(name).png", in: folder)
        try write((255 - image).to(.uint8), "truth/\(name).png", in: folder)
      }
      try write((noise(22, [36, 36], levels: 60000)).to(.int32).to(.uint16), "new/deep.png", in: folder)
      try makeVolume(6, "new/scan.nii.gz", in: folder)
      let done = try Command.limn(
        "translate run new --out out --target truth --json a.json --cases cases.csv --report page.html",
        in: folder)
      try #require(done.status == 0, "\(done.error)")
      #expect(
        done.output.contains("4 translated, in out") && done.output.contains("without a counterpart"),
        "\(done.output)")
      let (a, deep, scan) = try (
        ImageReader.read(folder.appendingPathComponent("out/a.png")),
        ImageReader.read(folder.appendingPathComponent("out/deep.png")),
        ImageReader.read(folder.appendingPathComponent("out/scan.nii.gz"))
      )
      #expect(a.voxels.shape == [1, 1, 40, 29] && a.voxels.dtype == .uint8 && deep.voxels.dtype == .uint16)
      #expect(scan.voxels.shape == [1, 6, 32, 32] && scan.voxels.dtype == .float32)
      let document: Document = try decoded("a.json", in: folder)
      #expect(document.consistency.map(\.series) == ["source", "translation"])
      // The same figures as of the files, whose 255 levels are the range.
      let pairs = try Command.limn("evaluate pairs truth out --json b.json", in: folder)
      try #require(pairs.status == 0, "\(pairs.error)")
      let (own, other) = (try #require(document.figures), try decoded("b.json", in: folder) as PairEvaluation)
      for measure in [PairMeasure.nmae, .psnr, .ssim, .nmaeForeground] {
        let values = [own, other].map { $0.results.first { $0.measure == measure }?.perSlice.mean ?? .nan }
        #expect(abs(values[0] - values[1]) < 1e-5 * max(1, abs(values[1])), "\(measure) \(values)")
      }
      let page = try String(contentsOf: folder.appendingPathComponent("page.html"), encoding: .utf8)
      #expect(page.contains("Side by side") && page.contains("Directions of the flow"))
      let again = try Command.limn("translate run new/a.png --out again --seed 5", in: folder)
      #expect(again.status == 0 && !again.output.contains("ssim"))
      #expect(
        try ImageReader.read(folder.appendingPathComponent("again/a.png")).voxels.isIdentical(to: a.voxels))
      let back = try Command.limn("translate run set --out back --recentre", in: folder)
      #expect(back.status == 0 && back.output.contains("columns taken back"), "\(back.error)")
      let options = try Dataset.open(folder.appendingPathComponent("back")).manifest.provenance.options
      #expect(options == ["run run", "--seed 0", "--recentre"])
    }
  }

  @Test func datasetsStayWhatTheyAreButForTheirImages() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "reggan --set discriminator_width=2 --out run --set blocks=1 --set registration.width=2 --set mode=nc",
        in: folder)
      let done = try Command.limn("translate run set --out made --json a.json --report page.html", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let (source, made) = try (
        Dataset.open(folder.appendingPathComponent("set")),
        Dataset.open(folder.appendingPathComponent("made"))
      )
      #expect(made.manifest.items == source.manifest.items && made.manifest.synthetic && made.bitDepth == 16)
      #expect(try made.layer("labels").isIdentical(to: source.layer("labels")))
      #expect(
        made.layerNames.sorted() == ["images", "labels"] && made.manifest.classes == source.manifest.classes)
      #expect(made.manifest.modality == "MR" && made.manifest.provenance.options == ["run run", "--seed 0"])
      let document: Document = try decoded("a.json", in: folder)
      #expect(document.figures?.volumes.map(\.sliceCount) == [2, 2, 2, 2])
      #expect(document.consistency.map(\.series) == ["source", "translation", "target"])
      let held = try Command.limn("translate run set --out held --held-out", in: folder)
      #expect(held.status == 0 && held.output.contains("2 images translated"), "\(held.error)")
      #expect(
        try Dataset.open(folder.appendingPathComponent("held")).manifest.items.map(\.id) == [
          "item-6", "item-7",
        ])
      for (words, says) in [
        ("translate run set --out none --split test", "no image in the split 'test'"),
        ("translate run set --out none --style new.png", "no styles"),
        ("translate run set set --out none", "a dataset is translated alone"),
        ("translate run set --out none --recentre", "no registration network"),
        ("register run a.png a.png --out none", "no registration network"),
        ("translate set a.png --out none", "not a run"),
      ] {
        let refused = try Command.limn(words, in: folder)
        #expect(refused.status != 0 && refused.error.contains(says), "\(words): \(refused.error)")
        #expect(!exists("none", in: folder))
      }
    }
  }

  /// Each item by the network that has not seen it.
  @Test func foldsTranslateWhatTheyHaveNotSeen() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "reggan --set discriminator_width=2 --out cv --set blocks=1 --set mode=nc --folds 2", in: folder)
      let refused = try Command.limn("translate cv set --out none", in: folder)
      #expect(refused.status != 0 && refused.lastLine.contains("a folder of folds"), "\(refused.error)")
      for words in ["cv set --out held --held-out", "cv/fold-1 set --out one", "cv/fold-2 set --out two"] {
        let done = try Command.limn("translate \(words)", in: folder)
        try #require(done.status == 0, "\(done.error)")
      }
      let made = try ["held", "one", "two"].map { try Dataset.open(folder.appendingPathComponent($0)) }
      #expect(made[0].manifest.items == made[1].manifest.items)
      #expect(made[0].manifest.provenance.options == ["run fold-1", "run fold-2", "--seed 0"])
      for fold in 1...2 {
        let plan = try RunFolder(opening: folder.appendingPathComponent("cv/fold-\(fold)")).readPlan()
        let unseen = try Set(plan.heldOutItems(of: Dataset.open(folder.appendingPathComponent("set"))))
        #expect(unseen.count == 4)
        for item in 0..<8 {
          let isTheirs = try made[0].layer("images")[item].isIdentical(to: made[fold].layer("images")[item])
          #expect(isTheirs == unseen.contains(item), "item \(item), fold \(fold)")
        }
      }
    }
  }

  /// A DICOM series becomes a volume in its place, the same as of a NIfTI file of its voxels.
  @Test func seriesBecomeVolumesInTheirPlace() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train("reggan --set discriminator_width=2 --out run --set blocks=1 --set mode=nc", in: folder)
      let scan = volume(4)
      try writeSeries(scan, to: folder.appendingPathComponent("scans/series"))
      try makeVolume(4, "same/series.nii.gz", in: folder)
      for words in ["scans --out made --target scans --json a.json", "same --out other"] {
        let done = try Command.limn("translate run \(words)", in: folder)
        try #require(done.status == 0, "\(done.error)")
      }
      let name = try #require(try VolumeSource.all(at: folder.appendingPathComponent("scans")).first?.name)
      let made = try ImageReader.read(folder.appendingPathComponent("made/\(name).nii.gz"))
      let other = try ImageReader.read(folder.appendingPathComponent("other/series.nii.gz"))
      #expect(made.affine.placesAlike(scan.affine, size: scan.size) && made.size == scan.size)
      #expect((made.voxels - other.voxels).abs().max().item() < 1e-5)
      let document: Document = try decoded("a.json", in: folder)
      #expect(document.figures?.volumes.map(\.sliceCount) == [4])
    }
  }

  @Test func stylesAreDrawnOrTakenFromAnImage() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "munit --out run --set blocks=1 --set hidden=4 --set discriminator.width=2 --set discriminator.scales=1",
        in: folder)
      try write(noise(3, [33, 30]).to(.uint8), "a.png", in: folder)
      let many = try Command.limn(
        "translate run a.png --out styles --styles 2 --report page.html", in: folder)
      try #require(many.status == 0, "\(many.error)")
      let drawn = try (1...2).map {
        try ImageReader.read(folder.appendingPathComponent("styles/a-style-\($0).png")).voxels
      }
      #expect(!drawn[0].isIdentical(to: drawn[1]))
      let set = try Command.limn(
        "translate run set --split validation --styles 2 --out looks --json a.json", in: folder)
      try #require(set.status == 0, "\(set.error)")
      let looks = try Dataset.open(folder.appendingPathComponent("looks"))
      #expect(
        looks.manifest.items.map(\.id) == [
          "item-6-style-1", "item-7-style-1", "item-6-style-2", "item-7-style-2",
        ])
      #expect(Set(looks.manifest.items.map(\.patient)) == ["p3"])
      let images = looks.images(at: [0, 2])
      #expect(!images[0].isIdentical(to: images[1]))
      let document: Document = try decoded("a.json", in: folder)
      #expect(document.figures?.volumes.map(\.sliceCount) == [2, 2])
      let like = try Command.limn("translate run a.png --out like --style a.png", in: folder)
      #expect(like.status == 0 && exists("like/a.png", in: folder), "\(like.error)")
    }
  }

  @Test func anInterruptionLeavesNothingHalfWritten() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "pix2pix --set discriminator_width=2 --out run --set generator=resnet --set blocks=1", in: folder)
      try makeVolume(1200, side: 128, "long.nii", in: folder)
      let start = ContinuousClock.now
      let stopped = try Command.limn(
        "translate run long.nii --out out", in: folder,
        stop: (SIGINT, { ContinuousClock.now - start > .seconds(1.5) }))
      #expect(stopped.status == 130 && stopped.error.contains("interrupted"), "\(stopped.error)")
      #expect(!exists("out", in: folder))
      try write(noise(3, [32, 32]).to(.uint8), "out/a.png", in: folder)
      let same = try Command.limn("translate run out/a.png --out out", in: folder)
      #expect(same.status != 0 && same.lastLine.contains("would take its place"), "\(same.error)")
    }
  }

  @Test func registrationIsAToolOfItsOwn() throws {
    try withTemporaryFolder { folder in
      try makePairs(in: folder)
      try train(
        "reggan --set discriminator_width=2 --out run --set blocks=1 --set registration.width=2", in: folder)
      try write(noise(3, [40, 36]).to(.uint8), "a.png", in: folder)
      try write(noise(4, [40, 36]).to(.uint8), "b.png", in: folder)
      let done = try Command.limn("register run a.png b.png --out out --translate --json a.json", in: folder)
      try #require(done.status == 0, "\(done.error)")
      // After two steps the network is still at the identity.
      #expect(done.output.contains("folded: 0 of \(39 * 35) pixels"), "\(done.output)")
      let (warped, moving) = try (
        ImageReader.read(folder.appendingPathComponent("out/warped.png")).voxels,
        ImageReader.read(folder.appendingPathComponent("b.png")).voxels
      )
      #expect((warped.to(.float32) - moving.to(.float32)).abs().max().item() <= 4)
      #expect(exists("out/displacement.nii.gz", in: folder) && exists("out/checkerboard.png", in: folder))
      try write(noise(4, [40, 32]).to(.uint8), "c.png", in: folder)
      let other = try Command.limn("register run a.png c.png --out none", in: folder)
      #expect(other.lastLine.contains("32x40 pixels, expected 36x40 pixels"), "\(other.error)")
    }
  }
}
