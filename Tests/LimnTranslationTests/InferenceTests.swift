// Translation and registration of new images: sizes, planes, units and places, with networks whose answers are known.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct SizeFrameTests {
  @Test func multiplesAreReachedByMirroring() {
    let row = Tensor([0, 1, 2, 3, 4] as [Float]).reshaped([1, 1, 1, 5]).expanded([1, 1, 4, 5]).contiguous()
    let frame = SizeFrame(size: [4, 5], for: .multiples(of: 4, from: 4))
    let framed = frame.applied(to: row)
    // One column before, two after; the edge is not repeated.
    #expect(framed[0, 0, 0].array(of: Float.self) == [1, 0, 1, 2, 3, 4, 3, 2])
    #expect(frame.undone(framed).isIdentical(to: row) && !frame.isScaled)
    let least = SizeFrame(size: [4, 5], for: .multiples(of: 4, from: 16))
    #expect(least.framed == [16, 16] && least.undone(least.applied(to: row)).isIdentical(to: row))
  }

  @Test func oneSizeIsReachedByBlackOrByScaling() {
    let image = Tensor.ones([2, 1, 4, 6])
    let placed = SizeFrame(size: [4, 6], for: .only([8, 8]))
    let framed = placed.applied(to: image)
    // 2 rows and 1 column of black on each side of 4×6 pixels of 1.
    #expect(
      framed.sum().item() == 2 * (24 - 40) && framed[0, 0, 2, 1].item() == 1
        && framed[0, 0, 1, 1].item() == -1)
    #expect(placed.undone(framed).isIdentical(to: image) && !placed.isScaled)
    let enlarged = SizeFrame(size: [4, 6], for: .only([8, 8]), enlarges: true)
    #expect(enlarged.scaled == [5, 8] && enlarged.isScaled && enlarged.undone(framed).shape == [2, 1, 4, 6])
    let larger = SizeFrame(size: [16, 8], for: .only([8, 8]))
    #expect(larger.scaled == [8, 4])
  }
}

@Suite struct TranslatedVolumeTests {
  private func setting(
    _ window: String, _ unit: String?, side: Int = 16, spacing: [Double]? = nil, plane: SliceAxis? = nil
  ) -> MethodSetting {
    MethodSetting(
      shape: ImageShape(channels: 1, height: side, width: side), totalImages: 1,
      targets: TargetSetting(
        channels: 1, intensity: IntensityRecord(window: window, unit: unit), isPaired: true),
      intensity: IntensityRecord(window: "range:-1000,1000"), spacing: spacing, plane: plane)
  }

  /// What was drawn a row down and two columns to the left comes back to its place.
  @Test func recentringTakesTheDriftBack() throws {
    let setting = setting("range:0,1", nil)
    let method = try translator(setting) { images, _ in
      let shift = Tensor([Float(-1), 2], shape: [1, 2, 1, 1])
      return SpatialTransformer.warp(
        images, by: shift.expanded([images.size(0), 2] + images.shape.suffix(2)))
    }.method
    let meter = DriftMeter()
    meter.add(Tensor([Float(1), -2], shape: [1, 2]), pace: 1 / DriftMeter.share)
    method.drift = meter
    let images = Tensor.rand([2, 1, 16, 24], generator: Generator(seed: 1)) * 2 - 1
    func made(_ recentres: Bool) -> Translator {
      var options = Translator.Options()
      options.recentres = recentres
      return Translator(method, setting: setting, name: "run", options: options)
    }
    func translated(_ recentres: Bool) -> Tensor {
      made(recentres).translate(images, isPlaced: false, style: .random(seed: 0))
    }
    let told = try #require(made(true).drift)
    #expect(told.rows == 1 && told.columns == -2 && made(false).drift == nil)
    let inner = images[.all, .all, 2..<14, 3..<21]
    #expect(relativeError(translated(true)[.all, .all, 2..<14, 3..<21], inner) < 1e-5)
    #expect(relativeError(translated(false)[.all, .all, 2..<14, 3..<21], inner) > 0.1)
  }

