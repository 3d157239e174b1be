// What a section of a report is made of.

import Foundation

/// One piece of a report's section.
public enum HTMLBlock: Sendable {
  /// A paragraph.
  case prose(String)
  /// A few numbers that matter most, set large.
  case highlights([HTMLFact])
  /// Names and values.
  case facts([HTMLFact])
  case table(HTMLTable)
  case figure(HTMLFigure)
  /// Figures side by side, as many as the width allows.
  case figures([HTMLFigure])
  /// Small figures in one row that scrolls sideways, e.g. a history.
  case strip([HTMLFigure])
  /// Charts side by side, as many as the width allows.
  case charts([LineChart])
  /// Distributions side by side, as many as the width allows.
  case histograms([HistogramChart])
  /// Lines that a reader must not miss.
  case warnings([String])
  /// Long text, folded away under `summary`.
  case details(summary: String, text: String)
}

/// A named value, with a remark if one is needed.
public struct HTMLFact: Sendable {
  /// The small label that stands above or beside the value.
  public var name: String
  /// As the page shows it, with its unit.
  public var value: String
  /// A small remark beside or below the value; empty for none.
  public var note: String

  /// A fact with no remark unless one is given.
  public init(_ name: String, _ value: String, note: String = "") {
    self.name = name
    self.value = value
    self.note = note
  }
}

/// Rows of text under named columns; columns of numbers are set flush right.
public struct HTMLTable: Sendable {
  /// Stands above the headings; empty for none.
  public var caption: String
  /// The headings, from left to right.
  public var columns: [String]
  /// Each as long as `columns`.
  public var rows: [[String]]

  /// A table with no caption unless one is given.
  public init(caption: String = "", columns: [String], rows: [[String]]) {
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }

  /// Whether every cell of a column that says something begins like a number.
  func isNumeric(column: Int) -> Bool {
    rows.map { $0[column] }.filter { !["", "–", "NaN"].contains($0) }.allSatisfy { cell in
      cell.drop { "−-+±< ".contains($0) }.first?.isNumber ?? false
    }
  }
}

/// A picture with its caption.
public struct HTMLFigure: Sendable {
  /// The encoded PNG.
  public var png: Data
  /// Stands below the picture; empty for none.
  public var caption: String
  /// The picture in words, for those who cannot see it.
  public var alt: String
  /// Whether enlarged pixels stay sharp squares.
  public var pixelated: Bool

  /// A figure that is smoothed when enlarged unless `pixelated`.
  public init(png: Data, caption: String, alt: String, pixelated: Bool = false) {
    self.png = png
    self.caption = caption
    self.alt = alt
    self.pixelated = pixelated
  }
}

extension HTMLBlock {
  /// The block as HTML.
  func html() -> String {
    switch self {
    case .prose(let text): "<p>\(text.htmlEscaped)</p>"
    case .highlights(let facts): Self.list(facts, kind: "highlights")
    case .facts(let facts): Self.list(facts, kind: "facts")
    case .table(let table): table.html()
    case .figure(let figure): figure.html()
    case .figures(let figures): Self.group(figures.map { $0.html() }, kind: "figures")
    case .strip(let figures): Self.group(figures.map { $0.html() }, kind: "strip")
    case .charts(let charts): Self.group(charts.map { $0.html() }, kind: "charts")
    case .histograms(let charts): Self.group(charts.map { $0.html() }, kind: "charts")
    case .warnings(let lines):
      "<ul class=\"warnings\">\(lines.map { "<li>\($0.htmlEscaped)</li>" }.joined())</ul>"
    case .details(let summary, let text):
      "<details><summary>\(summary.htmlEscaped)</summary>\n<pre>\(text.htmlEscaped)</pre></details>"
    }
  }

  private static func list(_ facts: [HTMLFact], kind: String) -> String {
    let items = facts.map { fact in
      let note = fact.note.isEmpty ? "" : " <small>\(fact.note.htmlEscaped)</small>"
      return "<div><dt>\(fact.name.htmlEscaped)</dt><dd>\(fact.value.htmlEscaped)\(note)</dd></div>"
    }
    return "<dl class=\"\(kind)\">\n\(items.joined(separator: "\n"))\n</dl>"
  }

  /// A strip scrolls, so the keyboard must be able to reach it.
  private static func group(_ elements: [String], kind: String) -> String {
    let reachable = kind == "strip" ? " tabindex=\"0\" role=\"group\" aria-label=\"History\"" : ""
    return "<div class=\"\(kind)\"\(reachable)>\n\(elements.joined(separator: "\n"))\n</div>"
  }
}

extension HTMLTable {
  fileprivate func html() -> String {
    let numeric = columns.indices.map { isNumeric(column: $0) ? " class=\"number\"" : "" }
    let head = zip(columns, numeric).map { "<th scope=\"col\"\($1)>\($0.htmlEscaped)</th>" }.joined()
    let body = rows.map { row in
      "<tr>\(zip(row, numeric).map { "<td\($1)>\($0.htmlEscaped)</td>" }.joined())</tr>"
    }
    let title = caption.isEmpty ? "" : "<caption>\(caption.htmlEscaped)</caption>"
    return """
      <div class="table"><table>\(title)
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }
}

extension HTMLFigure {
  /// Width and height stand in the markup, so that the page does not jump while it loads.
  fileprivate func html() -> String {
    let size = PNGHeader(png).map { " width=\"\($0.width)\" height=\"\($0.height)\"" } ?? ""
    let kind = pixelated ? " class=\"pixelated\"" : ""
    let source = "data:image/png;base64,\(png.base64EncodedString())"
    let words = caption.isEmpty ? "" : "<figcaption>\(caption.htmlEscaped)</figcaption>"
    return "<figure><img src=\"\(source)\" alt=\"\(alt.htmlEscaped)\"\(size)\(kind)>\(words)</figure>"
  }
}
