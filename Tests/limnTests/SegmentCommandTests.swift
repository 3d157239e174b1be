// From labelled pictures to labelled pictures: `limn train unet`, folds, `limn segment`, as processes.

import Foundation
import LimnDatasets
import LimnImaging
import LimnSegmentation
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import limn

@Suite(.serialized) struct SegmentCommandTests {
  private static let network =
    "--set width=4 --set levels=3 --set padding=same --set optimizer=adam --set learning_rate=0.01 "
    + "--set dropout_levels=0 --set batch_size=4 --augment none --threads 1"

  /// Bright discs on noise: an image [1, S, S] and its mask [S, S], 0 and 255.
  private func disc(_ seed: UInt64, side: Int = 32) -> (image: Tensor, mask: Tensor) {
    let generator = Generator(seed: seed)
    let centre = Tensor.rand([2], generator: generator).array(of: Float.self).map {
      10 + Double($0) * Double(side - 20)
    }
    let axis = Tensor.arange(side).to(.float64)
    let squares = (axis - centre[0]).square().unsqueezed(1) + (axis - centre[1]).square()
    let inside = squares.isLess(than: 49)
    let noise = Tensor.rand([side, side], generator: generator).to(.float64) * 80
    let image = noise + inside.to(.float64) * 120
    return (image.to(.uint8).unsqueezed(0), (inside.to(.uint8) * 255).to(.uint8))
  }

