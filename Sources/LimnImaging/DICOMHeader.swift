// What a DICOM file says of its place, its series and its numbers.

import CMedical
import Foundation

/// The part of a DICOM header that volumes are made with.
struct DICOMHeader {
  var path: String
  var rows: Int
  var columns: Int
  /// Millimetres along x, y and z; 1 where the file is silent.
  var spacing: SIMD3<Double>
  /// Centre of the first voxel, LPS+ millimetres.
  var position: SIMD3<Double>?
  /// Directions of increasing x and of increasing y, LPS+.
  var orientation: (x: SIMD3<Double>, y: SIMD3<Double>)?
  var slope: Double
  var intercept: Double
  var instanceNumber: Int
  var patientID: String
  var seriesUID: String
  var modality: String
  var photometric: String
  var rescaleType: String

  /// Reads the header of the file at `path`.
  init(reading path: String) throws {
    var raw = CMedDicomHeader()
    try checked(path, expected: "a DICOM file", advice: ImageReader.damagedAdvice) { error in
      CMedDicomReadHeader(path, &raw, &error)
    }
    self.init(path: path, raw)
  }

  init(path: String, _ raw: CMedDicomHeader) {
    self.path = path
    (rows, columns) = (Int(raw.rows), Int(raw.columns))
    spacing = [raw.spacing.0, raw.spacing.1, raw.spacing.2]
    position = raw.hasPosition ? [raw.position.0, raw.position.1, raw.position.2] : nil
    let cosines = raw.orientation
    orientation =
      raw.hasOrientation
      ? (x: [cosines.0, cosines.1, cosines.2], y: [cosines.3, cosines.4, cosines.5]) : nil
    (slope, intercept) = (raw.slope, raw.intercept)
    instanceNumber = Int(raw.instanceNumber)
    patientID = Self.text(raw.patientID)
    seriesUID = Self.text(raw.seriesUID)
    modality = Self.text(raw.modality)
    photometric = Self.text(raw.photometric)
    rescaleType = Self.text(raw.rescaleType)
  }

  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// CT's numbers are Hounsfield units unless the file names another scale.
  var unit: IntensityUnit {
    modality == "CT" && ["", "HU"].contains(rescaleType) ? .hounsfield : .arbitrary
  }

  /// The direction in which slices are stacked, LPS+.
  var normal: SIMD3<Double>? { orientation.map { cross($0.x, $0.y) } }

  /// Equal for files that can be slices of one volume.
  var groupKey: String {
    let cosines = orientation.map { [$0.x.x, $0.x.y, $0.x.z, $0.y.x, $0.y.y, $0.y.z] } ?? []
    let rounded = cosines.map { String(Int(($0 * 1000).rounded())) }.joined(separator: ",")
    return "\(seriesUID)|\(rows)x\(columns)|\(rounded)"
  }
}
