// What a progress line says, apart from where and when it is printed.

import Foundation

/// One moment of a long task, ready to be written as one line.
public struct ProgressStatus: Sendable {
  /// What is counted: `step`, `file`.
  public var label: String
  /// The count so far, a resumed run's earlier steps included.
  public var completed: Int
  /// nil if the end is not known.
  public var total: Int?
  /// What the rate counts: `img`, `file`.
  public var unit: String
  /// Units per second; nil while nothing has been measured.
  public var rate: Double?
  /// Seconds to the end; nil if the end or the speed is not known.
  public var remaining: Double?
  /// Short words of the task's own: `D 0.53`, `G 1.2`.
  public var details: [String]
  /// Resident bytes.
  public var memory: Int?

  /// A status; what is nil or empty is left out of the line.
  public init(
    label: String, completed: Int, total: Int? = nil, unit: String = "img", rate: Double? = nil,
    remaining: Double? = nil, details: [String] = [], memory: Int? = nil
  ) {
    self.label = label
    self.completed = completed
    self.total = total
    self.unit = unit
    self.rate = rate
    self.remaining = remaining
    self.details = details
    self.memory = memory
  }

  /// The line, e.g. `step 1200/5000  38.2 img/s  ETA 2m10s  D 0.53 G 1.2  mem 1.9 GB`.
  ///
  /// Parts that do not fit into `width` columns are left out, the head alone is cut.
  public func line(width: Int = .max) -> String {
    let head = String("\(label) \(completed)\(total.map { "/\($0)" } ?? "")".prefix(max(0, width)))
    return parts.reduce(head) { line, part in
      line.count + 2 + part.count <= width ? "\(line)  \(part)" : line
    }
  }

  private var parts: [String] {
    var parts: [String] = []
    if let rate { parts.append("\(Self.rateText(rate)) \(unit)/s") }
    if let remaining { parts.append("ETA \(HumanReadable.duration(remaining))") }
    if !details.isEmpty { parts.append(details.joined(separator: " ")) }
    if let memory { parts.append("mem \(HumanReadable.bytes(memory))") }
    return parts
  }

  private static func rateText(_ rate: Double) -> String {
    String(format: rate >= 99.95 ? "%.0f" : rate >= 0.95 ? "%.1f" : "%.2f", rate)
  }
}

/// A rate averaged over about the last `memory` seconds: old progress fades exponentially.
struct SmoothedRate {
  private let memory: Double
  private var amount = 0.0
  private var seconds = 0.0

  init(memory: Double = 20) {
    self.memory = memory
  }

  /// Units per second, nil before any time has passed. Exact from the first interval on.
  var value: Double? { seconds > 0 ? amount / seconds : nil }

  mutating func add(_ count: Double, over interval: Double) {
    guard interval > 0 else { return }
    let kept = exp(-interval / memory)
    amount = amount * kept + count
    seconds = seconds * kept + interval
  }
}
