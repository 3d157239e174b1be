// The one error of this room: a line that says what is wrong, where, and what to do about it.

import Foundation
import LimnTorch

/// A dataset or an import that cannot be used, as one line for the person who asked for it.
public struct DatasetError: Error, CustomStringConvertible, LocalizedError, Sendable, Equatable {
  public let description: String
  public var errorDescription: String? { description }

  /// - Parameters:
  ///   - place: the folder, file or option that is wrong.
  ///   - problem: what was found, what was expected, what to do, without a final full stop.
  public init(_ place: String, _ problem: String) { description = "\(place): \(problem)".asPlainLine }

  init(_ url: URL, _ problem: String) { self.init(url.path, problem) }
}
