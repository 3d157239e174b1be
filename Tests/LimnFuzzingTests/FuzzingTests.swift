// A slice of `make fuzz` in this process: every reader answers damaged files by a volume or by one line.

import Foundation
import LimnFuzzing
import LimnTestSupport
import Testing

@Suite struct FuzzingTests {
  private static func mutator(in folder: URL) throws -> Mutator {
    let made = folder.appendingPathComponent("seeds")
    try SeedFiles.write(to: made)
    return Mutator(
      seeds: SeedFiles.load(
        from: [made, fixture("imaging"), fixture("datasets"), fixture("torch/weights")]), seed: 20)
  }

  /// Codecs of DICOM may end the process, which `make fuzz` allows for; files without them go through our code.
  private static func isSafe(_ input: FuzzInput) -> Bool {
    input.kind != .dicom || !String(decoding: input.bytes, as: UTF8.self).contains("1.2.840.10008.1.2.4")
  }

  @Test(arguments: FuzzFormat.allCases)
  func damagedFilesGetOneLine(_ format: FuzzFormat) throws {
    try withTemporaryFolder { folder in
      let mutator = try Self.mutator(in: folder)
      let reader = try FuzzReader(workFolder: folder.appendingPathComponent("work"))
      var (read, refused) = (0, 0)
      for index in 0..<300 {
        let input = mutator.input(format, index)
        guard Self.isSafe(input) else { continue }
        switch try reader.read(input) {
        case .read: read += 1
        case .refused: refused += 1
        // Other tests of this process take memory at the same time.
        case .overMemory: break
        case .badLine(let line):
          Issue.record("input \(index) of \(format.rawValue): \(line.debugDescription)")
        }
      }
      // A mutator that breaks everything, or nothing, tests nothing.
      #expect(read > 10)
      #expect(refused > 20)
    }
  }

  @Test func inputsDependOnSeedAndNumberAlone() throws {
    try withTemporaryFolder { folder in
      let (first, second) = (try Self.mutator(in: folder), try Self.mutator(in: folder))
      for format in FuzzFormat.allCases {
        #expect(first.input(format, 777).bytes == second.input(format, 777).bytes)
        #expect(first.input(format, 777).bytes != first.input(format, 778).bytes)
      }
    }
  }
}
