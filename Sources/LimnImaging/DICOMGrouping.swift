// Which DICOM files belong together, found from their headers alone.

import Foundation

extension DICOMSeries {
  /// What the headers of many files say.
  public struct Grouping {
    /// The files of each volume, in the order of their first files.
    public var series: [[URL]] = []
    /// Files that are no part of any, with the reason.
    public var unreadable: [(file: URL, reason: any Error)] = []
  }

  /// Groups files by series, size and orientation; no pixel is decoded.
  ///
  /// Each group, given to ``read(files:)``, makes one volume, so that a large tree needs the memory of one.
  public static func grouped(_ files: [URL]) -> Grouping {
    var grouping = Grouping()
    var places: [String: Int] = [:]
    for file in files {
      do {
        let key = try DICOMHeader(readingImage: file.path).groupKey
        if let place = places[key] {
          grouping.series[place].append(file)
        } else {
          places[key] = grouping.series.count
          grouping.series.append([file])
        }
      } catch { grouping.unreadable.append((file, error)) }
    }
    return grouping
  }
}

extension DICOMHeader {
  /// Reads the header of a file that holds an image.
  fileprivate init(readingImage path: String) throws {
    self = try DICOMHeader(reading: path)
    guard rows > 0, columns > 0 else {
      throw ImagingError(
        file: path, found: "a DICOM file without an image (a report, a directory)", expected: "an image",
        advice: "leave it out")
    }
  }
}
