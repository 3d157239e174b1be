// DICOMDIR: the directory of a medium, resolved to the files it lists (PS3.3, annex F).

import Foundation

/// Reads DICOMDIR files.
public enum DICOMDirectory {
  private static let storageClass = "1.2.840.10008.1.3.10"

  /// The files a DICOMDIR refers to that exist beside it, in its order.
  /// - Returns: nil where the file is none.
  /// - Throws: `ImagingError` where it cannot be parsed or none of its files is there.
  public static func files(listedIn url: URL) throws -> [URL]? {
    guard FileKind(sniffing: url) == .dicom else { return nil }
    let file = try DICOMFile(reading: url.path)
    let records = file.data.items(0x0004_1220)
    guard !records.isEmpty || file.data.elements[0x0004_1220] != nil else { return nil }
    let listed = records.map { $0.texts(0x0004_1500) }.filter { !$0.isEmpty }
    let folder = url.deletingLastPathComponent()
    let found = listed.compactMap { existing($0, in: folder) }
    guard !found.isEmpty else {
      throw ImagingError(
        file: url.path, found: "a DICOMDIR none of whose \(listed.count) files is there",
        expected: "the files beside it", advice: "copy the whole medium, or point at the folder of the images"
      )
    }
    return found
  }

  /// Media write names in capitals; copies are often in small letters.
  private static func existing(_ parts: [String], in folder: URL) -> URL? {
    guard parts.allSatisfy({ !$0.isEmpty && $0 != ".." && !$0.contains("/") }) else { return nil }
    return [parts, parts.map { $0.lowercased() }].lazy
      .map { $0.reduce(folder) { $0.appendingPathComponent($1) } }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }
}
