// metrics.jsonl: one JSON object a line, appended while training, whole again after any crash.

import Foundation

/// The numbers of one moment of a run.
public struct MetricsRow: Equatable, Sendable {
  /// Steps done so far.
  public var step: Int
  /// Training images seen so far.
  public var images: Int
  /// Seconds of training so far, earlier sessions included.
  public var time: Double
  /// Losses and the like by name; NaN stands for any number that JSON cannot hold.
  public var values: [String: Double]

  /// A row; numbers that are not finite are taken, and written as null.
  public init(step: Int, images: Int, time: Double, values: [String: Double]) {
    self.step = step
    self.images = images
    self.time = time
    self.values = values
  }

  /// `{"step":10,"images":160,"time":3.2,"loss_d":0.53}`: the values by name, NaN and infinities as null.
  var json: String {
    let fixed = ["\"step\":\(step)", "\"images\":\(images)", "\"time\":\(Self.json(time))"]
    let named = values.sorted { $0.key < $1.key }.map { "\(Self.json($0.key)):\(Self.json($0.value))" }
    return "{\((fixed + named).joined(separator: ","))}"
  }

  /// nil if `line` is not an object of numbers with a step.
  init?(json line: Data) {
    guard var numbers = try? JSONDecoder().decode([String: Double?].self, from: line),
      let number = numbers.removeValue(forKey: "step") ?? nil, let step = Int(exactly: number)
    else { return nil }
    self.step = step
    images = (numbers.removeValue(forKey: "images") ?? nil).flatMap { Int(exactly: $0) } ?? 0
    time = (numbers.removeValue(forKey: "time") ?? nil) ?? 0
    values = numbers.mapValues { $0 ?? .nan }
  }

  private static func json(_ value: Double) -> String {
    value.isFinite ? "\(value)" : "null"
  }

  private static func json(_ name: String) -> String {
    let escaped = name.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": return "\\\(scalar)"
      case "\0"..<" ": return "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: return String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

/// The append-only log of a run's numbers.
///
/// A row is written by one system call, so that a killed process leaves at most one torn line, the last;
/// opening the log again removes it.
public final class MetricsLog {
  private let file: FileHandle
  private let url: URL

  /// Opens the log at `url`, which is made if it is not there.
  ///
  /// Rows after `resumeStep` and a torn last line are removed, so that the steps that a resumed run takes
  /// again do not stand in the log twice; 0 for a new run.
  ///
  /// - Throws: ``ReportingError`` if the file cannot be opened or holds a bad line before its last.
  public init(url: URL, resumeStep: Int) throws {
    let old = FileManager.default.contents(atPath: url.path) ?? Data()
    let kept = try Self.lines(of: old, at: url).prefix { $0.row.step <= resumeStep }.last?.end ?? 0
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0, ftruncate(descriptor, off_t(kept)) == 0 else {
      throw ReportingError("\(url.path): cannot be opened for writing (\(String(cString: strerror(errno))))")
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    self.url = url
  }

  /// Appends one row.
  ///
  /// - Throws: ``ReportingError`` if the disk is full or gone.
  public func append(_ row: MetricsRow) throws {
    do {
      try file.write(contentsOf: Data((row.json + "\n").utf8))
    } catch {
      throw ReportingError("\(url.path): row of step \(row.step) cannot be written; is the disk full?")
    }
  }

  /// All rows at `url`, leaving out a torn last line; a null reads as NaN.
  ///
  /// - Throws: ``ReportingError`` if the file cannot be read or holds a bad line before its last.
  public static func read(_ url: URL) throws -> [MetricsRow] {
    guard let data = FileManager.default.contents(atPath: url.path) else {
      throw ReportingError("\(url.path): no such metrics log; a run folder holds it from its first step on")
    }
    return try lines(of: data, at: url).map(\.row)
  }

  /// The whole rows with the offset at which each one's line ends.
  private static func lines(of data: Data, at url: URL) throws -> [(row: MetricsRow, end: Int)] {
    var found: [(row: MetricsRow, end: Int)] = []
    var start = data.startIndex
    while let newline = data[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let end = newline + 1
      if let row = MetricsRow(json: data[start..<newline]) {
        found.append((row, end))
      } else if end < data.endIndex {
        throw ReportingError(
          "\(url.path): line \(found.count + 1) is not a row of numbers with a step; remove or mend the line")
      }
      start = end
    }
    return found
  }
}
