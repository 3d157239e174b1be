// A volume as a DICOM series on disk.

import Foundation
import LimnImaging
import LimnTorch

/// Writes one file a slice into a new folder.
func writeSeries(_ volume: Volume, to folder: URL) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let identity = DICOMSeriesIdentity(
    patient: "p", study: DICOMUID.new(), date: nil, isSynthetic: false, derivation: "test")
  for slice in 0..<volume.size[0] {
    var capture = SecondaryCapture(identity: identity, pixels: volume.voxels[.all, slice].contiguous())
    var place = volume.affine
    for row in 0..<3 { place[row, 3] += place[row, 2] * Double(slice) }
    (capture.affine, capture.number) = (place, slice + 1)
    try capture.encoded().write(to: folder.appendingPathComponent("\(slice).dcm"))
  }
}
