// Dates that keep their distances and nothing else.

import Foundation

/// DICOM dates moved back by days.
enum ShiftedDate {
  /// `20240229` or `2024.02.29` as ISO 8601, so many days before; nil for what is no date.
  static func iso(_ text: String, daysBack: Int) -> String? {
    let digits = text.filter(\.isNumber).compactMap(\.wholeNumberValue)
    guard digits.count == 8, text.allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
    func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { 10 * $0 + $1 } }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = DateComponents(
      calendar: calendar, year: number(0..<4), month: number(4..<6), day: number(6..<8))
    guard parts.isValidDate, let date = parts.date,
      let moved = calendar.date(byAdding: .day, value: -daysBack, to: date)
    else { return nil }
    return moved.formatted(.iso8601.year().month().day())
  }
}