  private func write(_ count: Int, in folder: URL) throws {
    for part in ["images", "masks"] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(part), withIntermediateDirectories: true)
    }
    for number in 0..<count {
      let drawn = disc(UInt64(number))
      try PNGFile.write(pixels: drawn.image, to: folder.appendingPathComponent("images/p\(number)_0.png"))
      try PNGFile.write(
        pixels: drawn.mask.unsqueezed(0), to: folder.appendingPathComponent("masks/p\(number)_0.png"))
    }
  }

  private func importDiscs(in folder: URL) throws {
    try write(24, in: folder)
    let done = try Command.limn(
      "import images --labels masks --classes disc=1 --out data --split 0.7,0.3 --jobs 0 --key key",
      in: folder)
    try #require(done.status == 0, "\(done.error)")
  }

  @Test func aTrainedRunLabelsPicturesOfAnySize() throws {
    try withTemporaryFolder { folder in
      try importDiscs(in: folder)
      let trained = try Command.limn(
        "train unet --data data --images 240 --out run --sample-every 30 \(Self.network)", in: folder)
      try #require(trained.status == 0, "\(trained.error)")
      let rows = try String(contentsOf: folder.appendingPathComponent("run/metrics.jsonl"), encoding: .utf8)
      #expect(rows.contains("val_dice"), "held-out images were not measured")
      #expect(
        FileManager.default.fileExists(
          atPath: folder.appendingPathComponent("run/samples/predictions-000060.png").path))

      let big = disc(100, side: 75)
      for (name, pixels) in [("new/big.png", big.image), ("truth/big.png", big.mask.unsqueezed(0))] {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try PNGFile.write(pixels: pixels, to: file)
      }
      let done = try Command.limn(
        "segment run new --out labels --tile 32 --probabilities --overlays --objects --minimum-area 40",
        in: folder)
      try #require(done.status == 0, "\(done.error)")
      let whole = try Command.limn("segment run new --out whole --tile 512", in: folder)
      try #require(whole.status == 0, "\(whole.error)")
      let measured = try Command.limn("evaluate labels truth labels --json a.json", in: folder)
      let dice = measured.output.split(separator: "\n").first { $0.contains(" dice ") }?
        .split(separator: " ").dropFirst(2).first.flatMap { Double($0) }
      #expect(dice ?? 0 > 0.85, "\(rows) \(measured.output)\(measured.error)")
      let (tiled, at512) = try (
        ImageReader.read(folder.appendingPathComponent("labels/big.png")).voxels,
        ImageReader.read(folder.appendingPathComponent("whole/big.png")).voxels
      )
      #expect(tiled.isEqual(to: at512).all().item() == 1, "tiles leave seams")
      let table = try String(contentsOf: folder.appendingPathComponent("labels/objects.csv"), encoding: .utf8)
      #expect(table.split(separator: "\r\n").count == 2, "\(table)")
      for path in ["labels/objects/big.png", "labels/overlays/big.png", "labels/probabilities/big_disc.png"] {
        #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path), "\(path)")
      }
    }
  }

  @Test func foldsHoldOutEachItemOnceAndAreAskedTogether() throws {
    try withTemporaryFolder { folder in
      try importDiscs(in: folder)
      let command = "train unet --data data --images 40 --out cv --folds 2 \(Self.network)"
      let dry = try Command.limn(command + " --fold 2 --dry-run", in: folder)
      #expect(dry.error.contains("drawn from 12 of") && dry.error.contains("(fold 2 of 2)"), "\(dry.error)")
      let one = try Command.limn(command + " --fold 2", in: folder)
      try #require(one.status == 0, "\(one.error)")
      let both = try Command.limn(command, in: folder)
      #expect(both.status == 0 && both.error.contains("fold-2 is complete"), "\(both.error)")
      let done = try Command.limn("segment cv data --out labelled --test-time flips", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let labelled = try Dataset.open(folder.appendingPathComponent("labelled"))
      #expect(labelled.manifest.classes == [LabelClass(name: "disc", value: 1)] && labelled.count == 24)
      #expect(labelled.manifest.provenance.options == ["run fold-1", "run fold-2"])
      let compared = try Command.limn("evaluate data labelled", in: folder)
      #expect(compared.output.contains("disc"), "\(compared.error)")
      #expect(compared.output.contains("are of the split 'train'"), "\(compared.output)")

      // Cross-validated: each item by the network that has not seen it, with what its own run says.
      let options = "--probabilities --objects --minimum-area 20"
      let held = try Command.limn("segment cv data --out held --held-out \(options)", in: folder)
      try #require(held.status == 0, "\(held.error)")
      let crossed = try Dataset.open(folder.appendingPathComponent("held"))
      #expect(crossed.manifest.items.map(\.id) == labelled.manifest.items.map(\.id))
      var alone: [Tensor] = []
      for number in 1...2 {
        let run = try Command.limn(
          "segment cv/fold-\(number) data --out alone-\(number) \(options)", in: folder)
        try #require(run.status == 0, "\(run.error)")
        alone.append(
          try Dataset.open(folder.appendingPathComponent("alone-\(number)")).layer("probability-disc"))
      }
      let found = try crossed.layer("probability-disc")
      let folds = (0..<24).map { item in alone.map { $0[item].isIdentical(to: found[item]) } }
      #expect(folds.allSatisfy { $0.contains(true) } && Set(folds.map { $0[0] }).count == 2)
      let labels = try crossed.layer("labels").to(.int32)
      let likely = found.to(.int32)[.all, 0].isGreater(than: 32767)
      #expect(labels.isEqual(to: likely.to(.int32)).to(.float32).mean().item() > 0.999)
      let objects = try crossed.layer("instances").to(.int32)
      let counts = (0..<24).map { Int(objects[$0].max().item()) }
      #expect(objects.isGreater(than: labels).to(.int32).logicalAnd(labels.isEqual(to: 0)).any().item() == 0)
      let table = try String(contentsOf: folder.appendingPathComponent("held/objects.csv"), encoding: .utf8)
      #expect(table.split(separator: "\r\n").count == 1 + counts.reduce(0, +), "\(table)")
      let curve = try Command.limn("evaluate labels data held --probabilities --split validation", in: folder)
      #expect(curve.output.contains("auc") || curve.output.contains("AUC"), "\(curve.output)\(curve.error)")
      #expect(!curve.output.contains("are of the split"), "\(curve.output)")
      let part = try Command.limn("segment cv data --out part --split validation", in: folder)
      try #require(part.status == 0, "\(part.error)")
      #expect(
        try Dataset.open(folder.appendingPathComponent("part")).manifest.items.allSatisfy {
          $0.split == .validation
        })
      let none = try Command.limn("segment cv data --out none --split test", in: folder)
      #expect(none.lastLine.contains("no image in the split 'test'"), "\(none.error)")
    }
  }

  @Test func whatCannotBeSegmentedIsSaid() throws {
    try withTemporaryFolder { folder in
      try write(4, in: folder)
      let plain = try Command.limn("import images --out data --jobs 0 --key key", in: folder)
      try #require(plain.status == 0, "\(plain.error)")
      let unlabelled = try Command.limn("train unet --data data --images 4", in: folder)
      #expect(
        unlabelled.lastLine.contains("no labels to learn from; import it with --labels"),
        "\(unlabelled.error)")
      let nothing = try Command.limn("segment images images --out a", in: folder)
      #expect(nothing.status != 0 && nothing.lastLine.contains("not a run"), "\(nothing.error)")
      let options = try Command.limn("segment run images --out a --separate", in: folder)
      #expect(options.error.contains("go with --objects"))
      let folds = try Command.limn("train unet --data data --images 4 --fold 1", in: folder)
      #expect(folds.error.contains("go with --folds"))
    }
  }

  // MARK: - Volumes

  /// Discs as a volume [1, Z, S, S] and its mask; the radius is 7 pixels of 1 mm.
  private func volume(_ seeds: Range<UInt64>, spacing: Double) -> (image: Volume, mask: Volume) {
    let drawn = seeds.map { disc($0, side: 32) }
    func volume(_ slices: [Tensor]) -> Volume {
      let side = Int(32 / spacing)
      let voxels = interpolate(
        Tensor.stack(slices).to(.float32).unsqueezed(1), size: [side, side]
      ).to(.uint8).squeezed(1).unsqueezed(0)
      // Neither upright nor as it is shown: rows run to the head.
      let affine = Affine(x: [0, spacing, 0], y: [0, 0, spacing], z: [4, 0, 0], origin: [10, 20, 30])
      return Volume(
        voxels: voxels, affine: affine, storedBits: 8,
        info: SourceInfo(path: "", format: "NIfTI", hasGeometry: true))
    }
    return (volume(drawn.map { $0.image[0] }), volume(drawn.map { $0.mask / 255 }.map { $0.to(.uint8) }))
  }

  private func write(_ volume: Volume, _ place: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(place)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try NIfTIFile.write(volume, to: file)
  }

  /// A run on discs of 1 mm pixels.
  private func trainOnVolumes(in folder: URL) throws {
    let training = volume(0..<24, spacing: 1)
    try write(training.image, "images/a.nii.gz", in: folder)
    try write(training.mask, "masks/a.nii.gz", in: folder)
    let done = try Command.limn(
      "import images --labels masks --classes disc=1 --out data --split 1 --window range:0,255 --jobs 0 --key key",
      in: folder)
    try #require(done.status == 0, "\(done.error)")
    let trained = try Command.limn(
      "train unet --data data --images 240 --out run \(Self.network)", in: folder)
    try #require(trained.status == 0, "\(trained.error)")
  }

  /// The network is shown a volume of the training set as it was in training: the same slices, turned alike.
  private func expectShownAsImported(_ volume: Volume, by run: URL, _ folder: URL) throws {
    let segmenter = try Segmenter([run])
    #expect(segmenter.setting.plane == .sagittal && segmenter.setting.spacing == [1, 1])
    let imported = try Dataset.open(folder.appendingPathComponent("data"))
    let shown = try segmenter.intake.images(of: segmenter.intake.turned(volume)).transposed(0, 1)
    let expected = imported.images(at: Array(0..<imported.count))
    #expect(shown.shape == expected.shape && (shown - expected).abs().max().item() < 1e-5)
  }

  private func dice(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.isNotEqual(to: 0).to(.float64), b.isNotEqual(to: 0).to(.float64))
    return 2 * (a * b).sum().item() / (a.sum().item() + b.sum().item())
  }

  @Test func volumesAreShownAtTheTrainingImagesSpacing() throws {
    try withTemporaryFolder { folder in
      try trainOnVolumes(in: folder)
      let coarse = volume(100..<104, spacing: 1)
      let fine = volume(100..<104, spacing: 0.25)
      try write(coarse.image, "coarse.nii.gz", in: folder)
      try write(fine.image, "fine.nii.gz", in: folder)
      for (command, says) in [
        ("fine.nii.gz --out matched", true), ("fine.nii.gz --out as-is --no-resample", false),
        ("coarse.nii.gz --out own", false),
      ] {
        let done = try Command.limn("segment run \(command)", in: folder)
        try #require(done.status == 0, "\(done.error)")
        #expect(
          done.error.contains("fine: pixels of 0.25 x 0.25 mm are brought to the training images' 1 x 1 mm")
            == says,
          "\(done.error)")
      }
      let training = try ImageReader.read(folder.appendingPathComponent("images/a.nii.gz"))
      try expectShownAsImported(training, by: folder.appendingPathComponent("run"), folder)
      func labels(_ place: String) throws -> Volume {
        try ImageReader.read(folder.appendingPathComponent(place))
      }
      let own = dice(try labels("own/coarse.nii.gz").voxels, coarse.mask.voxels)
      let matched = try labels("matched/fine.nii.gz")
      let asIs = dice(try labels("as-is/fine.nii.gz").voxels, fine.mask.voxels)
      #expect(own > 0.85 && dice(matched.voxels, fine.mask.voxels) > 0.85, "\(own)")
      #expect(asIs < dice(matched.voxels, fine.mask.voxels), "\(asIs)")
      #expect(matched.affine.placesAlike(fine.image.affine, size: fine.image.size))
    }
  }

  @Test func aSegmentationObjectHoldsTheSameVoxels() throws {
    try withTemporaryFolder { folder in
      try trainOnVolumes(in: folder)
      let scan = volume(200..<205, spacing: 1)
      let series = folder.appendingPathComponent("series")
      try writeSeries(scan.image, to: series)
      for command in ["series --out plain", "series --out seg --format seg"] {
        let done = try Command.limn("segment run \(command)", in: folder)
        try #require(done.status == 0, "\(done.error)")
      }
      let files = try VolumeSource.all(at: series)
      let image = try #require(files.first).read()
      let name = try #require(files.first?.name)
      let plain = try ImageReader.read(folder.appendingPathComponent("plain/\(name).nii.gz"))
      let object = folder.appendingPathComponent("seg/\(name).dcm")
      let back = try DICOMSegmentation.read(object)
      #expect(back.classes.map(\.name) == ["disc"])
      #expect(back.labels.resampled(onto: image).voxels.isEqual(to: plain.voxels).all().item() == 1)
      #expect(dice(plain.voxels, scan.mask.voxels) > 0.8)
      let measured = try Command.limn(
        "evaluate labels plain/\(name).nii.gz seg/\(name).dcm --classes disc=1", in: folder)
      let found = measured.output.split(separator: "\n").first { $0.contains(" dice ") }
      #expect(found?.contains(" 1.0") == true, "\(measured.output)\(measured.error)")
      let again = try Command.limn(
        "import series --labels seg --out back --split 1 --jobs 0 --key key", in: folder)
      #expect(again.status == 0, "\(again.error)")
      let dataset = try Dataset.open(folder.appendingPathComponent("back"))
      let total = try dataset.layer("labels").to(.int32).sum().item()
      #expect(total == plain.voxels.to(.int32).sum().item() && total > 0)
      try PNGFile.write(pixels: disc(1).image, to: folder.appendingPathComponent("a.png"))
      let same = try Command.limn("segment run a.png --out .", in: folder)
      #expect(same.status != 0 && same.lastLine.contains("would take its place"), "\(same.error)")
      let refused = try Command.limn("segment run a.png --out no --format seg", in: folder)
      #expect(
        refused.status != 0 && refused.lastLine.contains("a.png: found a PNG file; expected DICOM"),
        "\(refused.error)")
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("no").path))
    }
  }

  // MARK: - Spread, probabilities of datasets, large pictures

  @Test func spreadAndProbabilitiesAreWritten() throws {
    try withTemporaryFolder { folder in
      try importDiscs(in: folder)
      let trained = try Command.limn(
        "train unet --data data --images 40 --out cv --folds 2 \(Self.network)", in: folder)
      try #require(trained.status == 0, "\(trained.error)")
      let alone = try Command.limn("segment cv/fold-1 images --out a --spread", in: folder)
      #expect(alone.status != 0 && alone.lastLine.contains("goes with --test-time"), "\(alone.error)")
      let picture = "images/p3_0.png"
      for (run, out, option) in [
        ("cv/fold-1", "one", ""), ("cv/fold-2", "two", ""), ("cv", "both", "--spread"),
        ("cv/fold-1", "flips", "--test-time flips --spread"),
      ] {
        let done = try Command.limn(
          "segment \(run) \(picture) --out \(out) --probabilities \(option)", in: folder)
        try #require(done.status == 0, "\(done.error)")
      }
      func map(_ place: String) throws -> Tensor {
        try ImageReader.read(folder.appendingPathComponent(place)).voxels.to(.float64)
      }
      let name = "p3_0_disc"
      let (one, two) = (try map("one/probabilities/\(name).png"), try map("two/probabilities/\(name).png"))
      // Half the difference is the deviation of two; 16 bits round.
      let expected = (one - two).abs() / (2 * 65535)
      let spread = try map("both/spread/\(name).tif")
      #expect((spread - expected).abs().max().item() < 2e-5 && spread.max().item() > 1e-3)
      #expect((try map("both/probabilities/\(name).png") - (one + two) / 2).abs().max().item() <= 1.01)
      #expect(try map("flips/spread/\(name).tif").max().item() > 0)

      let done = try Command.limn(
        "segment cv data --out labelled --probabilities --spread", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let labelled = try Dataset.open(folder.appendingPathComponent("labelled"))
      #expect(labelled.layerNames.sorted() == ["images", "labels", "probability-disc", "spread-disc"])
      let place = try #require(
        labelled.manifest.items.indices.first {
          try labelled.layer("images")[$0].isIdentical(to: disc(3).image)
        })
      let layer = try labelled.layer("probability-disc")
      #expect(layer.dtype == .uint16 && layer.shape == [24, 1, 32, 32])
      let kept = layer[place].to(.float64)
      #expect((kept - (try map("both/probabilities/\(name).png"))[0]).abs().max().item() <= 1.01)
      #expect(
        ((try labelled.layer("spread-disc"))[place].to(.float64) / 65535 - spread[0]).abs().max().item()
          < 2e-5)
      let checked = try Command.limn("check labelled", in: folder)
      #expect(checked.status == 0, "\(checked.error)")
    }
  }

  @Test func largePicturesAreLabelledStripByStrip() throws {
    try withTemporaryFolder { folder in
      try importDiscs(in: folder)
      let trained = try Command.limn(
        "train unet --data data --images 80 --out run \(Self.network)", in: folder)
      try #require(trained.status == 0, "\(trained.error)")
      // Colours must come out as of a picture that is read whole.
      let gray = disc(7, side: 75).image
      let pixels = Tensor.cat([gray, gray, (gray.to(.float32) * 0.9).to(.uint8)], dim: 0)
      let file = folder.appendingPathComponent("a.tif")
      try TIFFFile.write(voxels: pixels.unsqueezed(1), to: file)
      var options = Segmenter.Options()
      options.side = 16
      let segmenter = try Segmenter([folder.appendingPathComponent("run")], options: options)
      #expect(StreamedPicture(file) == nil)
      let picture = try #require(StreamedPicture(file, over: 75 * 75 - 1))
      let out = folder.appendingPathComponent("out/a.tif")
      try picture.writeLabels(to: out, by: segmenter)
      let whole = try SegmentedVolume(ImageReader.read(file), by: segmenter).labels
      #expect(whole.max().item() == 1)
      #expect(try #require(try PaletteIndices.of(out)).to(.int32).isEqual(to: whole[0]).all().item() == 1)

      struct Stop: Error {}
      let half = folder.appendingPathComponent("half/a.tif")
      #expect(throws: Stop.self) {
        try picture.writeLabels(to: half, by: segmenter) { if $0.finished == 12 { throw Stop() } }
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("half").path)
          .isEmpty)

      // 67 million pixels, which the command takes strip by strip.
      let large = folder.appendingPathComponent("large.tif")
      try TIFFStripWriter.write(TIFFFormat(height: 8200, width: 8200, dtype: .uint8), to: large) { sink in
        for _ in 0..<8 { try sink.append(.zeros([1, 1025, 8200], dtype: .uint8)) }
      }
      for option in ["--overlays", "--objects", "--probabilities", "--spread --test-time flips"] {
        let refused = try Command.limn("segment run large.tif --out no \(option)", in: folder)
        let name = option.split(separator: " ")[0]
        #expect(
          refused.status != 0
            && refused.lastLine.contains("strip by strip, and \(name) needs the whole picture"),
          "\(refused.error)")
      }
      let stopped = try Command.limn(
        "segment run large.tif --out stopped", in: folder,
        stop: (
          SIGINT,
          {
            let place = folder.appendingPathComponent("stopped").path
            return (try? FileManager.default.contentsOfDirectory(atPath: place))?.isEmpty == false
          }
        ))
      #expect(stopped.status == 130 && stopped.error.contains("interrupted"), "\(stopped.error)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("stopped").path)
          .isEmpty)
    }
  }
}

/// The numbers that a TIFF with a palette stores; its colours stand for them.
private enum PaletteIndices {
  static func of(_ url: URL) throws -> Tensor? {
    let colours = try ImageReader.read(url).voxels.squeezed(1).to(.int32)
    guard colours.size(0) == 3 else { return colours[0] }
    let code = (colours[0] * 65536 + colours[1] * 256 + colours[2]).to(.int32)
    let places = Dictionary(
      LabelColours.palette.enumerated().map {
        (Int32($1.red) << 16 | Int32($1.green) << 8 | Int32($1.blue), Int32($0))
      }
    ) { first, _ in first }
    let values = code.array(of: Int32.self).compactMap { places[$0] }
    return values.count == code.count ? Tensor(values, shape: code.shape) : nil
  }
}
