// What there is to import: files and folders walked in the order of their names, in which 2 comes before 10, their
// headers read, DICOM files put into volumes.

import Foundation
import LimnImaging

/// One thing to read: a file, or the files of a DICOM volume.
struct SourceUnit: Sendable {
  let files: [URL]
  let isDICOM: Bool
  /// The first file's path from the source that was named, that source's own name first.
  let path: String
  /// What the first file says of itself.
  let header: ImageHeader?
  var first: URL { files[0] }
}

/// Everything found below the sources.
struct SourceScan: Sendable {
  private(set) var units: [SourceUnit] = []
  private(set) var problems: [ImportProblem] = []
  /// Files that neither are nor are called images.
  private(set) var passedOver = 0

  /// A file that may be an image.
  private struct Found: Sendable {
    let file: URL
    let path: String
    /// Named outright, or called as images are: what it is instead is worth telling.
    let isExpected: Bool
  }

  /// - Parameters:
  ///   - sources: files and folders.
  ///   - pool: reads the headers.
  ///   - tick: called a few times in a second.
  /// - Throws: ``DatasetError`` for a source that does not exist; what `tick` throws.
  init(_ sources: [URL], pool: HelperPool, tick: () throws -> Void) throws {
    for source in sources {
      let found = try candidates(source)
      try add(found, headers: headers(of: found, pool, tick))
    }
  }

  private func candidates(_ source: URL) throws -> [Found] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder) else {
      throw DatasetError(source, "no such file or folder; check the path")
    }
    guard isFolder.boolValue else {
      return [Found(file: source, path: source.lastPathComponent, isExpected: true)]
    }
    return Self.files(below: source).map { file, path in
      Found(file: file, path: path, isExpected: Self.isCalledImage(file))
    }
  }

  /// The headers of the files, many to a request, each alone where a helper did not survive them.
  private func headers(of found: [Found], _ pool: HelperPool, _ tick: () throws -> Void) throws
    -> [ProbeResult]
  {
    let paths = found.map(\.file.path)
    let batches = stride(from: 0, to: paths.count, by: 64).map {
      Array(paths[$0..<min($0 + 64, paths.count)])
    }
    var answers = [[ProbeResult]](repeating: [], count: batches.count)
    try pool.run(
      batches, work: { Self.probe($0, $1) }, handle: { answers[$0] = $1 }, tick: tick)
    return Array(answers.joined())
  }

  private static func probe(_ files: [String], _ helper: any ImportHelper) -> [ProbeResult] {
    do {
      guard case .probed(let results) = try helper.perform(.probe(files)) else { return [] }
      return results
    } catch {
      guard files.count == 1 else { return files.flatMap { probe([$0], helper) } }
      return [ProbeResult(problem: ImportProblem(file: files[0], crash: error).line)]
    }
  }

  private mutating func add(_ found: [Found], headers: [ProbeResult]) {
    var dicom: [DICOMHeader] = []
    var known: [String: (path: String, header: ImageHeader)] = [:]
    for (found, answer) in zip(found, headers) {
      guard let header = answer.header else {
        if answer.isForeign, !found.isExpected {
          passedOver += 1
          continue
        }
        problems.append(ImportProblem(file: found.file.path, line: answer.problem ?? "cannot be read"))
        continue
      }
      if let read = header.dicom {
        known[read.path] = (found.path, header)
        dicom.append(read)
      } else {
        units.append(SourceUnit(files: [found.file], isDICOM: false, path: found.path, header: header))
      }
    }
    units += DICOMSeries.grouped(dicom).map { headers in
      let first = known[headers[0].path]
      return SourceUnit(
        files: headers.map { URL(fileURLWithPath: $0.path) }, isDICOM: true,
        path: first?.path ?? headers[0].path, header: first?.header)
    }
  }

  /// Every file below a folder, in the natural order of their paths, hidden ones left out; with the path from the folder on.
  static func files(below folder: URL) -> [(URL, String)] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return names.sorted(by: NaturalOrder.precedes).filter {
      !$0.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    .map { (folder.appendingPathComponent($0), "\(folder.lastPathComponent)/\($0)") }
    .filter { isFile($0.0) }
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
public struct ImportProblem: Sendable, Codable {
  /// The file, or the first one of a DICOM series that was refused as a whole.
  public let file: URL
  /// One line that names the file.
  public let line: String

  init(file: String, line: String) {
    self.file = URL(fileURLWithPath: file)
    self.line = line.contains(file) ? line : "\(file): \(line)"
  }

  init(file: URL, reason: any Error) { self.init(file: file.path, line: Self.line(for: reason)) }

  /// A file that no helper survives.
  init(file: String, crash: any Error) {
    let reason = (crash as? HelperFailure)?.reason ?? "\(crash)"
    self.init(
      file: file,
      line: "\(file): \(reason), expected a readable image; convert it with another program, or leave it out")
  }

  static func line(for error: any Error) -> String {
    (error as? any LocalizedError)?.errorDescription ?? "\(error)"
  }
}
