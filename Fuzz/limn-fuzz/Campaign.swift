// Shares the inputs out among workers, counts their answers and keeps what they could not stand.

import Foundation
import LimnFuzzing
import Synchronization

/// What became of a format's inputs.
struct Tally {
  var inputs = 0
  var counts: [Verdict: Int] = [:]
}

/// What can become of an input, in the order of the table's columns.
enum Verdict: String, CaseIterable {
  case read, refused, crashed, hung
  case overMemory = "over memory"
  case badLine = "lines with a problem"
  case killedHelper = "killed its helper"

  /// Whether it is for us to mend.
  var isFinding: Bool { ![.read, .refused, .killedHelper].contains(self) }
}

final class Campaign: Sendable {
  private struct State {
    var waiting: [(format: FuzzFormat, range: Range<Int>)] = []
    var tallies: [FuzzFormat: Tally] = [:]
    var notes: [String: (count: Int, example: String)] = [:]
  }

  private static let secondsPerInput = 10.0
  private static let secondsToStart = 120.0
  private static let inputsPerWorker = 2500

  private let seed: UInt64
  private let seedFolders: [URL]
  private let workFolder: URL
  private let findings: URL
  private let mutator: Mutator
  private let formats: [FuzzFormat]
  private let state = Mutex(State())

  init(seed: UInt64, seedFolders: [URL], workFolder: URL, findings: URL, formats: [FuzzFormat]?) {
    (self.seed, self.seedFolders, self.workFolder, self.findings) = (seed, seedFolders, workFolder, findings)
    mutator = Mutator(seeds: SeedFiles.load(from: seedFolders), seed: seed)
    self.formats = formats ?? mutator.formats
  }

  /// Runs `count` inputs by `jobs` processes.
  func run(count: Int, jobs: Int) {
    let each = (count + formats.count - 1) / formats.count
    state.withLock { state in
      for format in formats {
        for start in stride(from: 0, to: each, by: Self.inputsPerWorker) {
          state.waiting.append((format, start..<min(each, start + Self.inputsPerWorker)))
        }
      }
    }
    DispatchQueue.concurrentPerform(iterations: jobs) { job in
      while let task = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
        do { try run(task.format, task.range, job) } catch {
          note(.crashed, task.format, "a worker cannot be started: \(error)", task.range.lowerBound)
        }
      }
    }
  }

  private func run(_ format: FuzzFormat, _ range: Range<Int>, _ job: Int) throws {
    var next = range.lowerBound
    while next < range.upperBound {
      let task = "\(format.rawValue):\(next):\(range.upperBound)"
      let place = workFolder.appendingPathComponent("\(job)").path
      let worker = try WorkerProcess(
        arguments: ["--worker", task, "--seed", "\(seed)", "--work", place] + seedFolders.map(\.path),
        trace: workFolder.appendingPathComponent("\(job).trace"))
      defer { worker.stop() }
      guard case .line = worker.next(seconds: Self.secondsToStart) else {
        note(.crashed, format, "a worker that does not start", next)
        return
      }
      while next < range.upperBound, judge(worker, format, next) {
        next += 1
      }
      // The input that ended the worker is done with.
      next += 1
    }
  }

  /// Counts what came of an input; whether the worker can go on.
  private func judge(_ worker: WorkerProcess, _ format: FuzzFormat, _ index: Int) -> Bool {
    switch worker.next(seconds: Self.secondsPerInput) {
    case .line("read"): note(.read, format, nil, index)
    case .line("refused"): note(.refused, format, nil, index)
    case .line(let text): note(text.hasPrefix("memory") ? .overMemory : .badLine, format, text, index)
    case .silent:
      noteEnd(.hung, format, index, trace: worker.interrupt())
      return false
    case .died(let trace):
      noteEnd(.crashed, format, index, trace: trace)
      return false
    }
    return true
  }

  private func noteEnd(_ verdict: Verdict, _ format: FuzzFormat, _ index: Int, trace: String) {
    let culprit = CrashTrace.culprit(of: trace)
    let isHelper = format == .dicom && CrashTrace.isGDCM(culprit)
    let what = verdict == .hung ? "more than \(Int(Self.secondsPerInput)) seconds in \(culprit)" : culprit
    note(isHelper ? .killedHelper : verdict, format, what, index, trace: trace)
  }

  private func note(
    _ verdict: Verdict, _ format: FuzzFormat, _ what: String?, _ index: Int, trace: String? = nil
  ) {
    let example = what == nil ? "" : keep(format, index, what ?? "", trace)
    state.withLock { state in
      state.tallies[format, default: Tally()].inputs += 1
      state.tallies[format, default: Tally()].counts[verdict, default: 0] += 1
      guard let what else { return }
      let key = "\(verdict.rawValue): \(format.rawValue): \(Self.gist(of: what))"
      state.notes[key] = ((state.notes[key]?.count ?? 0) + 1, state.notes[key]?.example ?? example)
    }
  }

  /// Texts that differ in numbers and quotations alone are one finding.
  private static func gist(of text: String) -> String {
    let plain = text.replacing(/\[0x[0-9a-f]+\]/, with: "").replacing(/\[[-0-9, ]*\]/, with: "[…]")
    return text.hasPrefix("line")
      ? String(plain.replacing(/\d+/, with: "0").prefix(60)) : plain.replacing(/^memory.*/, with: "memory")
  }

  /// Writes the input to the folder of findings; gives its name.
  private func keep(_ format: FuzzFormat, _ index: Int, _ what: String, _ trace: String?) -> String {
    let input = mutator.input(format, index)
    let name = "\(input.kind.rawValue)-\(seed)-\(index)"
    let place = findings.appendingPathComponent(name)
    try? FileManager.default.createDirectory(at: findings, withIntermediateDirectories: true)
    try? Data(input.bytes).write(to: place)
    try? Data("\(what)\n\(trace ?? "")".utf8).write(to: findings.appendingPathComponent("\(name).txt"))
    return name
  }

  // MARK: - Report

  var hasFindings: Bool {
    state.withLock { $0.tallies.values.contains { $0.counts.contains { $0.key.isFinding && $0.value > 0 } } }
  }

  /// The table as Markdown, then each distinct finding with an example.
  var report: String {
    let (tallies, notes) = state.withLock { ($0.tallies, $0.notes) }
    let names = ["format", "inputs"] + Verdict.allCases.map(\.rawValue)
    let head = [row(names), row(names.map { _ in "---" })]
    let rows = formats.map { row($0.rawValue, tallies[$0] ?? Tally()) }
    var all = Tally()
    for tally in tallies.values {
      all.inputs += tally.inputs
      all.counts.merge(tally.counts, uniquingKeysWith: +)
    }
    let lines = notes.sorted { $0.key < $1.key }.map {
      "\($0.value.count) x \($0.key), such as \($0.value.example)"
    }
    return (head + rows + [row("all", all)] + (lines.isEmpty ? [] : [""] + lines)).joined(separator: "\n")
  }

  private func row(_ name: String, _ tally: Tally) -> String {
    row([name, "\(tally.inputs)"] + Verdict.allCases.map { "\(tally.counts[$0] ?? 0)" })
  }

  private func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }
}
