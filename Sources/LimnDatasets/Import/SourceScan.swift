// What there is to import: files and folders walked in the order of their names, DICOM files put into series.

import Foundation
import LimnImaging

/// One thing to read: a file, or the files of a DICOM series.
struct SourceUnit {
  let files: [URL]
  let isDICOM: Bool
  /// The first file's path from the source that was named, that source's own name first.
  let path: String
  var first: URL { files[0] }
}

/// Everything found below the sources.
struct SourceScan {
  private(set) var units: [SourceUnit] = []
  private(set) var problems: [ImportProblem] = []
  /// Files that neither are nor are called images.
  private(set) var passedOver = 0

  /// - Throws: ``DatasetError`` for a source that does not exist.
  init(_ sources: [URL]) throws {
    for source in sources { try add(source) }
  }

  private mutating func add(_ source: URL) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder) else {
      throw DatasetError(source, "no such file or folder; check the path")
    }
    var dicom: [URL] = []
    for (file, path) in isFolder.boolValue ? Self.files(below: source) : [(source, source.lastPathComponent)]
    {
      switch FileKind(sniffing: file) {
      case .dicom: dicom.append(file)
      case .some: units.append(SourceUnit(files: [file], isDICOM: false, path: path))
      case nil where !isFolder.boolValue || Self.isCalledImage(file):
        // Reading it tells what was found instead of an image.
        units.append(SourceUnit(files: [file], isDICOM: false, path: path))
      case nil: passedOver += 1
      }
    }
    let grouping = DICOMSeries.grouped(dicom)
    problems += grouping.unreadable.map { ImportProblem(file: $0.file, reason: $0.reason) }
    units += grouping.series.map { files in
      SourceUnit(files: files, isDICOM: true, path: Self.path(of: files[0], below: source))
    }
  }

  private static func files(below folder: URL) -> [(URL, String)] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return names.sorted().filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
      .map { (folder.appendingPathComponent($0), "\(folder.lastPathComponent)/\($0)") }
      .filter { isFile($0.0) }
  }

  private static func path(of file: URL, below source: URL) -> String {
    let below = file.path.hasPrefix(source.path) ? String(file.path.dropFirst(source.path.count)) : ""
    return source.lastPathComponent + (below.hasPrefix("/") || below.isEmpty ? below : "/" + below)
  }

  private static func isFile(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  private static func isCalledImage(_ file: URL) -> Bool {
    ["png", "jpg", "jpeg", "tif", "tiff", "nii", "gz", "dcm", "dicom"].contains(
      file.pathExtension.lowercased())
  }
}

/// A file that was not imported, and why.
public struct ImportProblem: Sendable {
  /// The file, or the first one of a DICOM series that was refused as a whole.
  public let file: URL
  /// One line that names the file.
  public let line: String

  init(file: URL, reason: any Error) {
    self.file = file
    let text = (reason as? any LocalizedError)?.errorDescription ?? "\(reason)"
    line = text.contains(file.path) ? text : "\(file.path): \(text)"
  }
}
