// What can go wrong while a run is written down or read back.

import LimnTorch

/// One line that names the file, what was found and what was expected.
public struct ReportingError: Error, CustomStringConvertible, Equatable {
  public let description: String

  init(_ description: String) {
    self.description = description.asPlainLine
  }
}
