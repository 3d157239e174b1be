// What is read as one volume: a file, or the files of a DICOM series.

import Foundation
import LimnImaging

/// A file, or the files of a DICOM series, that is read as one volume.
public struct VolumeSource: Sendable {
  /// The path below the folder that was named, without extension; a series is called like its folder.
  public let name: String
  /// One file, or those of a series.
  public let files: [URL]
  /// From the folder on, whose own name comes first.
  let path: String

  /// - Returns: voxels [C, Z, Y, X] with their place.
  /// - Throws: `ImagingError`.
  public func read() throws -> Volume {
    guard files.count > 1 else { return try ImageReader.read(files[0]) }
    let volumes = try DICOMSeries.read(files: files)
    guard volumes.count == 1 else {
      throw DatasetError(files[0], "\(volumes.count) volumes in one series, expected one; pair single files")
    }
    return volumes[0]
  }

  /// What is readable at a path: a file, or the files and series of a folder, in the order of their names.
  /// - Throws: ``DatasetError`` where there is none.
  public static func all(at url: URL) throws -> [VolumeSource] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw DatasetError(url, "no such file or folder; check the path")
    }
    guard isFolder.boolValue else {
      return [
        VolumeSource(name: FileStem.of(url), files: [url], path: url.lastPathComponent)
      ]
    }
    let sources = try sources(in: url)
    guard !sources.isEmpty else {
      throw DatasetError(url, "no image in this folder, expected PNG, JPEG, TIFF, NIfTI or DICOM files")
    }
    return sources
  }

  private static func sources(in folder: URL) throws -> [VolumeSource] {
    var single: [VolumeSource] = []
    var dicom: [DICOMHeader] = []
    var paths: [String: String] = [:]
    for (file, path) in SourceScan.files(below: folder) {
      guard let kind = FileKind(sniffing: file) else { continue }
      if kind == .dicom, let header = try ImageReader.probe(file).dicom,
        !DICOMSegmentation.isSegmentation(header)
      {
        dicom.append(header)
        paths[header.path] = path
      } else {
        single.append(VolumeSource(name: named(path), files: [file], path: path))
      }
    }
    let series = DICOMSeries.grouped(dicom).map { headers in
      let first = paths[headers[0].path] ?? headers[0].path
      let path = headers.count > 1 ? String(first[..<(first.lastIndex(of: "/") ?? first.endIndex)]) : first
      return VolumeSource(
        name: named(path), files: headers.map { URL(fileURLWithPath: $0.path) }, path: path)
    }
    return (single + series).sorted { NaturalOrder.precedes($0.path, $1.path) }
  }

  private static func named(_ path: String) -> String {
    let parts = path.split(separator: "/")
    let stem = FileStem.of(URL(fileURLWithPath: path))
    return (parts.dropFirst().dropLast().map(String.init) + [stem]).joined(separator: "/")
  }
}
