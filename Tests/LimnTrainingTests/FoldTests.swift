// Folds: every item held out once, patients and blocks kept together.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTraining

@Suite struct FoldTests {
  private func dataset(_ patients: [String], in folder: URL) throws -> Dataset {
    let writer = try DatasetWriter(
      DatasetDescription(name: "d", channels: 1, height: 2, width: 2, bitDepth: 8),
      to: folder.appendingPathComponent("d\(patients.count)"))
    for (place, patient) in patients.enumerated() {
      let split: Split = patient == "tested" ? .test : patient.hasSuffix("1") ? .validation : .train
      try writer.append(
        DatasetItem(id: "\(place)", patient: patient, source: "s", split: split),
        image: Tensor.zeros([1, 2, 2], dtype: .uint8))
    }
    try writer.finish(provenance: Provenance(sources: 1, tool: "test"))
    return try Dataset.open(folder.appendingPathComponent("d\(patients.count)"))
  }

  @Test func patientsAreHeldOutOnceAndWhole() throws {
    try withTemporaryFolder { folder in
      let patients = (0..<22).map { "p\($0 % 11)" }
      let data = try dataset(patients, in: folder)
      var heldOut: [Int] = []
      for number in 1...3 {
        let split = try Fold(number: number, count: 3).split(data)
        #expect(Set(split.training).isDisjoint(with: split.heldOut))
        #expect(split.training.count + split.heldOut.count == 22)
        let (own, others) = (split.heldOut.map { patients[$0] }, split.training.map { patients[$0] })
        #expect(Set(own).isDisjoint(with: others))
        heldOut += split.heldOut
      }
      #expect(heldOut.sorted() == Array(0..<22))
    }
  }

  @Test func blocksAreNeighboursAndTheTestSplitStaysOut() throws {
    try withTemporaryFolder { folder in
      let data = try dataset(Array(repeating: "one", count: 10) + ["tested", "tested"], in: folder)
      let splits = try (1...4).map { try Fold(number: $0, count: 4, rule: .block).split(data) }
      #expect(splits.flatMap(\.heldOut) == Array(0..<10))
      #expect(splits.allSatisfy { $0.training.count + $0.heldOut.count == 10 })
      let error = #expect(throws: RunError.self) { try Fold(number: 1, count: 2).split(data) }
      #expect(error?.description.contains("--folds-by block") == true)
    }
  }
}
