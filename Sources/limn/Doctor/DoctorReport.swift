// What `limn doctor` found, and its two forms: aligned text for people, JSON for programs.

import Foundation
import LimnTorch

/// One fact about this machine.
struct Finding: Codable, Equatable {
  enum State: String, Codable {
    /// As it should be.
    case ok
    /// Limn works, but with this it would do more or be faster.
    case note
    /// Something that is needed, or was clearly wanted, is not there.
    case missing
  }

  let section: String
  let name: String
  let value: String
  var state = State.ok
  /// What follows from it, or how to get what is missing.
  var advice: String?
}

struct DoctorReport: Codable, Equatable {
  let findings: [Finding]

  /// The findings under their sections, values aligned, advice below what it is about.
  var text: String {
    let width = findings.map(\.name.count).max() ?? 0
    var lines: [String] = []
    var section = ""
    for finding in findings {
      if finding.section != section {
        section = finding.section
        if !lines.isEmpty { lines.append("") }
        lines.append(section)
      }
      lines += Self.lines(finding, nameWidth: width)
    }
    return lines.joined(separator: "\n")
  }

  func json() throws -> String {
    String(decoding: try JSONEncoder.readable.encode(self), as: UTF8.self)
  }

  private static func lines(_ finding: Finding, nameWidth: Int) -> [String] {
    let mark = [.ok: " ", .note: "-", .missing: "!"][finding.state, default: " "]
    let name = finding.name.padding(toLength: nameWidth, withPad: " ", startingAt: 0)
    let first = "\(mark) \(name)  \(finding.value)"
    guard let advice = finding.advice else { return [first] }
    let indent = String(repeating: " ", count: nameWidth + 4)
    return [first] + wrapped(advice, width: 76).map { indent + $0 }
  }

  /// `text` in lines of at most `width` characters; a word longer than that stands alone.
  static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
