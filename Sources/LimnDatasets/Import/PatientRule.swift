// Whose image is it: patients told apart by what files say or are called, and named by pseudonyms.

import Foundation
import LimnImaging

/// Where a patient's identity is taken from.
public enum PatientRule: Sendable, Equatable {
  /// DICOM's PatientID (or, without one, the series); for other files the name's part before the first `_` if
  /// that holds a digit (`patient001_frame01_slice_3`, `00001280_004`, `sub-01_T1w`), else before `_slice`,
  /// else the whole name. Files of equal names in different folders count as one patient's, so that none
  /// leaks.
  case auto
  /// The file's name without its extension.
  case file
  /// The name of the folder that holds the file.
  case folder
  /// DICOM's PatientID; files without one are refused.
  case dicom
  /// What the first group (or all) of a regular expression matches in the path below the source.
  case regex(String)

  /// Reads `auto`, `file`, `folder`, `dicom` or `regex:PATTERN`; nil for anything else, or if the pattern is
  /// not a regular expression.
  public init?(_ text: String) {
    switch text {
    case "auto": self = .auto
    case "file": self = .file
    case "folder": self = .folder
    case "dicom": self = .dicom
    default:
      guard text.hasPrefix("regex:"), (try? Regex(String(text.dropFirst(6)))) != nil else { return nil }
      self = .regex(String(text.dropFirst(6)))
    }
  }

  /// The rule without its pattern, which may name people.
  var kind: String {
    switch self {
    case .auto: "auto"
    case .file: "file"
    case .folder: "folder"
    case .dicom: "dicom"
    case .regex: "regex"
    }
  }

  /// The patient whom a source shows.
  /// - Parameters:
  ///   - header: what the source says.
  ///   - file: the file, or the first of a series.
  ///   - path: the file's path from the source that was named, that source's own name first.
  /// - Returns: the patient as the source names it, which must not be stored.
  /// - Throws: ``DatasetError`` if the rule finds no patient.
  func patient(of header: ImageHeader?, file: URL, path: String) throws -> String {
    let stem = FileStem.of(file)
    switch self {
    case .auto: return header?.dicom?.person ?? Self.leading(stem)
    case .file: return stem
    case .folder: return file.deletingLastPathComponent().lastPathComponent
    case .dicom:
      guard let id = header?.dicom?.patientID, !id.isEmpty else {
        throw DatasetError(file, "has no DICOM PatientID; choose another --patient-from")
      }
      return id
    case .regex(let pattern):
      guard let match = try Regex(pattern).firstMatch(in: path) else {
        throw DatasetError(file, "the pattern of --patient-from does not match '\(path)'")
      }
      let group = match.output.count > 1 ? match.output[1].substring : nil
      return String(group ?? path[match.range])
    }
  }

  private static func leading(_ stem: String) -> String {
    if let end = stem.firstIndex(of: "_"), stem[..<end].contains(where: \.isNumber) {
      return String(stem[..<end])
    }
    return stem.range(of: "_slice").map { String(stem[..<$0.lowerBound]) } ?? stem
  }
}

extension DICOMHeader {
  /// PatientID, or without one the series; nil where the file names neither.
  fileprivate var person: String? { [patientID, seriesUID].first { !$0.isEmpty } }
}
