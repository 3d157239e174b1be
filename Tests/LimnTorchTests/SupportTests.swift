// Tests of what every room uses: atomic files, quantities in words, the progress line, process memory.

import Foundation
import LimnTestSupport
import Synchronization
import Testing

@testable import LimnTorch

@Suite struct HumanReadableTests {
  @Test(arguments: [
    (0, "0s"), (0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (130, "2m10s"), (3599, "59m59s"),
    (3600, "1h00m"), (3780, "1h03m"), (86399, "23h59m"), (86400, "1d00h"), (187_200, "2d04h"), (-3, "0s"),
    (.infinity, "–"), (.nan, "–"),
  ])
  func duration(seconds: Double, text: String) {
    #expect(HumanReadable.duration(seconds) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (512, "512 B"), (999, "999 B"), (1000, "1.0 kB"), (1_900_000_000, "1.9 GB"),
    (120_000_000, "120 MB"), (99_960_000, "100 MB"), (999_700_000, "1.0 GB"),
  ])
  func bytes(count: Int, text: String) {
    #expect(HumanReadable.bytes(count) == text)
  }

  @Test(arguments: [
    (0, "0"), (0.5301, "0.53"), (1.2, "1.2"), (999.4, "999"), (1234.5, "1234"), (-1234.5, "-1234"),
    (1.2e-5, "1.2e-05"), (3e9, "3e+09"), (.nan, "NaN"), (.infinity, "∞"), (-.infinity, "−∞"),
  ])
  func number(value: Double, text: String) {
    #expect(HumanReadable.number(value) == text)
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1 000"), (-1_250_000, "−1 250 000")])
  func count(value: Int, text: String) {
    #expect(HumanReadable.count(value) == text.replacingOccurrences(of: " ", with: "\u{202F}"))
  }
}

@Suite struct ProgressStatusTests {
  static let full = ProgressStatus(
    label: "step", completed: 1200, total: 5000, rate: 38.2, remaining: 130, details: ["D 0.53", "G 1.2"],
    memory: 1_900_000_000)

  @Test(arguments: [
    (200, "step 1200/5000  38.2 img/s  ETA 2m10s  D 0.53 G 1.2  mem 1.9 GB"),
    (63, "step 1200/5000  38.2 img/s  ETA 2m10s  D 0.53 G 1.2  mem 1.9 GB"),
    (62, "step 1200/5000  38.2 img/s  ETA 2m10s  D 0.53 G 1.2"),
    (50, "step 1200/5000  38.2 img/s  ETA 2m10s  mem 1.9 GB"),
    (20, "step 1200/5000"), (6, "step 1"), (0, ""),
  ])
  func fitsWidth(width: Int, text: String) {
    #expect(Self.full.line(width: width) == text)
  }

  @Test func unknownPartsAreLeftOut() {
    #expect(ProgressStatus(label: "file", completed: 3).line() == "file 3")
  }

  @Test(arguments: [(0.123, "0.12"), (9.96, "10.0"), (99.9, "99.9"), (99.96, "100"), (1234.4, "1234")])
  func rates(rate: Double, text: String) {
    let status = ProgressStatus(label: "file", completed: 3, unit: "file", rate: rate)
    #expect(status.line() == "file 3  \(text) file/s")
  }

  @Test func smoothedRateIsExactWhenConstantAndForgetsThePast() {
    var rate = SmoothedRate(memory: 10)
    #expect(rate.value == nil)
    rate.add(5, over: 0)
    #expect(rate.value == nil)
    for _ in 0..<7 { rate.add(6, over: 2) }
    #expect(abs((rate.value ?? 0) - 3) < 1e-12)
    for _ in 0..<100 { rate.add(10, over: 1) }
    #expect(abs((rate.value ?? 0) - 10) < 1e-3)
  }
}

@Suite struct ProgressLineTests {
  /// A terminal, or a file if it has no width, with a clock that the test turns.
  final class Screen: Sendable {
    let state = Mutex((time: 0.0, text: "", asked: 0))

    func output(width: Int?) -> ProgressLine.Output {
      .init(
        width: { width }, write: { text in self.state.withLock { $0.text += text } },
        now: { self.state.withLock(\.time) })
    }

    func line(width: Int?, total: Int? = 100, start: Int = 0) -> ProgressLine {
      ProgressLine(
        label: "step", total: total, unit: "img", start: start, startItems: start * 16, plainInterval: 30,
        output: output(width: width))
    }

    func tick(_ seconds: Double) { state.withLock { $0.time += seconds } }
    var text: String { state.withLock(\.text) }
    func ask() -> [String] {
      state.withLock { $0.asked += 1 }
      return ["D 0.5"]
    }
  }

