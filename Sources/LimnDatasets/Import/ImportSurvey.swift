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

  init(_ scan: SourceScan) {
    rows = scan.units.compactMap { unit in
      unit.header.map { Row(path: unit.path, files: unit.files.count, header: $0) }
    }
    (problems, passedOver) = (scan.problems, scan.passedOver)
  }
}
