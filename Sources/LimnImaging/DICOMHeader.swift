// What a DICOM file says of its place, its series, its numbers and its risks for privacy.

import Foundation

/// A named window of the file's own: how somebody meant its numbers to be shown.
public struct WindowPreset: Sendable, Codable, Equatable {
  /// The file's explanation, such as `BRAIN`; nil where it gives none.
  public var name: String?
  /// The window's middle, in modality values (HU for CT).
  public var centre: Double
  /// The window's width, in modality values.
  public var width: Double
}

/// The part of a DICOM header that volumes are made with and imports decide by; of a multi-frame file, what
/// its first frame says.
public struct DICOMHeader: Sendable, Codable, Equatable {
  /// The file.
  public var path: String
  /// The image's height; 0 where the file holds no image.
  public var rows: Int
  /// The image's width; 0 where the file holds no image.
  public var columns: Int
  /// How many frames the file holds.
  public var frameCount: Int
  /// 1, or 3 for colour (as stored: a palette's index is 1).
  public var samplesPerPixel: Int
  /// Bits that a stored sample takes up.
  public var bitsAllocated: Int
  /// Bits of a sample that mean something.
  public var bitsStored: Int
  /// Whether stored samples have a sign.
  public var isSigned: Bool
  /// Whether samples are stored as floating-point numbers.
  public var isFloatingPoint: Bool
  /// Millimetres along x, y and z; 1 where the file is silent.
  public var spacing: SIMD3<Double>
  /// Whether the file states the spacing in the plane.
  public var hasSpacing: Bool
  /// Centre of the first voxel, LPS+ millimetres.
  public var position: SIMD3<Double>?
  /// Direction of increasing x, LPS+.
  public var rowDirection: SIMD3<Double>?
  /// Direction of increasing y, LPS+.
  public var columnDirection: SIMD3<Double>?
  /// Stored value to modality value: times this.
  public var slope: Double
  /// Stored value to modality value: plus this.
  public var intercept: Double
  /// The file's number in its series; 0 where it has none.
  public var instanceNumber: Int
  /// What tells apart slices of one place: the values of acquisition number, temporal position, echo, …, by
  /// name.
  public var repetition: [String: String]
  /// DICOM's PatientID; empty where the file is silent, as the texts below.
  public var patientID: String
  /// StudyInstanceUID.
  public var studyUID: String
  /// SeriesInstanceUID.
  public var seriesUID: String
  /// SOPInstanceUID.
  public var instanceUID: String
  /// SOPClassUID.
  public var sopClass: String
  /// The modality: CT, MR, ….
  public var modality: String
  /// The photometric interpretation: MONOCHROME2, RGB, ….
  public var photometric: String
  /// What rescaled values are, such as HU.
  public var rescaleType: String
  /// The UID of the transfer syntax.
  public var transferSyntax: String
  /// ImageType: ORIGINAL or DERIVED, PRIMARY or SECONDARY, ….
  public var imageType: [String]
  /// StudyDate, as YYYYMMDD.
  public var studyDate: String
  /// SeriesDate, as YYYYMMDD.
  public var seriesDate: String
  /// AcquisitionDate, as YYYYMMDD.
  public var acquisitionDate: String
  /// What BurnedInAnnotation says; nil where the file is silent.
  public var hasBurnedInAnnotation: Bool?
  /// Whether the file describes ultrasound regions: around them stand texts.
  public var hasUltrasoundRegions: Bool
  /// The stored value that fills what was not measured.
  public var paddingValue: Int?
  /// The file's own windows.
  public var windowPresets: [WindowPreset]

  /// The direction in which slices are stacked, LPS+.
  public var normal: SIMD3<Double>? {
    guard let rowDirection, let columnDirection else { return nil }
    return cross(rowDirection, columnDirection)
  }

