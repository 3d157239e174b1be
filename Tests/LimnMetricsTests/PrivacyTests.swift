// Planted copies are flagged and listed, unseen sets are not; leaks, missing held-out sets, and refusals.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

@Suite struct PrivacyTests {
  private func images(_ tensor: Tensor, _ name: String, patients: [String]? = nil) throws -> PatientImages {
    try PatientImages(TensorImages(tensor, name: name), patients: patients)
  }

  private func report(
    fake: Tensor, heldOut: Tensor?, training: Tensor? = nil, patients: [String]? = nil
  ) throws -> PrivacyReport {
    try Privacy.assess(
      synthetic: images(fake, "fake"),
      training: images(training ?? bodies(150, seed: 1), "training", patients: patients),
      heldOut: heldOut.map { try images($0, "held out") },
      searches: [AlignedSearch(), FeatureSearch(Thumbnails())])
  }

  @Test func plantedCopiesAreFlaggedAndListed() throws {
    let training = try bodies(150, seed: 1)
    let copies = plantedCopies(training[30..<42], seed: 8)
    let fake = Tensor.cat([try bodies(108, seed: 2), copies])
    let report = try report(fake: fake, heldOut: bodies(80, seed: 3))
    #expect(report.verdict == .copies && report.sentence.hasPrefix("Training images were copied: "))
    let pixels = report.comparisons[0]
    let listed = Dictionary(uniqueKeysWithValues: pixels.suspects.map { ($0.image, $0.training) })
    for copy in 0..<12 { #expect(listed[108 + copy] == 30 + copy, "\(copy)") }
    #expect(listed.count <= 16)  // one false one in five, by expectation
    #expect(pixels.suspects.prefix(12).allSatisfy { $0.timesNearer > 4 && $0.image >= 108 })
    #expect(pixels.membership != nil)
    #expect(try JSONDecoder().decode(PrivacyReport.self, from: JSONEncoder().encode(report)) == report)
  }

  @Test func unseenImagesAreNotFlagged() throws {
    for seed: UInt64 in 2..<4 {
      let report = try report(fake: bodies(100, seed: seed), heldOut: bodies(80, seed: seed + 10))
      #expect(report.verdict == .noExcess, "\(report.sentence)")
      #expect(report.comparisons.allSatisfy { $0.suspects.isEmpty && abs($0.dataCopying) < 3 })
      #expect(report.sentence.contains("no proof of privacy"))
    }
  }

  @Test func withoutHeldOutImagesTrainingImagesStandIn() throws {
    let training = try bodies(150, seed: 1)
    let copied = Tensor.cat([try bodies(90, seed: 2), plantedCopies(training[0..<10], seed: 8)])
    let found = try report(fake: copied, heldOut: nil)
    #expect(found.verdict == .copies && found.baseline == .leaveOneOut)
    #expect(found.comparisons[0].membership == nil)
    #expect(found.warnings.contains { $0.contains("--split 0.8,0.2") })
    #expect(try report(fake: bodies(100, seed: 2), heldOut: nil).verdict == .noExcess)
  }

  @Test func theSamePixelsAreACopyWhateverTheTestsSay() throws {
    let training = try bodies(40, seed: 1)
    let fake = Tensor.cat([try bodies(39, seed: 2), training[7...7]])
    let report = try report(fake: fake, heldOut: bodies(40, seed: 3), training: training)
    #expect(report.verdict == .copies)
    #expect(report.sentence.contains("1 synthetic images have the very pixels of a training image"))
  }

  @Test func leaksAreLeftOutAndToldOf() throws {
    let training = try bodies(40, seed: 1)
    let heldOut = Tensor.cat([training[0..<3], try bodies(30, seed: 3)])
    let report = try Privacy.assess(
      synthetic: images(bodies(30, seed: 2), "fake"),
      training: images(training, "training", patients: (0..<40).map { "p\($0)" }),
      heldOut: images(heldOut, "held out", patients: (0..<33).map { $0 == 10 ? "p5" : "q\($0)" }))
    #expect(report.baselineCount == 29)
    #expect(report.warnings.contains { $0.hasPrefix("3 held-out images have the very pixels") })
    #expect(report.warnings.contains { $0.hasPrefix("1 held-out images are of a patient") })
  }

  @Test func fewHeldOutImagesDoNotCount() throws {
    let report = try report(fake: bodies(30, seed: 2), heldOut: bodies(5, seed: 3))
    #expect(report.baseline == .leaveOneOut)
    let tiny = try self.report(fake: bodies(30, seed: 2), heldOut: nil, training: bodies(9, seed: 1))
    #expect(tiny.verdict == .undecided && tiny.sentence.hasPrefix("Nothing can be said: 9 images"))
  }

  @Test func theLimitBoundsTheWorkAndIsTold() throws {
    var options = Privacy.Options()
    options.limit = 25
    let report = try Privacy.assess(
      synthetic: images(bodies(60, seed: 2), "fake"), training: images(bodies(50, seed: 1), "training"),
      heldOut: images(bodies(40, seed: 3), "held out"), options: options)
    #expect(report.syntheticCount == 25 && report.baselineCount == 25 && report.trainingCount == 50)
    #expect(report.warnings == ["25 of 60 synthetic images were looked at"])
  }

  @Test func aSinglePatientIsRefusedInOneLine() throws {
    let error = #expect(throws: MetricError.self) {
      try report(
        fake: bodies(10, seed: 2), heldOut: nil, training: bodies(30, seed: 1),
        patients: Array(repeating: "one", count: 30))
    }
    #expect(error?.description.contains("all images are of one patient") == true)
  }
}
