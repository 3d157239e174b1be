// True and predicted label maps read onto one grid.

import Foundation
import LimnImaging
import LimnTorch

/// Reads the label maps of a pair.
public struct LabelPairReader: Sendable {
  /// What the maps' values are.
  public var kind: LabelKind
  /// The classes; where empty, every value that occurs is one.
  public var classes: [LabelClass]
  /// Whether the truth is brought onto the prediction's grid, nearest voxel, by the affines of both.
  public var resample: Bool

  public init(kind: LabelKind = .auto, classes: [LabelClass] = [], resample: Bool = false) {
    (self.kind, self.classes, self.resample) = (kind, classes, resample)
  }

  /// Reads two maps; either may be a DICOM segmentation object, which lies on the other's grid then.
  /// - Returns: int32 [1, Z, Y, X] each, of one shape, and the grid with its place.
  /// - Throws: what is wrong with a file, in one line.
  public func read(truth: VolumeSource, prediction: VolumeSource) throws
    -> (truth: Tensor, prediction: Tensor, grid: Volume)
  {
    let grid = try image(prediction) ?? image(truth) ?? DICOMSegmentation.read(prediction.files[0]).labels
    return (try labels(truth, on: grid), try labels(prediction, on: grid), grid)
  }

  /// Reads one map onto the grid of an image.
  /// - Returns: int32 [1, Z, Y, X].
  /// - Throws: what is wrong with the file, in one line.
  public func labels(_ source: VolumeSource, on grid: Volume) throws -> Tensor {
    guard source.files.count == 1 else {
      throw DatasetError(
        source.files[0], "one of \(source.files.count) files of a series, expected one file of labels")
    }
    let request = LabelRequest(
      file: source.files[0].path, kind: kind, classes: classes, resample: resample)
    return try LabelReader(request: request).read(for: grid).mask.voxels
  }

  /// The file's own grid; nil of a DICOM segmentation object, whose frames are seldom all slices.
  private func image(_ source: VolumeSource) throws -> Volume? {
    let file = source.files[0]
    if FileKind(sniffing: file) == .dicom, let header = try ImageReader.probe(file).dicom,
      DICOMSegmentation.isSegmentation(header)
    {
      return nil
    }
    return try source.read()
  }
}

extension VolumeSource {
  /// The patient whom the source shows, as the file names him, which must not be stored.
  /// - Throws: `DatasetError` where the rule finds none.
  public func patient(_ rule: PatientRule) throws -> String {
    try rule.patient(of: ImageReader.probe(files[0]), file: files[0], path: path)
  }
}
