// An image or volume with its geometry: what every reader of this room answers with.

import Foundation
import LimnTorch

/// What a volume's numbers mean.
public enum IntensityUnit: String, Sendable, Codable {
  /// Hounsfield units of CT: −1000 air, 0 water.
  case hounsfield = "HU"
  /// No agreed scale (MR, photographs, microscopes).
  case arbitrary
}

/// Where a volume came from.
public struct SourceInfo: Sendable, Codable, Equatable {
  /// The file, or the folder or first file of a series.
  public var path: String
  /// The container: PNG, JPEG, TIFF, NIfTI or DICOM.
  public var format: String
  /// DICOM's PatientID; nil where the format has none.
  public var patientID: String?
  /// DICOM's SeriesInstanceUID; nil where the format has none.
  public var seriesUID: String?
  /// DICOM's modality (CT, MR, …); nil where the format has none.
  public var modality: String?
  /// Whether the file itself placed the voxels in space.
  public var hasGeometry: Bool
  /// What a careful person would want to know before using the volume, a line each.
  public var warnings: [String]
  /// The file's own windows, in the volume's numbers.
  public var windowPresets: [WindowPreset] = []
  /// Whether small numbers are meant to be shown bright (DICOM's MONOCHROME1); the numbers are as stored.
  public var isDisplayInverted = false
  /// The number that fills what was not measured, rescaled as the voxels are; nil where the file names none.
  public var paddingValue: Double?
  /// How the slices of a DICOM series lie, of the volume as it was read; nil for other formats, and where files
  /// do not say.
  public var stack: SliceStackReport?

  /// Creates a description; only path and format are needed.
  public init(
    path: String, format: String, patientID: String? = nil, seriesUID: String? = nil,
    modality: String? = nil, hasGeometry: Bool = false, warnings: [String] = []
  ) {
    self.path = path
    self.format = format
    self.patientID = patientID
    self.seriesUID = seriesUID
    self.modality = modality
    self.hasGeometry = hasGeometry
    self.warnings = warnings
  }
}

/// Voxels with their place in the patient. A picture is a volume of one slice.
public struct Volume: Sendable {
  /// [C, Z, Y, X], contiguous, on the CPU; uint8, uint16, int16, int32 or float32.
  public var voxels: Tensor
  /// Voxel (x, y, z) to millimetres, RAS+.
  public var affine: Affine
  /// Significant bits of a stored sample (8, 12, 16, …), before rescaling.
  public var storedBits: Int
  /// What the numbers mean.
  public var unit: IntensityUnit
  /// Where the volume came from.
  public var info: SourceInfo

  /// Creates a volume from voxels [C, Z, Y, X].
  public init(
    voxels: Tensor, affine: Affine, storedBits: Int, unit: IntensityUnit = .arbitrary, info: SourceInfo
  ) {
    precondition(voxels.shape.count == 4, "voxels are [C, Z, Y, X], shape \(voxels.shape) was given")
    self.voxels = voxels
    self.affine = affine
    self.storedBits = storedBits
    self.unit = unit
    self.info = info
  }

  /// The distance between voxel centres along x, y and z, in millimetres.
  public var spacing: SIMD3<Double> { affine.spacing }
  /// Channels: 1, 3 for colour, or the count of a series of volumes.
  public var channels: Int { voxels.shape[0] }
  /// The extents along z, y and x.
  public var size: [Int] { Array(voxels.shape[1...]) }
  /// Where the voxel axes point.
  public var orientation: Orientation { Orientation(nearest: affine) }
}
