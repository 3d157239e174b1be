// Exports read back: the same pixels in the same place, splits, layers, marks, and what is refused.
// scripts/check-export has other programs read them.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

/// A dataset of pictures with labels: squares with holes that touch by corners, and single pixels.
private func labelled(
  in folder: URL, synthetic: Bool = false, bitDepth: Int = 8, items: [DatasetItem]? = nil
) throws -> Dataset {
  let items =
    items
    ?? (0..<6).map {
      DatasetItem(
        id: "image-\($0)", patient: "p\($0)", source: "\($0).png", split: $0 % 3 == 1 ? .test : .train)
    }
  let pixels = randomPixels(items.count, bitDepth: bitDepth, size: [20, 16])
  var about = description(
    pixels, companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [20, 16])])
  about.synthetic = synthetic
  about.classes = [LabelClass(name: "organ", value: 1, parts: [LabelClass(name: "lesion", value: 2)])]
  let noise = Tensor.rand([items.count, 20, 16], generator: Generator(seed: 3))
  let labels = (noise * 3).floor().to(.uint8)
  let url = folder.appendingPathComponent("set")
  let writer = try DatasetWriter(about, to: url)
  try writer.append(items, images: pixels, companions: ["labels": labels])
  try writer.finish(provenance: provenance)
  return try Dataset.open(url)
}

private func object(_ url: URL) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
}

@Suite struct ExportedVolumeTests {
  /// 9 × 8 × 6 voxels of 1.5 × 1.5 × 4 mm, oblique, without any symmetry.
  private func volume() -> Volume {
    let x: SIMD3<Double> = [cos(0.2), sin(0.2), 0]
    let y: SIMD3<Double> = [-sin(0.2) * cos(0.1), cos(0.2) * cos(0.1), sin(0.1)]
    let z: SIMD3<Double> = [sin(0.2) * sin(0.1), -cos(0.2) * sin(0.1), cos(0.1)]
    let affine = Affine(x: x * 1.5, y: y * 1.5, z: z * 4, origin: [-31, 17.5, 88.25])
    let voxels = Tensor.randint(-500, 1500, [1, 6, 8, 9], generator: Generator(seed: 8)).to(.int16)
    return Volume(voxels: voxels, affine: affine, storedBits: 16, info: SourceInfo(path: "", format: "NIfTI"))
  }

  /// Imports every second slice of the volume in 16 bits, −500 black and 1500 white.
  private func imported(_ volume: Volume, in folder: URL) throws -> Dataset {
    let (file, set) = (folder.appendingPathComponent("scan.nii"), folder.appendingPathComponent("set"))
    try NIfTIFile.write(volume, to: file)
    let chosen = try options {
      $0.cut.window = .range(-500, 1500)
      $0.cut.bits = 16
      $0.cut.every = 2
    }
    _ = try Importer.run(sources: [file], to: set, options: chosen)
    return try Dataset.open(set)
  }

  /// The largest difference, in grey values of the source, at the same places in millimetres; places must meet
  /// voxels of the source up to 0.001 of one.
  private func deviation(_ exported: Volume, _ source: Volume) throws -> Double {
    let toSource = try #require(source.affine.inverse)
    let stored = source.voxels.to(.float64).array(of: Double.self)
    let values = exported.voxels.to(.float64).array(of: Double.self)
    let (rows, columns) = (exported.size[1], exported.size[2])
    var largest = 0.0
    for (place, value) in values.enumerated() {
      let voxel = SIMD3(
        Double(place % columns), Double(place / columns % rows), Double(place / columns / rows))
      let found = toSource(exported.affine(voxel))
      let nearest = found.rounded(.toNearestOrAwayFromZero)
      let off = found - nearest
      guard (off * off).sum() < 1e-6 else { return .infinity }
      let index = (Int(nearest.z) * source.size[1] + Int(nearest.y)) * source.size[2] + Int(nearest.x)
      largest = max(largest, abs(value / 65535 * 2000 - 500 - stored[index]))
    }
    return largest
  }

