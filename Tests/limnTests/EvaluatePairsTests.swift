// `limn evaluate pairs` and `limn evaluate labels` as processes, on files whose figures are known.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import limn

@Suite(.serialized) struct EvaluatePairsTests {
  private func write(_ pixels: Tensor, _ path: String, in folder: URL) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try PNGFile.encode(pixels: pixels.rank == 2 ? pixels.unsqueezed(0) : pixels).write(to: file)
  }

  private func json(_ path: String, in folder: URL) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent(path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func text(_ path: String, in folder: URL) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  /// The cells of a measure's row.
  private func words(_ measure: String, of result: Command.Result) -> [String] {
    let row = result.output.split(separator: "\n").first { $0.hasPrefix("\(measure) ") }
    return row?.split(separator: " ").map(String.init) ?? ["", ""]
  }

  // MARK: - Pairs

  @Test func picturesAreComparedInTheirOwnNumbers() throws {
    try withTemporaryFolder { folder in
      for place in 0..<3 {
        let real = Tensor.randint(10, 200, [24, 24], generator: Generator(seed: UInt64(place)))
        try write(real.to(.uint8), "real/s\(place)_1.png", in: folder)
        try write((real + 5).to(.uint8), "fake/s\(place)_1_fake.png", in: folder)
      }
      let done = try Command.limn(
        "evaluate pairs real fake --json a.json --csv a.csv --cases c.csv --report a.html", in: folder)
      try #require(done.status == 0, "\(done.error)")
      let mae = done.output.split(separator: "\n").first { $0.hasPrefix("mae ") }
      #expect(
        mae?.contains("5.0000 ± 0.0000") == true && mae?.contains("5.0000-5.0000") == true, "\(done.output)")
      #expect(try json("a.json", in: folder)["results"] is [Any])
      #expect(
        try text("a.csv", in: folder).contains("\r\nmae.per_volume,5.0,0.0,5.0,5.0,,3,3,lowerIsBetter,"))
      let cases = try text("c.csv", in: folder).split(separator: "\r\n")
      #expect(cases.count == 4 && cases[1].hasPrefix("s0_1,1,"))
      let page = try text("a.html", in: folder)
      #expect(
        ["Distributions", "From best to worst", "Every pair"].allSatisfy { page.contains(">\($0)</h2>") })
      let wide = try Command.limn("evaluate pairs real fake --range 0,500", in: folder)
      #expect(wide.output.contains("nmae                0.0100 ± 0.0000"), "\(wide.output)")
    }
  }

  @Test func volumesArePooledAndDatasetsSpeakTheirUnit() throws {
    try withTemporaryFolder { folder in
      for (name, shift) in [("real", 0.0), ("fake", 51.0)] {
        let writer = try DatasetWriter(
          DatasetDescription(
            name: name, channels: 1, height: 16, width: 16, bitDepth: 8,
            intensity: IntensityRecord(window: "range:-1000,1550", unit: "HU")),
          to: folder.appendingPathComponent(name))
        for slice in 0..<4 {
          let image = Tensor.randint(0, 100, [1, 16, 16], generator: Generator(seed: UInt64(slice))) + shift
          try writer.append(
            DatasetItem(id: "\(slice)", patient: "p", source: "v\(slice / 2)", slice: slice),
            image: image.to(.uint8))
        }
        try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
      }
      let done = try Command.limn("evaluate pairs real fake --json a.json", in: folder)
      try #require(done.status == 0, "\(done.error)")
      #expect(done.output.contains("mae: mean |fake - real| in HU over all pixels"))
      let mae = done.output.split(separator: "\n").first { $0.hasPrefix("mae ") }
      // 51 of 255 steps of 10 HU; four slices of two volumes of one patient.
      #expect(
        mae?.split(separator: " ").prefix(5).joined(separator: " ") == "mae 510.0000 ± 0.0000 n/a",
        "\(mae ?? "")")
      let volumes = try #require(try json("a.json", in: folder)["volumes"] as? [[String: Any]])
      #expect(volumes.map { $0["sliceCount"] as? Int } == [2, 2])
    }
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    try withTemporaryFolder { folder in
      try write(Tensor.zeros([8, 8], dtype: .uint8), "a/x.png", in: folder)
      try write(Tensor.ones([8, 9], dtype: .uint8), "b/x.png", in: folder)
      let size = try Command.limn("evaluate pairs a b", in: folder)
      #expect(
        size.status != 0 && size.lastLine.contains("b/x.png: [channels, slices, height, width]"),
        "\(size.error)")
      let range = try Command.limn("evaluate pairs a b --range 3,3", in: folder)
      #expect(range.status != 0 && range.error.contains("--range"))
      let missing = try Command.limn("evaluate pairs a nowhere", in: folder)
      #expect(missing.status != 0 && missing.lastLine.contains("no such file or folder"))
    }
  }

  // MARK: - Labels

  /// A disc of 1 within a square of 2, and the same moved down by a row.
  private func maps() -> (truth: Tensor, prediction: Tensor) {
    let truth = Tensor.zeros([32, 32], dtype: .uint8)
    truth[8..<24, 8..<24] = Tensor.full([16, 16], 2, dtype: .uint8)
    truth[12..<20, 12..<20] = Tensor.full([8, 8], 1, dtype: .uint8)
    return (truth, .cat([truth[31..<32], truth[0..<31]], dim: 0))
  }

  @Test func classesAreMeasuredByName() throws {
    try withTemporaryFolder { folder in
      let maps = maps()
      for place in 1...4 {
        try write(maps.truth, "truth/p\(place)_0.png", in: folder)
        try write(place == 1 ? maps.truth : maps.prediction, "pred/p\(place)_0_seg.png", in: folder)
        try write((maps.truth * 80).to(.uint8), "img/p\(place)_0.png", in: folder)
      }
      let done = try Command.limn(
        "evaluate labels truth pred --classes core=1,rim=2 --images img --json a.json --csv a.csv --cases c.csv "
          + "--report a.html", in: folder)
      try #require(done.status == 0, "\(done.error)")
      // 56 of 64 pixels stay in the core.
      #expect(done.output.contains("core   dice           0.9062 ± 0.0625"), "\(done.output)")
      let confusion = try json("a.json", in: folder)["confusion"] as? [String: Any]
      #expect((confusion?["counts"] as? [Int])?[4] == 64 + 3 * 56)
      #expect(try text("c.csv", in: folder).contains("\r\np2_0,core,0.875,"))
      let page = try text("a.html", in: folder)
      #expect(page.contains(">Confusion</h2>") && page.contains("Best: p1_0 (1)"), "\(page.count)")
      let ignored = try Command.limn("evaluate labels truth pred --ignore 2", in: folder)
      #expect(ignored.output.contains("dice           0.9500"), "\(ignored.output)")
    }
  }

  @Test func objectsProbabilitiesAndBordersHaveMeasuresOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      let (truth, prediction) = maps()
      try write(truth, "truth/a.png", in: folder)
      try write((prediction.isGreater(than: 0).to(.uint8) * 255).to(.uint8), "pred/a.png", in: folder)
      let mask = Tensor.ones([32, 32], dtype: .uint8)
      mask[0..<9] = Tensor.zeros([9, 32], dtype: .uint8)
      mask[24..<32] = Tensor.zeros([8, 32], dtype: .uint8)
      try write(mask, "mask/a.png", in: folder)
      let objects = try Command.limn("evaluate labels truth truth --instances --report a.html", in: folder)
      #expect(
        words("objects", of: objects).prefix(3) == ["objects", "seg", "1.0000"],
        "\(objects.error)\(objects.output)")
      let masked = try Command.limn(
        "evaluate labels truth pred --probabilities --mask mask --report a.html --json a.json", in: folder)
      #expect(
        words("roc_auc", of: masked).prefix(2) == ["roc_auc", "1.0000"], "\(masked.error)\(masked.output)")
      let whole = try Command.limn("evaluate labels truth pred --probabilities", in: folder)
      #expect(words("roc_auc", of: whole)[1].hasPrefix("0.9"))
      let borders = try Command.limn(
        "evaluate labels truth pred --boundaries --cases c.csv --report a.html", in: folder)
      #expect(borders.output.contains("pixel_error    0.0312"), "\(borders.error)\(borders.output)")
      #expect(try text("c.csv", in: folder).split(separator: "\r\n").count == 11)
    }
  }

  @Test func predictionsNeedNotBeCalledLabels() throws {
    try withTemporaryFolder { folder in
      let (truth, prediction) = maps()
      try write(truth, "truth/a.png", in: folder)
      try write(prediction, "gray/a.png", in: folder)
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("indexed"), withIntermediateDirectories: true)
      try PNGFile.encode(labels: prediction).write(to: folder.appendingPathComponent("indexed/a.png"))
      let named = try Command.limn("evaluate labels truth indexed", in: folder)
      let unnamed = try Command.limn("evaluate truth indexed", in: folder)
      #expect(named.status == 0 && unnamed.output == named.output, "\(unnamed.error)")
      let file = try Command.limn("evaluate truth/a.png gray/a.png", in: folder)
      #expect(file.status == 0 && file.output.contains("dice "), "\(file.error)\(file.output)")
      // Gray pictures may be images, and whoever names a measure gets it.
      let (gray, indexed) = (folder.path + "/gray", folder.path + "/indexed")
      for line in [["evaluate", "truth", gray], ["evaluate", "cohort", "truth", indexed]] {
        #expect(EvaluateCommand.named(line) == line)
      }
    }
  }

  @Test func mapsOfAnotherKindAreRecognised() throws {
    try withTemporaryFolder { folder in
      let (truth, _) = maps()
      try write(truth, "truth/a.png", in: folder)
      try write(Tensor.arange(1024).reshaped([32, 32]).remainder(256).to(.uint8), "gray/a.png", in: folder)
      let gray = try Command.limn("evaluate labels truth gray", in: folder)
      #expect(gray.status != 0 && gray.lastLine.contains("values that no truth has"), "\(gray.error)")
      let named = try Command.limn("evaluate labels truth truth --classes core=1", in: folder)
      #expect(named.status != 0 && named.lastLine.contains("value 2"), "\(named.error)")
      let both = try Command.limn("evaluate labels truth truth --instances --boundaries", in: folder)
      #expect(both.status != 0 && both.error.contains("exclude each other"))
      let some = try Command.limn("evaluate labels truth truth --probabilities --classes a=1,b=2", in: folder)
      #expect(some.status != 0 && some.error.contains("expected one class"), "\(some.error)")
    }
  }

  @Test func datasetsAreComparedByTheirItems() throws {
    try withTemporaryFolder { folder in
      let maps = maps()
      for (name, map) in [("truth", maps.truth), ("pred", maps.prediction)] {
        let layer = LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [32, 32])
        let writer = try DatasetWriter(
          DatasetDescription(
            name: name, channels: 1, height: 32, width: 32, bitDepth: 8,
            classes: [
              LabelClass(
                name: "organ", parts: [LabelClass(name: "core", value: 1), LabelClass(name: "rim", value: 2)])
            ],
            companions: [layer]), to: folder.appendingPathComponent(name))
        for patient in ["p", "q"] {
          try writer.append(
            DatasetItem(id: patient, patient: patient, source: "s", spacing: [2, 2]),
            image: map.unsqueezed(0), companions: ["labels": map])
        }
        try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
      }
      let done = try Command.limn("evaluate labels truth pred", in: folder)
      // A row of pixels two millimetres high.
      #expect(done.output.contains("core   hd95_medpy     2.0000 ± 0.0000"), "\(done.error)\(done.output)")
    }
  }
}