  @Test func plainOutputIsAWholeLineEveryThirtySeconds() {
    let screen = Screen()
    let line = screen.line(width: nil)
    for step in 1...59 {
      screen.tick(1)
      line.update(step, items: step * 16, details: screen.ask)
    }
    let lines = screen.text.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("step 30/100  16.0 img/s  ETA 1m10s  D 0.5  mem ") == true)
    #expect(!screen.text.contains("\r"))
    #expect(screen.state.withLock(\.asked) == 1, "losses are read only when they are shown")
  }

  @Test func terminalLineIsRewrittenThrottledAndNeverWraps() {
    let screen = Screen()
    let line = screen.line(width: 40)
    for step in 1...10 {
      screen.tick(0.04)
      line.update(step, items: step * 16)
    }
    line.finish(10, items: 160)
    let shown = screen.text.split(separator: "\r")
    #expect(shown.count == 4, "three in 0.4 s, and the last one")
    #expect(shown.allSatisfy { $0.prefix { $0 != "\u{1B}" }.count <= 39 })
    #expect(screen.text.hasSuffix("\u{1B}[K\n"))
  }

  @Test func theTimeLeftFollowsTheWorkAndNotTheCount() {
    let screen = Screen()
    let line = ProgressLine(
      label: "image", total: 100, unit: "img", start: 0, startItems: 0, startWork: 0, totalWork: 300,
      plainInterval: 30, output: screen.output(width: nil))
    screen.tick(30)
    line.update(60, work: 60)
    #expect(screen.text.hasPrefix("image 60/100  2.0 img/s  ETA 2m00s"))
  }

  @Test func resumedTaskCountsOnlyItsOwnProgress() {
    let screen = Screen()
    let line = screen.line(width: nil, start: 50)
    screen.tick(30)
    line.update(80, items: 80 * 16)
    #expect(screen.text.hasPrefix("step 80/100  16.0 img/s  ETA 20s"))
  }

  @Test func noteStandsAboveTheLiveLine() {
    let screen = Screen()
    let line = screen.line(width: 20)
    screen.tick(1)
    line.update(1)
    line.note("saved")
    #expect(screen.text.hasSuffix("\rsaved\u{1B}[K\nstep 1/100"))
  }
}

@Suite struct ProcessMemoryTests {
  @Test func readsTheKernelsText() {
    #expect(
      ProcessMemory.resident(inStatus: "Name:\tlimn\nVmPeak:\t 9 kB\nVmRSS:\t   1234 kB\n") == 1_263_616)
    #expect(ProcessMemory.resident(inStatus: "Name:\tlimn\n") == nil)
  }

  @Test func growsWithWhatIsTouched() {
    // Tests beside this one free memory, too: one measurement of twenty without such a neighbour is enough.
    let grew = (0..<20).contains { _ in
      guard let before = ProcessMemory.resident else { return false }
      let block = [UInt8](repeating: 1, count: 64 << 20)
      guard let after = ProcessMemory.resident else { return false }
      return block.last == 1 && after - before > 48 << 20 && after - before < 256 << 20
    }
    #expect(grew)
  }
}

@Suite struct AtomicFileTests {
  let temporary: TemporaryFolder
  var folder: URL { temporary.url }

  init() throws { temporary = try TemporaryFolder() }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }

  @Test func writesAndReplaces() throws {
    let url = folder.appendingPathComponent("weights.bin")
    let large = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0) })
    for data in [Data("old".utf8), large, Data()] {
      try AtomicFile.write(data, to: url)
      #expect(try Data(contentsOf: url) == data)
    }
    #expect(try names() == ["weights.bin"])
  }

  @Test func failureKeepsTheOldFileAndLeavesNothing() throws {
    struct Stop: Error {}
    let url = folder.appendingPathComponent("weights.bin")
    try AtomicFile.write(Data("old".utf8), to: url)
    #expect(throws: Stop.self) {
      try AtomicFile.write(to: url) { temporary in
        try Data("half".utf8).write(to: temporary)
        throw Stop()
      }
    }
    #expect(try Data(contentsOf: url) == Data("old".utf8))
    #expect(try names() == ["weights.bin"])
  }

  @Test func renameThatFailsLeavesNothing() throws {
    let url = folder.appendingPathComponent("taken")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    #expect(throws: AtomicFileError.self) { try AtomicFile.write(Data("x".utf8), to: url) }
    #expect(try names() == ["taken"])
  }

  @Test func missingFolderIsNamed() {
    let url = URL(fileURLWithPath: "/nonexistent-folder/file.json")
    let error = #expect(throws: AtomicFileError.self) { try AtomicFile.write(Data(), to: url) }
    #expect(
      error?.description == "/nonexistent-folder/file.json: cannot be written (No such file or directory)")
  }
}

@Test func linesFromFilesArePlain() {
  #expect("a\nb\u{1B}[31m\u{202E}c\u{2028}d é".asPlainLine == "a b [31m c d é")
  #expect("as it is: 'x'".asPlainLine == "as it is: 'x'")
  #expect(String(repeating: "x", count: 5000).asPlainLine == String(repeating: "x", count: 2000) + "…")
}
