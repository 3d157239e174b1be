// Texts that may come from a file, made fit for a line of a terminal.

extension String {
  /// One line without control characters, which a file could hold to mislead a terminal, and of a length that
  /// is read.
  package var asPlainLine: String {
    let isPlain = unicodeScalars.allSatisfy { !Self.isControl($0) }
    let line =
      isPlain ? self : String(String.UnicodeScalarView(unicodeScalars.map { Self.isControl($0) ? " " : $0 }))
    return line.count <= Self.longestLine ? line : "\(line.prefix(Self.longestLine))…"
  }

  private static let longestLine = 2000

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format: true
    default: false
    }
  }
}
