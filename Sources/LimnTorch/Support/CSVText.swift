// Tables as RFC 4180 writes them.

import Foundation

/// Rows of cells as RFC 4180 writes them: commas between cells, CRLF after each row.
package func csvText(_ rows: [[String]]) -> String {
  rows.map { $0.map(\.quotedForCSV).joined(separator: ",") + "\r\n" }.joined()
}

extension String {
  /// RFC 4180: in quotes where it holds a comma, a quote or a line's end. What a spreadsheet would take for a
  /// formula is kept from being one by an apostrophe.
  fileprivate var quotedForCSV: String {
    let isFormula = first.map { "=+@".contains($0) } ?? false
    let text = isFormula ? "'\(self)" : self
    return text.contains { ",\"\r\n".contains($0) || $0 == "\r\n" }
      ? "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\"" : text
  }
}
