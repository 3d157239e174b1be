// `limn evaluate` as a process: privacy by the splits, usefulness by the labels, the files it writes.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import limn

@Suite(.serialized) struct EvaluateCommandTests {
  /// A dataset of smooth images with labels (where bright), one patient each: 60 for training, 30 held out.
  private func makeDataset(
    _ name: String, in folder: URL, count: Int, seed: UInt64, splits: Splits?, synthetic: Bool,
    labels: Bool = true
  ) throws {
    let coarse = Tensor.randn([count, 1, 6, 6], generator: Generator(seed: seed))
    let images = interpolate(coarse * 0.4, size: [32, 32], mode: .bicubic).quantized(bitDepth: 8)
    let layer = LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [32, 32])
    let writer = try DatasetWriter(
      DatasetDescription(
        name: name, channels: 1, height: 32, width: 32, bitDepth: 8,
        classes: [LabelClass(name: "bright", value: 1)], synthetic: synthetic,
        companions: labels ? [layer] : []),
      to: folder.appendingPathComponent(name))
    for index in 0..<count {
      let label = images[index][0].isGreater(than: 150).to(.uint8)
      try writer.append(
        DatasetItem(id: "\(name)\(index)", patient: "\(name)\(index)", source: "made"), image: images[index],
        companions: labels ? ["labels": label] : [:])
    }
    try writer.finish(provenance: Provenance(sources: 1, tool: "test"), splits: splits)
  }

  private func makeSets(in folder: URL, labels: Bool = true) throws {
    let splits = try #require(Splits(fractions: [2, 1], seed: 1))
    try makeDataset("real", in: folder, count: 90, seed: 1, splits: splits, synthetic: false)
    try makeDataset("fake", in: folder, count: 30, seed: 2, splits: nil, synthetic: true, labels: labels)
  }

  @Test func everythingIsMeasuredWrittenAndTold() throws {
    try withTemporaryFolder { folder in
      try makeSets(in: folder)
      let done = try Command.limn(
        "evaluate real fake --metrics swd_pggan --downstream --downstream-steps 10 --downstream-seeds 1 "
          + "--downstream-size 32 --json a.json --csv a.csv --report a.html", in: folder)
      try #require(done.status == 0, "\(done.error)")
      #expect(done.output.contains("30 synthetic, 30 unseen, 60 training"), "\(done.output)")
      #expect(done.output.contains("usefulness: Trained on synthetic images alone"), "\(done.output)")
      let data = try Data(contentsOf: folder.appendingPathComponent("a.json"))
      let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect((json["privacy"] as? [String: Any])?["verdict"] as? String == "noExcess")
      #expect(((json["usefulness"] as? [String: Any])?["arms"] as? [Any])?.count == 3)
      #expect((json["results"] as? [Any])?.count == 1)
      let csv = try String(contentsOf: folder.appendingPathComponent("a.csv"), encoding: .utf8)
      #expect(
        csv.contains("privacy_p_pixels_aligned,") && csv.contains("downstream_dice_trained_on_synthetic,"))
      let page = try String(contentsOf: folder.appendingPathComponent("a.html"), encoding: .utf8)
      for heading in ["Privacy", "Closest pairs", "From best to worst", "Usefulness for training"] {
        #expect(page.contains(">\(heading)</h2>"), "\(heading)")
      }
    }
  }

  @Test func whatIsMissingIsSaidPlainly() throws {
    try withTemporaryFolder { folder in
      try makeSets(in: folder, labels: false)
      let plain = try Command.limn(
        "evaluate real fake --metrics swd_pggan --no-privacy --downstream", in: folder)
      #expect(plain.status == 0, "\(plain.error)")
      #expect(plain.output.contains("usefulness: fake has no labels"), "\(plain.output)")
      #expect(!plain.output.contains("privacy:"))
      let all = try Command.limn(
        "evaluate real fake --metrics swd_pggan --train train,validation", in: folder)
      #expect(
        all.output.contains("no held-out images") && all.output.contains("--split 0.8,0.2"), "\(all.output)")
      let leak = try Command.limn(
        "evaluate real fake --metrics swd_pggan --train train,validation --held-out validation", in: folder)
      #expect(leak.output.contains("30 held-out images have the very pixels"), "\(leak.output)")
      let copied = try Command.limn("evaluate real real --metrics swd_pggan", in: folder)
      #expect(copied.output.contains("60 synthetic images have the very pixels"), "\(copied.output)")
      #expect(copied.output.contains("not marked as synthetic"))
      for words in ["--train test,all", "--held-out test", "--held-out nowhere"] {
        let refused = try Command.limn("evaluate real fake \(words)", in: folder)
        #expect(refused.status == 1 && refused.error.split(separator: "\n").count == 1, "\(refused.error)")
      }
    }
  }
}
