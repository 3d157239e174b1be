// DICOM: files grouped into series, ordered along their normal, rescaled, placed in the patient.

import CMedical
import Foundation
import LimnTorch

/// Reads DICOM files as volumes.
public enum DICOMSeries {
  /// Reads every DICOM image below a folder (or one file); other files are passed over.
  /// - Returns: a volume for each series and orientation, in the order of their first files' names.
  /// - Throws: `ImagingError` where there is none, or where a file of a series cannot be decoded.
  public static func read(_ url: URL) throws -> [Volume] {
    let path = url.path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ImagingError(
        file: path, found: "no such file or folder", expected: "DICOM files", advice: "check the path")
    }
    guard isFolder.boolValue else { return [try readFile(path)] }
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    let files = names.sorted().map { "\(path)/\($0)" }.filter { FileKind(sniffing: $0) == .dicom }
    return try read(files: files, in: path)
  }

  /// Reads the given files as the volumes that they make up.
  /// - Throws: `ImagingError` where there is none, or where a file cannot be decoded.
  public static func read(files: [URL]) throws -> [Volume] {
    try read(files: files.map(\.path), in: files.first?.path ?? "no file")
  }

  private static func read(files: [String], in place: String) throws -> [Volume] {
    // A file without an image (a report, a directory) is not part of any series.
    let headers = files.compactMap { try? DICOMHeader(reading: $0) }.filter { $0.rows > 0 && $0.columns > 0 }
    guard !headers.isEmpty else {
      throw ImagingError(
        file: place, found: "no DICOM image", expected: "at least one",
        advice: "point at the folder that holds the series' files")
    }
    return try grouped(headers).map(volume)
  }

  /// One file as a volume of its own.
  static func readFile(_ path: String) throws -> Volume {
    try volume([DICOMHeader(reading: path)])
  }

  /// Headers of one series, size and orientation together.
  private static func grouped(_ headers: [DICOMHeader]) -> [[DICOMHeader]] {
    var order: [String] = []
    var groups: [String: [DICOMHeader]] = [:]
    for header in headers {
      let key = header.groupKey
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(header)
    }
    return order.compactMap { groups[$0] }
  }

  private static func volume(_ headers: [DICOMHeader]) throws -> Volume {
    var stack = SliceStack(headers)
    let decoded = try stack.headers.map(decode)
    // Only the decoder knows where an enhanced file places its frames.
    if decoded.count == 1 { stack = SliceStack([decoded[0].header]) }
    let rescaled = decoded.map(\.values)
    let whole = sameType(rescaled)
    let first = stack.headers[0]
    let voxels = whole.count == 1 ? whole[0] : Tensor.cat(whole, dim: 1)
    return Volume(
      voxels: voxels, affine: stack.affine, storedBits: decoded.map(\.storedBits).max() ?? 8,
      unit: first.unit,
      info: SourceInfo(
        path: first.path, format: FileKind.dicom.rawValue, patientID: first.patientID.nonEmpty,
        seriesUID: first.seriesUID.nonEmpty, modality: first.modality.nonEmpty,
        hasGeometry: first.position != nil && first.orientation != nil, warnings: stack.warnings))
  }

  /// One type for all: float32 as soon as one file needs it.
  private static func sameType(_ slices: [Tensor]) -> [Tensor] {
    guard Set(slices.map(\.dtype)).count > 1 else { return slices }
    return slices.map { $0.to(.float32) }
  }

  private struct Decoded {
    var header: DICOMHeader
    var values: Tensor
    var storedBits: Int
  }

  private static func decode(_ header: DICOMHeader) throws -> Decoded {
    var image = CMedImage()
    var raw = CMedDicomHeader()
    try checked(
      header.path, expected: "a DICOM image that GDCM decodes", advice: ImageReader.damagedAdvice
    ) { error in
      CMedDicomRead(header.path, ImageReader.maximumBytes, &image, &raw, &error)
    }
    let complete = DICOMHeader(path: header.path, raw)
    let values = complete.rescaled(tensor(taking: image), storedBits: Int(image.storedBits))
    return Decoded(header: complete, values: values, storedBits: Int(image.storedBits))
  }
}

extension DICOMHeader {
  /// Stored values to modality values: MONOCHROME1 turned round, slope and intercept applied.
  ///
  /// Whole slopes and intercepts whose results fit give int16, others float32 (PS3.3 C.11.1).
  fileprivate func rescaled(_ stored: Tensor, storedBits: Int) -> Tensor {
    // Hounsfield units have a meaning that turning round would destroy.
    let isInverted = photometric == "MONOCHROME1" && unit != .hounsfield
    guard isInverted || slope != 1 || intercept != 0 else { return stored }
    var values = stored.to(.float32)
    if isInverted {
      let largest = stored.dtype == .int16 ? -1 : Double(1 << min(storedBits, 31)) - 1
      values = largest - values
    }
    guard slope != 1 || intercept != 0 else { return values.to(stored.dtype) }
    values = values * slope + intercept
    let isWhole = slope == slope.rounded() && intercept == intercept.rounded()
    let fits = values.min().item() >= -32_768 && values.max().item() <= 32_767
    return isWhole && fits ? values.to(.int16) : values
  }
}

extension String {
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