  private func translator(
    _ setting: MethodSetting,
    drawing: @escaping (Tensor, TranslationStyle) -> Tensor = { images, _ in images }
  ) throws -> (translator: Translator, method: MadeTranslation) {
    let method = try MadeTranslation(recipe: RegGANRecipe(), setting: setting)
    method.drawing = drawing
    return (Translator(method, setting: setting, name: "run"), method)
  }

  /// Hounsfield units that follow from the place, in a volume that lies askew in the patient.
  private func volume(spacing: Double = 1) -> Volume {
    let shape = [1, 5, 13, 18]
    let count = shape.reduce(1, *)
    let values = (Tensor.arange(count).to(.float32) * 37).remainder(2000) - 1000
    let affine = Affine(
      x: [0, spacing, 0.1], y: [0, -0.1, -spacing], z: [-3, 0, 0], origin: [40, -20, 33])
    return Volume(
      voxels: values.reshaped(shape).to(.int16), affine: affine, storedBits: 16, unit: .hounsfield,
      info: SourceInfo(path: "a.nii", format: "NIfTI", hasGeometry: true))
  }

  @Test func valuesAreTheTargetsUnitsInTheSourcesPlace() throws {
    let source = volume()
    let made = try translator(setting("range:-500,1500", "HU")) { images, _ in -images }.translator
    var told: [Int] = []
    let translated = try TranslatedVolume(source, by: made, style: .random(seed: 0)) { told.append($0) }
    try withTemporaryFolder { folder in
      let file = try translated.write(to: folder, name: "below/a")
      #expect(file.lastPathComponent == "a.nii.gz" && told.last == 5)
      let written = try ImageReader.read(file)
      #expect(written.voxels.dtype == .int16 && written.voxels.shape == source.voxels.shape)
      #expect(written.affine.placesAlike(source.affine, size: source.size))
      // v of −1000…1000 becomes −x, which stands for 500 − v of −500…1500.
      let expected = source.voxels.to(.float64) * -1 + 500
      #expect((written.voxels.to(.float64) - expected).abs().max().item() <= 0.5)
    }
  }

  @Test func withoutOneWindowBlackIsZeroAndWhiteOne() throws {
    let source = volume()
    let made = try translator(setting("percentiles:0.5,99.5", nil)).translator
    let translated = try TranslatedVolume(source, by: made, style: .random(seed: 0))
    try withTemporaryFolder { folder in
      let written = try ImageReader.read(translated.write(to: folder, name: "a"))
      #expect(written.voxels.dtype == .float32)
      let expected = (source.voxels.to(.float64) + 1000) / 2000
      #expect((written.voxels.to(.float64) - expected).abs().max().item() < 1e-6)
    }
  }

  @Test func slicesAreShownInTheTrainingPlane() throws {
    // What is drawn is the number of the row: in sagittal slices rows go from the head down.
    let made = try translator(setting("range:0,1", nil, plane: .sagittal)) { images, _ in
      let (height, width) = (images.size(2), images.size(3))
      let rows = Tensor.arange(height).to(.float32).reshaped([1, 1, height, 1]) / 10 - 1
      return rows.expanded([images.size(0), 1, height, width]).contiguous()
    }
    let source = volume()
    let translated = try TranslatedVolume(source, by: made.translator, style: .random(seed: 0))
    // This volume's y axis runs to the feet, its z axis from right to left: 13 rows, mirrored 1 before to 16.
    let rows = Tensor.arange(13).to(.float32).reshaped([1, 1, 13, 1]).expanded([1, 5, 13, 18])
    #expect((translated.images - ((rows + 1) / 10 - 1)).abs().max().item() < 1e-6)
    #expect(made.method.shapes.allSatisfy { $0.suffix(3) == [1, 16, 20] })
  }

  @Test func volumesAreShownAtTheTrainingSpacing() throws {
    let made = try translator(setting("range:0,1", nil, spacing: [1, 1]))
    let fine = volume(spacing: 0.5)
    let translated = try TranslatedVolume(fine, by: made.translator, style: .random(seed: 0))
    // 13 × 18 pixels of 0.51 mm (0.5 along, 0.1 across) become 7 × 9, framed to 16 × 16.
    #expect(translated.match?.matched == [7, 9] && translated.images.shape == [1, 5, 13, 18])
    #expect(made.method.shapes.allSatisfy { $0.suffix(2) == [16, 16] })
    #expect(translated.notes.map(\.key) == ["spacing"])
  }

