// A report as one HTML page that needs nothing else: no network, no scripts, images and charts inside.

import Foundation
import LimnTorch

/// Builds a self-contained page out of sections.
///
/// Every text is escaped; nothing that is passed in can become markup.
public struct HTMLReport: Sendable {
  /// The main heading, and the name of the browser's tab.
  public var title: String
  /// One line under the title.
  public var subtitle: String
  private var sections: [(heading: String, blocks: [HTMLBlock])] = []

  /// A page without sections yet; an empty subtitle is left out.
  public init(title: String, subtitle: String = "") {
    self.title = title
    self.subtitle = subtitle
  }

  /// Adds a section; one without a heading continues what stands above it.
  public mutating func section(_ heading: String = "", _ blocks: HTMLBlock...) {
    section(heading, blocks)
  }

  /// Adds a section; nothing is added if there are no blocks.
  public mutating func section(_ heading: String, _ blocks: [HTMLBlock]) {
    if !blocks.isEmpty { sections.append((heading, blocks)) }
  }

  /// The whole page.
  public func render() -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="generator" content="Limn">
    <meta name="color-scheme" content="light dark">
    <title>\(title.htmlEscaped)</title>
    <style>
    \(HTMLStyle.sheet)
    </style>
    </head>
    <body>
    <header>
    <h1>\(title.htmlEscaped)</h1>
    \(subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(subtitle.htmlEscaped)</p>")
    \(navigation)
    </header>
    <main>
    \(sections.enumerated().map { Self.html($1, number: $0) }.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// Writes the page beside `url` and renames it, so that a reader never meets half of it.
  ///
  /// - Throws: `AtomicFileError` if the file cannot be written.
  public func write(to url: URL) throws {
    try AtomicFile.write(Data(render().utf8), to: url)
  }

  /// Links to the sections, where there are enough to need them.
  private var navigation: String {
    let named = sections.enumerated().filter { !$1.heading.isEmpty }
    guard named.count > 2 else { return "" }
    let links = named.map { "<a href=\"#s\($0)\">\($1.heading.htmlEscaped)</a>" }
    return "<nav aria-label=\"Sections\">\(links.joined(separator: "\n"))</nav>"
  }

  private static func html(_ section: (heading: String, blocks: [HTMLBlock]), number: Int) -> String {
    let heading = section.heading.isEmpty ? "" : "<h2>\(section.heading.htmlEscaped)</h2>\n"
    let body = section.blocks.map { $0.html() }.joined(separator: "\n")
    return "<section id=\"s\(number)\">\n\(heading)\(body)\n</section>"
  }
}

extension String {
  /// The text with the five characters that mean something in HTML replaced, for content and attributes.
  ///
  /// Works on scalars: a `<` that carries a combining mark is another `Character`, but still opens a tag.
  var htmlEscaped: String {
    unicodeScalars.reduce(into: "") { escaped, scalar in
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\0": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
  }
}
