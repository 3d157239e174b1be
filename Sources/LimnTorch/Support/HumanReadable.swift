// Durations, sizes and numbers as people read them in a terminal or on a page.

import Foundation

/// Short forms of quantities: `2m10s`, `1.9 GB`, `0.0123`.
public enum HumanReadable {
  /// Seconds as the two largest units that matter: `42s`, `2m10s`, `1h03m`, `2d04h`; `–` if not finite.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e15 else { return "–" }
    let total = Int(max(0, seconds).rounded())
    switch total {
    case ..<60: return "\(total)s"
    case ..<3600: return pair(total / 60, "m", total % 60, "s")
    case ..<86400: return pair(total / 3600, "h", total % 3600 / 60, "m")
    default: return pair(total / 86400, "d", total % 86400 / 3600, "h")
    }
  }

  /// Bytes in decimal units, with one digit after the point below 100: `512 B`, `1.9 GB`, `120 MB`.
  public static func bytes(_ count: Int) -> String {
    var value = Double(count)
    var unit = 0
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return String(format: unit > 0 && value < 99.95 ? "%.1f %@" : "%.0f %@", value, units[unit])
  }

  /// A measurement to `digits` significant digits without needless zeros: `0.53`, `1230`, `1.2e-05`.
  public static func number(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "∞" : "−∞" }
    if abs(value) >= pow(10, Double(digits)), abs(value) < 1e7 { return String(format: "%.0f", value) }
    return String(format: "%.\(digits)g", value)
  }

  /// A whole number with thin spaces between groups of three: `1 250 000`.
  public static func count(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "−" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append("\u{202F}") }
      text.append(digit)
    }
    return text
  }

  private static func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
    "\(large)\(largeUnit)\(small < 10 ? "0" : "")\(small)\(smallUnit)"
  }
}