  @Test func networksOfOneSizeGetIt() throws {
    let setting = setting("range:0,1", nil, side: 32)
    let made = try translator(setting)
    made.method.generator = UNetGenerator(inputChannels: 1, outputChannels: 1, size: 32, width: 2)
    _ = try TranslatedVolume(volume(), by: made.translator, style: .random(seed: 0))
    #expect(made.method.shapes.allSatisfy { $0.suffix(2) == [32, 32] })
  }

  @Test func picturesKeepTheirDepthAndSayThatTheyAreSynthetic() throws {
    try withTemporaryFolder { folder in
      for (type, levels) in [(DType.uint8, 255.0), (.uint16, 65535)] {
        let pixels = (Tensor.rand([1, 21, 10], generator: Generator(seed: 1)) * levels).to(.int32).to(type)
        let file = folder.appendingPathComponent("\(type).png")
        try PNGFile.write(pixels: pixels, to: file)
        var setting = setting("full", nil)
        setting.intensity = IntensityRecord(window: "full")
        let made = try translator(setting) { images, _ in -images }.translator
        let translated = try TranslatedVolume(ImageReader.read(file), by: made, style: .random(seed: 0))
        let result = try translated.write(to: folder.appendingPathComponent("out"), name: "\(type)")
        let written = try ImageReader.read(result).voxels[.all, 0]
        #expect(written.dtype == type)
        #expect(((written.to(.int64) + pixels.to(.int64)) - levels).abs().max().item() == 0)
        #expect(try String(decoding: Data(contentsOf: result), as: Unicode.ASCII.self).contains("Synthetic"))
      }
    }
  }

  @Test func styleComesFromAnotherImage() throws {
    var seen: [[Int]] = []
    let made = try translator(setting("range:-1000,1000", nil)) { images, style in
      guard case .like(let example) = style else { return images }
      seen.append(example.shape)
      return images.zerosLike() + example.mean()
    }
    #expect(throws: RunError.self) { try made.translator.style(of: volume()) }
    made.method.hasStyles = true
    let style = try made.translator.style(of: volume())
    let translated = try TranslatedVolume(volume(), by: made.translator, style: style)
    #expect(Set(seen) == [[1, 1, 16, 20]])
    #expect(
      translated.images.amax(dims: [0, 1, 2, 3]).item() == translated.images.amin(dims: [0, 1, 2, 3]).item())
  }
}

@Suite struct SliceConsistencyTests {
  @Test func correlationAndDifferenceAreThoseOfTheForeground() throws {
    // Two slices of four pixels; the last one is black in both and does not count.
    let source = [Tensor([0, 0.5, 1, -1] as [Float]), Tensor([0.5, 0.5, -0.5, -1] as [Float])]
    let made = [Tensor([0.1, 0.2, 0.6, 0.9] as [Float]), Tensor([0.3, 0.2, 0.4, -0.9] as [Float])]
    var consistency = SliceConsistency()
    for slice in 0..<2 {
      consistency.add([
        .source: source[slice].reshaped([1, 2, 2]), .translation: made[slice].reshaped([1, 2, 2]),
      ])
    }
    let rows = consistency.rows
    #expect(rows.map(\.series) == ["source", "translation"] && rows.allSatisfy { $0.pairs == 1 })
    // By hand: means .3 and .3; covariance (0 + .01 + .03)/3, variances .14/3 and .02/3.
    #expect(abs(rows[1].correlation - 0.04 / (0.14 * 0.02).squareRoot()) < 1e-6)
    #expect(abs(rows[1].difference - (0.2 + 0 + 0.2) / 3 / 2) < 1e-6)
    consistency.restart()
    consistency.add([.source: source[0].reshaped([1, 2, 2])])
    #expect(consistency.rows == rows)
  }
}