  @Test func aVolumeComesBackToItsPlace() throws {
    try withTemporaryFolder { folder in
      let source = volume()
      let dataset = try imported(source, in: folder)
      #expect(dataset.count == 3)
      for format in [ExportFormat.nifti, .dicom] {
        let out = folder.appendingPathComponent(format.rawValue)
        let summary = try Exporter.run(dataset, as: format, to: out)
        #expect(
          summary.warnings.isEmpty && summary.images == 3 && summary.files == (format == .nifti ? 1 : 3))
        let name = "\(dataset.manifest.items[0].patient)-1"
        let back =
          format == .nifti
          ? try ImageReader.read(out.appendingPathComponent("train/images/\(name).nii.gz"))
          : try DICOMSeries.read(out.appendingPathComponent("train/\(name)/images"))[0]
        #expect(back.voxels.shape == [1, 3, 8, 9] && back.info.hasGeometry)
        // Half a step of 16 bits is 0.015 grey values of 2000.
        #expect(try deviation(back, source) < 0.02)
        #expect(abs(back.spacing.z - 8) < 1e-4)
      }
    }
  }

  @Test(
    arguments: [8, 16],
    [
      ("range:-1000,400", "HU" as String?, -1000.0, 1400.0), ("centre:40,80", "HU", 0, 80),
      ("range:0,100", nil, 0, 0), ("percentiles:1,99", "HU", 0, 0), ("full", "HU", 0, 0),
      ("range:0,1 or range:0,2", "HU", 0, 0),
    ])
  func hounsfieldUnitsComeBack(bitDepth: Int, window: (String, unit: String?, low: Double, width: Double))
    throws
  {
    try withTemporaryFolder { folder in
      let pixels = randomPixels(2, bitDepth: bitDepth, size: [6, 5])
      var about = description(pixels)
      (about.intensity, about.modality) = (IntensityRecord(window: window.0, unit: window.unit), "CT")
      let writer = try DatasetWriter(about, to: folder.appendingPathComponent("set"))
      try writer.append(
        (0..<2).map { DatasetItem(id: "\($0)", patient: "p\($0)", source: "\($0)") }, images: pixels)
      try writer.finish(provenance: provenance)
      let dataset = try Dataset.open(folder.appendingPathComponent("set"))
      let levels = Double(1 << bitDepth) - 1
      let slope = window.width > 0 ? window.width / levels : 1
      let expected = pixels.to(.float64) * slope + window.low
      for format in [ExportFormat.nifti, .dicom] {
        let out = folder.appendingPathComponent(format.rawValue)
        _ = try Exporter.run(dataset, as: format, to: out)
        for (index, item) in dataset.manifest.items.enumerated() {
          let name = "\(item.split.rawValue)/"
          let file =
            format == .nifti
            ? "\(name)images/\(item.patient)-1.nii.gz" : "\(name)\(item.patient)-1/images/\(item.id).dcm"
          let back = try ImageReader.read(out.appendingPathComponent(file))
          let difference = (back.voxels[0, 0].to(.float64) - expected[index, 0]).abs().max().item()
          // Float32 of up to 65535 steps.
          #expect(difference <= 1e-4 * max(1, window.width / 100))
          if format == .dicom, let preset = back.info.windowPresets.first {
            #expect(abs(preset.centre - preset.width / 2 - window.low) < 1e-6)
          }
        }
      }
    }
  }

  private func slices(_ places: [(slice: Int, millimetres: Double)], affine: Bool = true) -> [DatasetItem] {
    places.enumerated().map { index, place in
      DatasetItem(
        id: "\(index)", patient: "a b", source: "v", slice: place.slice, spacing: [2, 3],
        affine: affine ? [3, 0, 0, 1, 0, 2, 0, 5, 0, 0, 1.5, place.millimetres] : nil)
    }
  }

  @Test func missingSlicesStayBlack() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, items: slices([(2, 3), (4, 6), (8, 12)]))
      let out = folder.appendingPathComponent("out")
      let summary = try Exporter.run(dataset, as: .nifti, to: out)
      #expect(summary.warnings.count == 1 && summary.warnings[0].contains("1 slices"))
      for layer in ["images", "labels"] {
        let volume = try ImageReader.read(out.appendingPathComponent("train/\(layer)/a_b-1.nii.gz"))
        #expect(volume.voxels.shape == [1, 4, 20, 16])
        #expect(volume.affine == Affine(x: [3, 0, 0], y: [0, 2, 0], z: [0, 0, 3], origin: [1, 5, 3]))
        for (place, index) in [(0, 0), (1, 1), (3, 2)] {
          let stored = try dataset.layer(layer)[index].reshaped([20, 16])
          #expect(volume.voxels[0, place].array(of: UInt8.self) == stored.array(of: UInt8.self))
        }
        #expect(volume.voxels[0, 2].max().item() == 0)
      }
    }
  }

  @Test func evenPartsOfUnevenSlicesAreVolumes() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, items: slices([(0, 0), (1, 2), (2, 4), (3, 7), (4, 8), (5, 9)]))
      let out = folder.appendingPathComponent("out")
      let summary = try Exporter.run(dataset, as: .nifti, to: out)
      #expect(summary.warnings.count == 1 && summary.files == 4)
      let names = ["a_b-1", "a_b-2"]
      let volumes = try names.map {
        try ImageReader.read(out.appendingPathComponent("train/images/\($0).nii.gz"))
      }
      #expect(volumes.map { $0.voxels.shape[1] } == [3, 3])
      #expect(volumes[0].affine == Affine(x: [3, 0, 0], y: [0, 2, 0], z: [0, 0, 2], origin: [1, 5, 0]))
      #expect(volumes[1].affine == Affine(x: [3, 0, 0], y: [0, 2, 0], z: [0, 0, 1], origin: [1, 5, 7]))
    }
  }

  @Test func unevenSlicesAreOneDICOMSeries() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, items: slices([(0, 0), (1, 2), (2, 5)]))
      let out = folder.appendingPathComponent("out")
      let summary = try Exporter.run(dataset, as: .dicom, to: out)
      #expect(summary.warnings.isEmpty && summary.files == 4)
      let volumes = try DICOMSeries.read(out.appendingPathComponent("train/a_b-1/images"))
      #expect(volumes.count == 1 && volumes[0].voxels.shape == [1, 3, 20, 16])
      #expect(volumes[0].info.warnings.contains { $0.contains("2, 3") })
    }
  }

  @Test func classesKeepTheirColours() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("set")
      var about = description(
        randomPixels(1), companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [6, 5])])
      about.classes = [LabelClass(name: "bone", value: 3, colour: "#010203")]
      let writer = try DatasetWriter(about, to: url)
      try writer.append(
        items(1), images: randomPixels(1), companions: ["labels": Tensor.full([1, 6, 5], 3).to(.uint8)])
      try writer.finish(provenance: provenance)
      let out = folder.appendingPathComponent("out")
      _ = try Exporter.run(Dataset.open(url), as: .png, to: out)
      let shown = try ImageReader.read(out.appendingPathComponent("train/labels/0.png")).voxels
      #expect(shown[.all, 0, 0, 0].array(of: UInt8.self) == [1, 2, 3])
    }
  }

  @Test func slicesWithoutAPlaceKeepTheirOrder() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, items: slices([(0, 0), (1, 0), (2, 0), (0, 0)], affine: false))
      let out = folder.appendingPathComponent("out")
      let summary = try Exporter.run(dataset, as: .nifti, to: out)
      #expect(summary.warnings.isEmpty && summary.files == 4)
      let first = try ImageReader.read(out.appendingPathComponent("train/images/a_b-1.nii.gz"))
      #expect(first.voxels.shape == [1, 3, 20, 16] && first.spacing == [3, 2, 1])
    }
  }
}

