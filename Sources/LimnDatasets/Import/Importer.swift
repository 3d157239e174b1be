// Importing: sources are read one after the other, cut into images, and streamed into a dataset.

import Foundation
import LimnImaging
import LimnTorch

/// How far an import is.
public struct ImportProgress: Sendable {
  /// Files and DICOM series done, and there in all.
  public let completed: Int
  /// Files and DICOM series there are to read; known from the start.
  public let total: Int
  /// Images written.
  public let images: Int
  /// Files that were not imported so far.
  public let problems: Int
}

/// What an import did.
public struct ImportSummary: Sendable {
  /// The new dataset's description, as written.
  public let manifest: DatasetManifest
  /// Files that were not imported, and why.
  public let problems: [ImportProblem]
  /// What a careful person would want to know, a line each.
  public let warnings: [String]
  /// Images left out because they hold too little.
  public let skippedSlices: Int
  /// Files below the sources that neither are nor are called images.
  public let passedOver: Int
}

/// Turns scans into a dataset.
public enum Importer {
  /// Imports files and folders into a new dataset.
  ///
  /// What identifies a person stays behind: patients are named by pseudonyms whose key is thrown away, DICOM
  /// attributes are not copied, and of a source's path only the file's name is kept (of DICOM files not even
  /// that).
  /// - Parameters:
  ///   - sources: files and folders; folders are walked in the order of their names.
  ///   - destination: the dataset's folder; nothing is there until the import is complete.
  ///   - options: the choices.
  ///   - progress: called at the start and after every source; what it throws ends the import and leaves
  ///     nothing.
  /// - Returns: the dataset's description, and what went wrong on the way.
  /// - Throws: ``DatasetError`` if nothing could be read or the destination cannot be used; with
  ///   ``ImportOptions/isStrict``, for the first file that cannot be read.
  public static func run(
    sources: [URL], to destination: URL, options: ImportOptions,
    progress: (ImportProgress) throws -> Void = { _ in }
  ) throws -> ImportSummary {
    try DatasetFolder.checkReplaceable(destination, overwrite: options.overwrite)
    let scan = try SourceScan(sources)
    let session = ImportSession(destination, options, total: scan.units.count)
    for problem in scan.problems { try session.report(problem) }
    try progress(session.progress)
    for unit in scan.units {
      try session.add(unit)
      try progress(session.progress)
    }
    return try session.finish(passedOver: scan.passedOver)
  }
}
