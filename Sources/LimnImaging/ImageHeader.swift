// What a file says of itself before its pixels are read.

import Foundation
import LimnTorch

public struct ImageHeader: Sendable, Codable {
  public var path: String
  public var format: String
  public var channels: Int
  public var depth: Int
  public var height: Int
  public var width: Int
  public var storedBits: Int
  public var isFloatingPoint: Bool
  public var spacing: [Double]?
  public var patientID: String?
  public var seriesUID: String?
  public var groupKey: String?
  public var modality: String?
  public var studyDate: String?
  public var mayShowText = false
}

extension ImageReader {
  public static func probe(_ url: URL) throws -> ImageHeader {
    if FileKind(sniffing: url) == .dicom {
      let h = try DICOMHeader(reading: url.path)
      guard h.rows > 0, h.columns > 0 else {
        throw ImagingError(
          file: url.path, found: "a DICOM file without an image (a report, a directory)",
          expected: "an image",
          advice: "leave it out")
      }
      return ImageHeader(
        path: url.path, format: "DICOM", channels: 1, depth: 1, height: h.rows, width: h.columns,
        storedBits: 16,
        isFloatingPoint: false, spacing: [h.spacing.x, h.spacing.y, h.spacing.z],
        patientID: h.patientID.isEmpty ? nil : h.patientID,
        seriesUID: h.seriesUID.isEmpty ? nil : h.seriesUID, groupKey: h.groupKey,
        modality: h.modality.isEmpty ? nil : h.modality)
    }
    let v = try read(url)
    return ImageHeader(
      path: url.path, format: v.info.format, channels: v.channels, depth: v.size[0], height: v.size[1],
      width: v.size[2],
      storedBits: v.storedBits, isFloatingPoint: v.voxels.dtype.isFloatingPoint,
      spacing: v.info.hasGeometry ? [v.spacing.x, v.spacing.y, v.spacing.z] : nil)
  }
}

extension DICOMSeries {
  public struct HeaderGrouping { public var volumes: [[ImageHeader]] = [] }
  public static func grouped(_ headers: [ImageHeader]) -> HeaderGrouping {
    var result = HeaderGrouping()
    var places: [String: Int] = [:]
    for header in headers {
      let key = header.groupKey ?? header.path
      if let place = places[key] {
        result.volumes[place].append(header)
      } else {
        places[key] = result.volumes.count
        result.volumes.append([header])
      }
    }
    return result
  }
}
