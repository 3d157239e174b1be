// DICOM: files grouped into series, ordered along their normal, rescaled, placed in the patient.

import Foundation
import LimnTorch

/// Reads DICOM files as volumes.
public enum DICOMSeries {
  /// Reads every DICOM image below a folder, or one file, or what a DICOMDIR lists; other files are passed
  /// over.
  /// - Returns: a volume for each series, orientation and repetition, in the order of their first files'
  ///   names.
  /// - Throws: `ImagingError` where there is none, or where a file of a series cannot be decoded.
  public static func read(_ url: URL) throws -> [Volume] {
    let path = url.path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ImagingError(
        file: path, found: "no such file or folder", expected: "DICOM files", advice: "check the path")
    }
    guard isFolder.boolValue else {
      let listed = try DICOMDirectory.files(listedIn: url)
      return try read(files: listed ?? [url])
    }
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
    try groups(of: files, in: place).flatMap(volumes)
  }

  /// The headers of each volume's files.
  static func groups(of files: [String], in place: String) throws -> [[DICOMHeader]] {
    var seen = Set<String>()
    let found = files.filter { seen.insert($0).inserted }.map { path in
      Result { try DICOMHeader(readingImage: path) }
    }
    let headers = found.compactMap { try? $0.get() }
    guard !headers.isEmpty else {
      // A single file's own reason says more than that there is none.
      if found.count == 1 { _ = try found[0].get() }
      throw ImagingError(
        file: place, found: "no DICOM image", expected: "at least one",
        advice: "point at the folder that holds the series' files")
    }
    return grouped(headers)
  }

  /// The volume of a group of files, or those of a multi-frame file.
  static func volumes(of group: [DICOMHeader]) throws -> [Volume] {
    group.count == 1 && group[0].frameCount > 1
      ? try MultiFrame(reading: group[0].path).volumes() : [try volume(group)]
  }

  /// One file as one volume; what a multi-frame file repeats in one place becomes channels.
  static func readFile(_ path: String) throws -> Volume {
    let header = try DICOMHeader(readingImage: path)
    return header.frameCount > 1 ? try MultiFrame(reading: path).volume() : try volume([header])
  }

  /// Files of one frame each.
  private static func volume(_ headers: [DICOMHeader]) throws -> Volume {
    let stack = SliceStack(headers.map(Slice.init(only:)))
    let decoded = try decoded(stack.slices[...])
    return stack.volume(decoded.voxels, bits: decoded.bits)
  }

  /// The values [C, Z, Y, X] of slices that are files of their own.
  static func decoded(_ slices: ArraySlice<Slice>) throws -> (voxels: Tensor, bits: Int) {
    var whole: Tensor?
    var bits = 0
    for (index, slice) in slices.enumerated() {
      let file = try DICOMFile(reading: slice.header.path)
      let decoded = try DICOMPixels(file, header: slice.header).values([.first(of: file)])
      bits = max(bits, decoded.bits)
      if slices.count == 1 { return (decoded.voxels, bits) }
      place(decoded.voxels, at: index, of: slices.count, in: &whole)
    }
    return (whole ?? Tensor.zeros([1, 0, 0, 0]), bits)
  }

  /// Puts a slice [C, 1, Y, X] in its place; all become float32 as soon as one has another type.
  private static func place(_ slice: Tensor, at index: Int, of count: Int, in whole: inout Tensor?) {
    let shape = [slice.shape[0], count, slice.shape[2], slice.shape[3]]
    var target = whole ?? Tensor.zeros(shape, dtype: slice.dtype)
    if target.dtype != slice.dtype { target = target.to(.float32) }
    target.narrowed(dim: 1, start: index, length: 1).copy(from: slice.to(target.dtype))
    whole = target
  }
}

extension SliceStack {
  /// The volume that the stack's slices, decoded to [C, Z, Y, X] in its order, make.
  func volume(_ voxels: Tensor, bits: Int) -> Volume {
    let first = slices[0].header
    var info = SourceInfo(first, warnings: warnings)
    info.stack = report
    info.hasGeometry = isPlaced
    return Volume(voxels: voxels, affine: affine, storedBits: bits, unit: first.unit, info: info)
  }
}

extension SourceInfo {
  init(_ header: DICOMHeader, warnings: [String] = []) {
    self.init(
      path: header.path, format: FileKind.dicom.rawValue, patientID: header.patientID.nonEmpty,
      seriesUID: header.seriesUID.nonEmpty, modality: header.modality.nonEmpty,
      hasGeometry: header.position != nil && header.normal != nil, warnings: warnings)
    windowPresets = header.windowPresets
    isDisplayInverted = header.photometric == "MONOCHROME1"
    paddingValue = header.paddingValue.map { Double($0) * header.slope + header.intercept }
  }
}

extension String {
  fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
