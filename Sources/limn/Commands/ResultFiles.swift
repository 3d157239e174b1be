// Where `limn evaluate pairs` and `limn evaluate labels` write what they found.

import ArgumentParser
import Foundation
import LimnTorch

struct ResultFiles: ParsableArguments {
  @Option(help: "Write all values to this file, as JSON.")
  var json: String?

  @Option(help: "Write the figures to this file, one a line, as CSV.")
  var csv: String?

  @Option(help: "Write the values of every case to this file, one a line, as CSV.")
  var cases: String?

  @Option(help: "Write a page with figures, curves and pictures to this file (HTML).")
  var report: String?

  /// Writes what was asked for.
  func write(
    json: () throws -> Data, csv: () -> String, cases: () -> String, report: (URL) throws -> Void
  ) throws {
    if let path = self.json { try AtomicFile.write(json(), to: URL(fileURLWithPath: path)) }
    if let path = self.csv { try AtomicFile.write(Data(csv().utf8), to: URL(fileURLWithPath: path)) }
    if let path = self.cases { try AtomicFile.write(Data(cases().utf8), to: URL(fileURLWithPath: path)) }
    guard let path = self.report else { return }
    try report(URL(fileURLWithPath: path))
    print("\nreport: \(path)")
  }
}