@Suite struct ExportedPictureTests {
  @Test(arguments: [ExportFormat.png, .tiff], [8, 16])
  func picturesKeepEveryBit(format: ExportFormat, bitDepth: Int) throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, bitDepth: bitDepth)
      let out = folder.appendingPathComponent("out")
      #expect(try Exporter.run(dataset, as: format, to: out).files == 12)
      for (index, item) in dataset.manifest.items.enumerated() {
        let name = "\(item.split.rawValue)/images/\(item.id).\(format == .png ? "png" : "tif")"
        let back = try ImageReader.read(out.appendingPathComponent(name)).voxels.squeezed(1)
        #expect(back.dtype == (bitDepth == 8 ? .uint8 : .uint16))
        #expect(
          back.to(.int32).array(of: Int32.self)
            == (try dataset.layer("images"))[index].to(.int32).array(of: Int32.self))
      }
    }
  }

  @Test(arguments: ExportFormat.allCases, [true, false])
  func syntheticDataSaySoInEachFile(format: ExportFormat, synthetic: Bool) throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, synthetic: synthetic)
      let out = folder.appendingPathComponent("out")
      try #require(try Exporter.run(dataset, as: format, to: out).images == 6)
      let names = try FileManager.default.subpathsOfDirectory(atPath: out.path).filter { $0.contains(".") }
      // Compressed headers cannot be searched; scripts/check-export looks at them.
      for name in names where !name.hasSuffix(".gz") {
        let text = String(decoding: try Data(contentsOf: out.appendingPathComponent(name)), as: UTF8.self)
        let says =
          text.contains("SYNTHETIC") || text.contains("Synthetic")
          || text.replacingOccurrences(of: " ", with: "").contains("\"synthetic\":true")
        #expect(says == synthetic, "\(name)")
      }
    }
  }

  @Test func oneSplitAlone() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder)
      var chosen = ExportOptions()
      chosen.split = .test
      let out = folder.appendingPathComponent("out")
      #expect(try Exporter.run(dataset, as: .png, to: out, options: chosen).images == 2)
      #expect(try contents(out) == ["export.json", "test"])
      #expect(try contents(out.appendingPathComponent("test/labels")) == ["image-1.png", "image-4.png"])
      let index = try object(out.appendingPathComponent("export.json"))
      #expect((index["records"] as? [Any])?.count == 2 && (index["items"] as? [Any])?.count == 2)
    }
  }

  @Test func whatCannotBeExportedIsOneLineAndLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder)
      let plain = folder.appendingPathComponent("plain")
      try write(randomPixels(2), to: plain)
      let out = folder.appendingPathComponent("out")
      func line(_ dataset: Dataset, _ format: ExportFormat, _ url: URL, _ split: Split? = nil) -> String? {
        var chosen = ExportOptions()
        chosen.split = split
        return failure { _ = try Exporter.run(dataset, as: format, to: url, options: chosen) }
      }
      #expect(line(dataset, .png, plain)?.contains("exists; choose another place") == true)
      #expect(line(dataset, .png, out, .validation)?.contains("no image in split 'validation'") == true)
      #expect(line(try Dataset.open(plain), .coco, out)?.contains("has no labels") == true)
      #expect(line(try Dataset.open(plain), .labelme, out)?.contains("has no labels") == true)
      struct Stop: Error {}
      #expect(throws: Stop.self) {
        try Exporter.run(dataset, as: .webdataset, to: out) { if $0 == 3 { throw Stop() } }
      }
      #expect(try contents(folder) == ["plain", "set"])
    }
  }

  @Test(arguments: ["a/b", "", "..", "a b", String(repeating: "x", count: 61)])
  func idsThatNameNoFileAreRefused(id: String) throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder, items: [DatasetItem(id: id, patient: "p", source: "s")])
      let out = folder.appendingPathComponent("out")
      #expect(
        failure { _ = try Exporter.run(dataset, as: .png, to: out) }?.contains("cannot name a file") == true)
    }
  }
}