  /// CT's numbers are Hounsfield units unless the file names another scale.
  public var unit: IntensityUnit {
    modality == "CT" && ["", "HU"].contains(rescaleType) ? .hounsfield : .arbitrary
  }

  /// Whether the image is a Secondary Capture: a screen, a scan of film, a report as a picture.
  public var isSecondaryCapture: Bool { sopClass.hasPrefix("1.2.840.10008.5.1.4.1.1.7") }

  /// Whether patients may be named in the pixels: the file says so, or it is of a kind that often does.
  public var mayShowText: Bool {
    hasBurnedInAnnotation ?? (isSecondaryCapture || hasUltrasoundRegions || modality == "US")
  }

  /// Channels that reading gives: 1, or 3 for colour.
  public var channels: Int { photometric == "PALETTE COLOR" ? 3 : samplesPerPixel }

  /// Equal for files that can be slices of one volume.
  public var groupKey: String {
    let directions = [rowDirection, columnDirection].compactMap { $0 }
    let cosines = directions.flatMap { [$0.x, $0.y, $0.z] }
      .map { String(Int(($0 * 1000).rounded())) }.joined(separator: ",")
    let plane = String(format: "%.3f/%.3f", spacing.x, spacing.y)
    return "\(seriesUID)|\(rows)x\(columns)x\(channels)|\(plane)|\(cosines)"
  }
}

extension DICOMHeader {
  /// Reads the header of the file at `path`.
  init(reading path: String) throws { self.init(try DICOMFile(reading: path)) }

  init(_ file: DICOMFile) {
    let data = file.data
    let frame = DICOMFrame.first(of: file)
    path = file.path
    rows = data.unsignedShort(0x0028_0010) ?? 0
    columns = data.unsignedShort(0x0028_0011) ?? 0
    frameCount = max(data.integer(0x0028_0008) ?? 1, 1)
    samplesPerPixel = data.unsignedShort(0x0028_0002) ?? 1
    isFloatingPoint = data.elements[0x7FE0_0008] != nil || data.elements[0x7FE0_0009] != nil
    bitsAllocated = data.unsignedShort(0x0028_0100) ?? 0
    bitsStored = data.unsignedShort(0x0028_0101) ?? bitsAllocated
    isSigned = data.unsignedShort(0x0028_0103) == 1
    (spacing, hasSpacing) = (frame.spacing, frame.hasSpacing)
    (position, rowDirection, columnDirection) = (frame.position, frame.rowDirection, frame.columnDirection)
    (slope, intercept) = (frame.slope, frame.intercept)
    (repetition, windowPresets) = (frame.repetition, frame.windowPresets)
    instanceNumber = data.integer(0x0020_0013) ?? 0
    patientID = data.text(0x0010_0020) ?? ""
    studyUID = data.text(0x0020_000D) ?? ""
    seriesUID = data.text(0x0020_000E) ?? ""
    instanceUID = data.text(0x0008_0018) ?? ""
    sopClass = data.text(0x0008_0016) ?? ""
    modality = data.text(0x0008_0060) ?? ""
    photometric = data.text(0x0028_0004) ?? ""
    rescaleType = frame.rescaleType
    transferSyntax = file.transferSyntax
    imageType = data.texts(0x0008_0008)
    studyDate = data.text(0x0008_0020) ?? ""
    seriesDate = data.text(0x0008_0021) ?? ""
    acquisitionDate = data.text(0x0008_0022) ?? ""
    hasBurnedInAnnotation = data.text(0x0028_0301).map { $0.uppercased() == "YES" }
    hasUltrasoundRegions = !data.items(0x0018_6011).isEmpty
    paddingValue = Self.padding(data, isSigned: isSigned)
  }

  private static func padding(_ data: DICOMDataSet, isSigned: Bool) -> Int? {
    isSigned
      ? data.numbers(0x0028_0120, as: Int16.self).first.map(Int.init) : data.unsignedShort(0x0028_0120)
  }
}
