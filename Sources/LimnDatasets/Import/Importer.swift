// Importing: sources are read side by side, cut into images, kept beside the dataset to be, and put together.

import Foundation
import LimnImaging
import LimnTorch

/// How far an import is.
public struct ImportProgress: Sendable {
  /// Files and DICOM volumes done.
  public let completed: Int
  /// Files and DICOM volumes there are to read; 0 while the sources are being looked through.
  public let total: Int
  /// Images written.
  public let images: Int
  /// Files that were not imported so far.
  public let problems: Int

  /// The sources are being looked through; nothing is counted yet.
  static let scanning = ImportProgress(completed: 0, total: 0, images: 0, problems: 0)
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
  /// Images that were taken without a mask, where such were to be kept.
  public let unlabelled: Int
}

/// Turns scans into a dataset.
public enum Importer {
  /// Imports files and folders into a new dataset.
  ///
  /// What identifies a person stays behind: patients are named by pseudonyms, dates are moved by a number of
  /// days that the same key decides, DICOM attributes are not copied, and of a source's path only the file's
  /// name is kept (of DICOM files not even that).
  ///
  /// An import that is stopped, by whatever, goes on where it was when it is started again with the same
  /// options; a hidden folder beside the destination holds what is finished until the dataset is complete.
  /// - Parameters:
  ///   - sources: files and folders; folders are walked in the order of their names.
  ///   - destination: the dataset's folder; nothing is there until the import is complete.
  ///   - options: the choices.
  ///   - progress: called after every source and a few times in a second; what it throws ends the import.
  /// - Returns: the dataset's description, and what went wrong on the way.
  /// - Throws: ``DatasetError`` if nothing could be read or the destination cannot be used; with
  ///   ``ImportOptions/isStrict``, for the first file that cannot be read.
  public static func run(
    sources: [URL], to destination: URL, options: ImportOptions,
    progress: @escaping (ImportProgress) throws -> Void = { _ in }
  ) throws -> ImportSummary {
    do { try DatasetFolder.checkReplaceable(destination, overwrite: options.overwrite) } catch {
      Spool.removeLeftover(beside: destination)
      throw error
    }
    return try ImportSession(sources, to: destination, options, report: progress).run()
  }

  /// Looks at sources without importing them.
  /// - Parameters:
  ///   - sources: files and folders.
  ///   - pairs: where the other images of pairs are; nil: images come alone.
  ///   - helpers: who reads the headers.
  ///   - progress: called a few times in a second; what it throws ends the survey.
  /// - Returns: what is there, a row for each file or DICOM volume.
  /// - Throws: ``DatasetError`` for a source that does not exist.
  public static func survey(
    _ sources: [URL], pairs: LabelRule? = nil, helpers: ImportHelpers = .none,
    progress: () throws -> Void = {}
  ) throws -> ImportSurvey {
    let pool = HelperPool(helpers)
    let scan = try SourceScan(sources, pool: pool, tick: progress)
    let finder = try pairs.map { try PairFinder($0, for: scan.units, pool: pool, tick: progress) }
    return ImportSurvey(scan, pairs: finder)
  }
}