@Suite struct ExportedLabelTests {
  /// Rows of pixels that are inside polygons, by the even-odd rule at their centres.
  private func filled(_ polygon: [[Int]], into map: inout [Int], value: Int) {
    for place in map.indices {
      let (x, y) = (Double(place % 16) + 0.5, Double(place / 16) + 0.5)
      let crossings = zip(polygon, polygon.dropFirst() + polygon.prefix(1)).filter { a, b in
        let (top, bottom) = (Double(a[1]), Double(b[1]))
        guard (top > y) != (bottom > y) else { return false }
        return x < Double(a[0]) + (y - top) * Double(b[0] - a[0]) / (bottom - top)
      }
      if !crossings.count.isMultiple(of: 2) { map[place] = value }
    }
  }

  private func labels(_ dataset: Dataset, _ index: Int) throws -> [Int] {
    try dataset.layer("labels")[index].array(of: UInt8.self).map(Int.init)
  }

  @Test func labelMePolygonsAreTheLabels() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder)
      let out = folder.appendingPathComponent("out")
      _ = try Exporter.run(dataset, as: .labelme, to: out)
      for (index, item) in dataset.manifest.items.enumerated() {
        let file = try object(out.appendingPathComponent("\(item.split.rawValue)/\(item.id).json"))
        var map = [Int](repeating: 0, count: 320)
        for shape in try #require(file["shapes"] as? [[String: Any]]) {
          let value = try #require(["organ": 1, "lesion": 2][shape["label"] as? String ?? ""])
          filled(try #require(shape["points"] as? [[Int]]), into: &map, value: value)
        }
        #expect(try map == labels(dataset, index))
        #expect(file["imageData"] is NSNull && file["imageHeight"] as? Int == 20)
      }
    }
  }

  @Test func cocoSegmentationsAreTheLabels() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder)
      let out = folder.appendingPathComponent("out")
      _ = try Exporter.run(dataset, as: .coco, to: out)
      var maps = [[Int]](repeating: [Int](repeating: 0, count: 320), count: 6)
      var kinds = Set<String>()
      for split in ["train", "test"] {
        let file = try object(out.appendingPathComponent("annotations/instances_\(split).json"))
        let categories = try #require(file["categories"] as? [[String: Any]])
        #expect(categories.map { $0["name"] as? String } == ["organ", "lesion"])
        #expect(categories.map { $0["supercategory"] as? String } == ["organ", "organ"])
        for annotation in try #require(file["annotations"] as? [[String: Any]]) {
          let image = try #require(annotation["image_id"] as? Int) - 1
          let category = try #require(annotation["category_id"] as? Int)
          if let polygons = annotation["segmentation"] as? [[Int]] {
            kinds.insert("polygons")
            for polygon in polygons {
              let points = stride(from: 0, to: polygon.count, by: 2).map { [polygon[$0], polygon[$0 + 1]] }
              filled(points, into: &maps[image], value: category)
            }
          } else {
            kinds.insert("runs")
            let runs = try #require(annotation["segmentation"] as? [String: Any])
            var place = 0
            for (turn, run) in try #require(runs["counts"] as? [Int]).enumerated() {
              if turn % 2 == 1 {
                for column in place..<place + run { maps[image][column % 20 * 16 + column / 20] = category }
              }
              place += run
            }
            #expect(place == 320)
          }
        }
      }
      #expect(kinds == ["polygons", "runs"])
      for index in 0..<6 { #expect(try maps[index] == labels(dataset, index)) }
    }
  }

  @Test func shardsHoldWhatTheySay() throws {
    try withTemporaryFolder { folder in
      let dataset = try labelled(in: folder)
      var chosen = ExportOptions()
      chosen.shardSize = 3
      let out = folder.appendingPathComponent("out")
      #expect(try Exporter.run(dataset, as: .webdataset, to: out, options: chosen).files == 3)
      let shards = ["train/train-000000.tar", "train/train-000001.tar", "test/test-000000.tar"]
      let names = try shards.map { try members(of: Data(contentsOf: out.appendingPathComponent($0))) }
      #expect(names.map(\.count) == [9, 3, 6])
      #expect(names[1] == ["image-5.json", "image-5.png", "image-5.label.png"])
    }
  }

  /// The names in a tar file; the sums of its headers are checked.
  private func members(of tar: Data) throws -> [String] {
    var (names, place) = ([String](), 0)
    while tar[place] != 0 {
      let header = Array(tar[place..<place + 512])
      func text(_ range: Range<Int>) -> String {
        String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
      }
      let sum = header.enumerated().reduce(0) {
        $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
      }
      #expect(Int(text(148..<156), radix: 8) == sum && text(257..<263) == "ustar")
      names.append(text(0..<100))
      let size = try #require(Int(text(124..<136), radix: 8))
      place += 512 + (size + 511) / 512 * 512
    }
    #expect(tar.count == place + 1024)
    return names
  }
}
