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

  /// Groups files by series, size and orientation, and by acquisition, time, echo or the like where places
  /// repeat; no pixel is decoded.
  ///
  /// Each group, given to ``read(files:)``, makes one volume, so that a large tree needs the memory of one.
  public static func grouped(_ files: [URL]) -> Grouping {
    var grouping = Grouping()
    var headers: [DICOMHeader] = []
    for file in files {
      do { headers.append(try DICOMHeader(readingImage: file.path)) } catch {
        grouping.unreadable.append((file, error))
      }
    }
    grouping.series = grouped(headers).map { $0.map { URL(fileURLWithPath: $0.path) } }
    return grouping
  }

  /// Groups headers that ``ImageReader/probe(_:)`` gave, as the other form groups files.
  /// - Returns: the headers of each volume, in the order of their first files.
  public static func grouped(_ headers: [DICOMHeader]) -> [[DICOMHeader]] {
    var places: [String: Int] = [:]
    var groups: [[DICOMHeader]] = []
    for header in headers {
      // A multi-frame file is a volume, or several, by itself.
      let key = header.frameCount > 1 ? "\(header.groupKey)|\(header.path)" : header.groupKey
      if let place = places[key] {
        groups[place].append(header)
      } else {
        places[key] = groups.count
        groups.append([header])
      }
    }
    return groups.flatMap { group in
      SliceRepetition.split(group.map(Slice.init(only:))).map { $0.map(\.header) }
    }
  }
}

extension DICOMHeader {
  /// Reads the header of a file that holds an image.
  init(readingImage path: String) throws {
    self = try DICOMHeader(reading: path)
    guard rows > 0, columns > 0 else { throw Self.noImage(path) }
  }

  static func noImage(_ path: String) -> ImagingError {
    ImagingError(
      file: path, found: "a DICOM file without an image (a report, a directory)", expected: "an image",
      advice: "leave it out")
  }
}
