// From labelled pictures to labelled pictures: `limn train unet`, folds, `limn segment`, as processes.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
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
      let one = try Command.limn(command + " --fold 2", in: folder)
      try #require(one.status == 0, "\(one.error)")
      let both = try Command.limn(command, in: folder)
      #expect(both.status == 0 && both.error.contains("fold-2 is complete"), "\(both.error)")
      let done = try Command.limn("segment cv data --out labelled --test-time flips", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let labelled = try Dataset.open(folder.appendingPathComponent("labelled"))
      #expect(labelled.manifest.classes == [LabelClass(name: "disc", value: 1)] && labelled.count == 24)
      #expect(labelled.manifest.provenance.options == ["run fold-1", "run fold-2"])
      let compared = try Command.limn("evaluate labels data labelled", in: folder)
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
        let run = try Command.limn("segment cv/fold-\(number) data --out alone-\(number) \(options)", in: folder)
        try #require(run.status == 0, "\(run.error)")
        alone.append(try Dataset.open(folder.appendingPathComponent("alone-\(number)")).layer("probabilities"))
      }
      let found = try crossed.layer("probabilities")
      let folds = (0..<24).map { item in alone.map { $0[item].isIdentical(to: found[item]) } }
      #expect(folds.allSatisfy { $0.contains(true) } && Set(folds.map { $0[0] }).count == 2)
      let labels = try crossed.layer("labels").to(.int32)
      let likely = found.to(.int32)[.all, 1].isGreater(than: found.to(.int32)[.all, 0])
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
        try Dataset.open(folder.appendingPathComponent("part")).manifest.items.allSatisfy { $0.split == .validation })
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
}
