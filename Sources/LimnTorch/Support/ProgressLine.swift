// The live line of long tasks: rewritten in place on a terminal, printed now and then elsewhere.

import Foundation
import Synchronization

/// Shows how far a long task is.
///
/// On a terminal one line is rewritten in place, cut to the window's width. Elsewhere (a log file, a
/// cluster's output) a plain line is printed every `plainInterval` seconds. May be called from several
/// threads.
public final class ProgressLine: Sendable {
  /// Where the line goes, and how: replaced in tests.
  struct Output: Sendable {
    /// Columns of the terminal; nil if the output is not a terminal.
    var width: @Sendable () -> Int?
    var write: @Sendable (String) -> Void
    /// Monotonic seconds.
    var now: @Sendable () -> Double
  }

  private struct State {
    var items = SmoothedRate()
    var work = SmoothedRate()
    var last: (time: Double, items: Int, work: Double)
    var shownAt: Double
    var shownLine = ""
  }

  private let label: String
  private let total: Int?
  private let totalWork: Double?
  private let unit: String
  private let plainInterval: Double
  private let output: Output
  private let state: Mutex<State>

  /// - Parameters:
  ///   - label: what is counted, e.g. `step`.
  ///   - total: the count at the end, nil if not known.
  ///   - unit: what the rate counts, e.g. `img`.
  ///   - start: the count already reached (a resumed run's step), left out of the rate.
  ///   - startItems: the items already done, likewise.
  ///   - startWork: the work already done, where the counts are not equally costly.
  ///   - totalWork: the work in all, in the same unit; nil: each count costs the same.
  ///   - plainInterval: seconds between lines where the output is not a terminal.
  public convenience init(
    label: String, total: Int?, unit: String, start: Int = 0, startItems: Int? = nil,
    startWork: Double? = nil, totalWork: Double? = nil, plainInterval: Double = 30
  ) {
    self.init(
      label: label, total: total, unit: unit, start: start, startItems: startItems, startWork: startWork,
      totalWork: totalWork, plainInterval: plainInterval, output: .standardError)
  }

  init(
    label: String, total: Int?, unit: String, start: Int, startItems: Int?, startWork: Double? = nil,
    totalWork: Double? = nil, plainInterval: Double, output: Output
  ) {
    self.label = label
    self.total = total
    self.totalWork = totalWork ?? total.map(Double.init)
    self.unit = unit
    self.plainInterval = plainInterval
    self.output = output
    let now = output.now()
    state = Mutex(State(last: (now, startItems ?? start, startWork ?? Double(start)), shownAt: now))
  }

  /// Tells the line how far the task is; it is shown if enough time has passed since it last was.
  ///
  /// - Parameters:
  ///   - completed: the count so far.
  ///   - items: what the rate counts, so far; `completed` if nil.
  ///   - work: what the time left is reckoned by, so far; `completed` if nil.
  ///   - details: asked only when the line is shown, so it may be costly (reading a loss from a GPU).
  public func update(
    _ completed: Int, items: Int? = nil, work: Double? = nil, details: () -> [String] = { [] }
  ) {
    let now = output.now()
    state.withLock { state in
      let width = output.width()
      guard now - state.shownAt >= (width == nil ? plainInterval : 0.1) else { return }
      measure(items ?? completed, work: work ?? Double(completed), now: now, in: &state)
      show(completed, details: details(), width: width, now: now, in: &state)
    }
  }

  /// Shows the last state whatever the time, and ends the line.
  public func finish(
    _ completed: Int, items: Int? = nil, work: Double? = nil, details: () -> [String] = { [] }
  ) {
    let now = output.now()
    state.withLock { state in
      let width = output.width()
      measure(items ?? completed, work: work ?? Double(completed), now: now, in: &state)
      show(completed, details: details(), width: width, now: now, in: &state)
      if width != nil { output.write("\n") }
      state.shownLine = ""
    }
  }

  /// Prints `message` as a line of its own, above the live line.
  public func note(_ message: String) {
    state.withLock { state in
      let live = output.width() != nil
      output.write(live ? "\r\(message)\u{1B}[K\n\(state.shownLine)" : "\(message)\n")
    }
  }

  private func show(
    _ completed: Int, details: [String], width: Int?, now: Double, in state: inout State
  ) {
    let line = status(completed, details: details, in: state).line(width: width.map { $0 - 1 } ?? .max)
    output.write(width == nil ? "\(line)\n" : "\r\(line)\u{1B}[K")
    state.shownAt = now
    state.shownLine = line
  }

  private func measure(_ items: Int, work: Double, now: Double, in state: inout State) {
    let interval = now - state.last.time
    state.items.add(Double(items - state.last.items), over: interval)
    state.work.add(work - state.last.work, over: interval)
    state.last = (now, items, work)
  }

  private func status(_ completed: Int, details: [String], in state: State) -> ProgressStatus {
    let speed = state.work.value.flatMap { $0 > 0 ? $0 : nil }
    let left = totalWork.flatMap { $0 > state.last.work ? $0 - state.last.work : nil }
    let remaining = left.flatMap { left in speed.map { left / $0 } }
    return ProgressStatus(
      label: label, completed: completed, total: total, unit: unit, rate: state.items.value,
      remaining: remaining, details: details, memory: ProcessMemory.resident)
  }
}

extension ProgressLine.Output {
  static var standardError: Self {
    let start = ContinuousClock.now
    return Self(
      width: { terminalWidth(of: STDERR_FILENO) },
      write: { text in
        // A terminal that went away must not end the task, so a failed write is nobody's concern.
        _ = Data(text.utf8).withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      },
      now: { (ContinuousClock.now - start) / .seconds(1) })
  }

  private static func terminalWidth(of descriptor: Int32) -> Int? {
    let name = ProcessInfo.processInfo.environment["TERM"]
    guard isatty(descriptor) == 1, name != "dumb" else { return nil }
    var size = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) : 80
  }
}
