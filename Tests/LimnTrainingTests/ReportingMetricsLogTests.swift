// Tests of metrics.jsonl: round trip, torn lines, resuming, numbers that JSON lacks.

import Foundation
import LimnTestSupport
import Testing

@testable import LimnTraining

@Suite struct MetricsLogTests {
  let temporary: TemporaryFolder
  var url: URL { temporary.url.appendingPathComponent("metrics.jsonl") }

  init() throws { temporary = try TemporaryFolder() }

  func row(_ step: Int, _ values: [String: Double] = [:]) -> MetricsRow {
    MetricsRow(step: step, images: step * 16, time: Double(step) / 3, values: values)
  }

  func text() throws -> String { try String(contentsOf: url, encoding: .utf8) }

  func steps() throws -> [Int] { try MetricsLog.read(url).map(\.step) }

  @Test func rowIsOneReadableLine() {
    let row = MetricsRow(step: 10, images: 160, time: 3.25, values: ["loss_g": 0.1, "loss_d": 1e-300])
    #expect(row.json == #"{"step":10,"images":160,"time":3.25,"loss_d":1e-300,"loss_g":0.1}"#)
  }

  @Test func roundTripIsExact() throws {
    let rows = [
      row(1, ["loss_d": 0.1 + 0.2, "größe \"x\"\\\n\u{1}": -.leastNonzeroMagnitude]),
      row(2, ["loss_d": .greatestFiniteMagnitude]),
    ]
    let log = try MetricsLog(url: url, resumeStep: 0)
    for row in rows { try log.append(row) }
    #expect(try MetricsLog.read(url) == rows)
    #expect(try text().split(separator: "\n").count == 2)
  }

  @Test func numbersThatJSONLacksBecomeNull() throws {
    let log = try MetricsLog(url: url, resumeStep: 0)
    try log.append(row(1, ["a": .nan, "b": .infinity, "c": -.infinity, "d": 2]))
    #expect(try text().contains(#""a":null,"b":null,"c":null,"d":2.0"#))
    let values = try #require(try MetricsLog.read(url).first?.values)
    #expect(values.count == 4)
    #expect(values.filter { $0.value.isNaN }.count == 3)
  }

  /// A process killed at any byte of the last row loses that row and nothing else.
  @Test func tornLastLineIsLeftOutAtEveryByte() throws {
    let whole = row(1, ["loss_d": 1]).json + "\n"
    let last = row(2, ["loss_d": 2]).json + "\n"
    for count in 0..<last.utf8.count {
      try Data((whole + last.prefix(count)).utf8).write(to: url)
      #expect(try steps() == [1])
      try MetricsLog(url: url, resumeStep: 5).append(row(2))
      #expect(try text() == whole + row(2).json + "\n")
    }
  }

  @Test func lastLineOfZerosIsTorn() throws {
    try Data((row(1).json + "\n\0\0\0\0\n").utf8).write(to: url)
    #expect(try steps() == [1])
  }

  @Test func resumingRemovesTheStepsToBeTakenAgain() throws {
    let log = try MetricsLog(url: url, resumeStep: 0)
    for step in stride(from: 10, through: 50, by: 10) { try log.append(row(step)) }
    let resumed = try MetricsLog(url: url, resumeStep: 30)
    try resumed.append(row(40, ["again": 1]))
    #expect(try steps() == [10, 20, 30, 40])
    #expect(try MetricsLog.read(url).last?.values == ["again": 1])
  }

  @Test func newRunBeginsEmpty() throws {
    try MetricsLog(url: url, resumeStep: 0).append(row(10))
    _ = try MetricsLog(url: url, resumeStep: 0)
    #expect(try steps() == [])
  }

  @Test func badLineInTheMiddleIsNamed() throws {
    try Data("\(row(1).json)\nnot json\n\(row(3).json)\n".utf8).write(to: url)
    let error = #expect(throws: ReportingError.self) { try MetricsLog.read(url) }
    #expect(error?.description.contains("metrics.jsonl: line 2 ") == true)
    let before = try text()
    #expect(throws: ReportingError.self) { try MetricsLog(url: url, resumeStep: 9) }
    #expect(try text() == before, "a log that cannot be read is left as it is")
  }

  @Test(arguments: ["[1]", "{}", #"{"step":1.5}"#, #"{"step":null}"#, #"{"step":1,"loss":"x"}"#])
  func linesThatAreNoRows(line: String) {
    #expect(MetricsRow(json: Data(line.utf8)) == nil)
  }

  @Test func missingLogIsNamed() {
    #expect(throws: ReportingError.self) { try MetricsLog.read(url) }
  }
}
