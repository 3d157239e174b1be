// What an import would find, as a table: for a look before hours of work.

import Foundation
import LimnImaging

/// What is there to import.
public struct ImportSurvey: Sendable {
  /// A file or a DICOM volume.
  public struct Row: Sendable {
    /// The file, or the first one of a DICOM volume, from the source that was named.
    public let path: String
    /// Files that make it up.
    public let files: Int
    /// What the first file says of itself.
    public let header: ImageHeader
  }

  /// In the order of import.
  public let rows: [Row]
  /// Files that cannot be read, and why.
  public let problems: [ImportProblem]
  /// Files that neither are nor are called images.
  public let passedOver: Int
  /// How many of the rows have a counterpart; nil where none was asked for. Why the others have none is among the
  /// problems.
  public let pairs: Int?

  init(_ scan: SourceScan, pairs finder: PairFinder?) {
    rows = scan.units.compactMap { unit in
      unit.header.map { Row(path: unit.path, files: unit.files.count, header: $0) }
    }
    var (problems, found) = (scan.problems + (finder?.problems ?? []), 0)
    if let finder {
      for unit in scan.units {
        do {
          _ = try finder.partner(of: unit)
          found += 1
        } catch { problems.append(ImportProblem(file: unit.first, reason: error)) }
      }
    }
    pairs = finder == nil ? nil : found
    (self.problems, passedOver) = (problems, scan.passedOver)
  }
}
