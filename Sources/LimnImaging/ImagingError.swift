// The one error of this room: a line that names the file, what was found, what was expected, what to do.

import Foundation
import LimnTorch

/// A file or an image that cannot be used, as one line for the person who gave it.
public struct ImagingError: LocalizedError, Sendable, Equatable {
  /// The file's path, or what stood in its place.
  public var file: String
  /// What was found there.
  public var found: String
  /// What would have been right.
  public var expected: String
  /// What the reader of the line can do about it.
  public var advice: String

  /// Creates an error from its four parts, each without a final full stop.
  public init(file: String, found: String, expected: String, advice: String) {
    self.file = file
    self.found = found
    self.expected = expected
    self.advice = advice
  }

  public var errorDescription: String? {
    "\(file): found \(found); expected \(expected); \(advice)".asPlainLine
  }
}
