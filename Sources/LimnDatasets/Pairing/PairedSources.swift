// Two folders of images or label maps that belong together one to one, such as truths and predictions.

import Foundation
import LimnImaging

/// A file, or the files of a DICOM series, that is read as one volume.
public struct PairedSource: Sendable {
  /// The path below the folder that was named, without extension; a series is called like its folder.
  public let name: String
  /// One file, or those of a series.
  public let files: [URL]
  /// From the folder on, whose own name comes first.
  let path: String

  /// - Returns: voxels [C, Z, Y, X] with their place.
  /// - Throws: `ImagingError`.
  public func read() throws -> Volume {
    guard files.count > 1 else { return try ImageReader.read(files[0]) }
    let volumes = try DICOMSeries.read(files: files)
    guard volumes.count == 1 else {
      throw DatasetError(files[0], "\(volumes.count) volumes in one series, expected one; pair single files")
    }
    return volumes[0]
  }

  /// What is readable at a path: a file, or the files and series of a folder.
  static func all(at url: URL) throws -> [PairedSource] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw DatasetError(url, "no such file or folder; check the path")
    }
    guard isFolder.boolValue else {
      return [
        PairedSource(name: FileStem.of(url), files: [url], path: url.lastPathComponent)
      ]
    }
    let sources = try sources(in: url)
    guard !sources.isEmpty else {
      throw DatasetError(url, "no image in this folder, expected PNG, JPEG, TIFF, NIfTI or DICOM files")
    }
    return sources
  }

  private static func sources(in folder: URL) throws -> [PairedSource] {
    var single: [PairedSource] = []
    var dicom: [DICOMHeader] = []
    var paths: [String: String] = [:]
    for (file, path) in SourceScan.files(below: folder) {
      guard let kind = FileKind(sniffing: file) else { continue }
      if kind == .dicom, let header = try ImageReader.probe(file).dicom,
        !DICOMSegmentation.isSegmentation(header)
      {
        dicom.append(header)
        paths[header.path] = path
      } else {
        single.append(PairedSource(name: named(path), files: [file], path: path))
      }
    }
    let series = DICOMSeries.grouped(dicom).map { headers in
      let first = paths[headers[0].path] ?? headers[0].path
      let path = headers.count > 1 ? String(first[..<(first.lastIndex(of: "/") ?? first.endIndex)]) : first
      return PairedSource(
        name: named(path), files: headers.map { URL(fileURLWithPath: $0.path) }, path: path)
    }
    return (single + series).sorted { $0.path < $1.path }
  }

  private static func named(_ path: String) -> String {
    let parts = path.split(separator: "/")
    let stem = FileStem.of(URL(fileURLWithPath: path))
    return (parts.dropFirst().dropLast().map(String.init) + [stem]).joined(separator: "/")
  }
}

/// The pairs of two folders, or of two files.
///
/// Files belong together that have the same path below their folders; else the same name, alone or followed by
/// `_mask`, `_label`, `_seg`, `_truth`, `_gt`, `_pred`, `_real`, `_fake` or the like; else the same letters
/// before the first `_`, where no other file has them; and where there is one file on each side, those two.
public struct PairedSources: Sendable {
  /// What belongs together.
  public struct Pair: Sendable {
    public let first: PairedSource
    public let second: PairedSource
  }

  /// In the order of the first side's paths.
  public let pairs: [Pair]
  /// What a careful person would want to know, a line each: files without a counterpart, doubtful pairs.
  public let notes: [String]

  private static let words = [
    "mask", "label", "labels", "seg", "truth", "gt", "manual", "pred", "prediction", "real", "fake", "real_B",
    "fake_B", "real_A", "fake_A",
  ]

  /// Pairs what is at two paths.
  /// - Throws: ``DatasetError`` where a path holds no image, where a name fits several, or where nothing fits.
  public init(_ first: URL, _ second: URL) throws {
    let (firsts, seconds) = (try PairedSource.all(at: first), try PairedSource.all(at: second))
    if firsts.count == 1, seconds.count == 1 {
      pairs = [Pair(first: firsts[0], second: seconds[0])]
      notes = []
      return
    }
    let matching = try Matching(firsts, seconds, in: second)
    guard !matching.pairs.isEmpty else {
      throw DatasetError(
        first,
        "none of its \(firsts.count) images has a counterpart of the same name in \(second.path), such as "
          + "'\(firsts[0].name)' beside '\(seconds[0].name)'; give them the same names")
    }
    pairs = matching.pairs
    notes = Self.notes(
      alone: matching.alone, first.path, unused: Self.unused(seconds, pairs), second.path,
      byStart: matching.byStart)
  }

  /// What came of looking for each of the first side's sources.
  private struct Matching {
    var pairs: [Pair] = []
    /// Without a counterpart.
    var alone: [String] = []
    /// Alike only before the first `_`.
    var byStart: [String] = []

    init(_ firsts: [PairedSource], _ seconds: [PairedSource], in folder: URL) throws {
      let (own, others) = (PairedSources.index(firsts), PairedSources.index(seconds))
      for source in firsts {
        let matches = others.matches(source.path)
        // Only a start that nothing else has says who belongs to whom.
        guard let matches,
          matches.likeness == .name || matches.values.count == 1 && !own.sharesStart(source.path)
        else {
          alone.append(source.name)
          continue
        }
        guard matches.values.count == 1 else {
          throw DatasetError(
            source.files[0],
            "\(matches.values.count) files of \(folder.path) may belong to it, \(matches.values[0].name) and "
              + "\(matches.values[1].name) among them; give them the same path below their folders")
        }
        if matches.likeness == .start { byStart.append("\(source.name) with \(matches.values[0].name)") }
        pairs.append(Pair(first: source, second: matches.values[0]))
      }
    }
  }

  private static func index(_ sources: [PairedSource]) -> NameIndex<PairedSource> {
    var index = NameIndex<PairedSource>(words: words)
    for source in sources { index.add(source, path: source.path) }
    return index
  }

  private static func unused(_ seconds: [PairedSource], _ found: [Pair]) -> [String] {
    let used = Set(found.map(\.second.path))
    return seconds.filter { !used.contains($0.path) }.map(\.name)
  }

  private static func notes(
    alone: [String], _ first: String, unused: [String], _ second: String, byStart: [String]
  ) -> [String] {
    func line(_ names: [String], _ folder: String, _ other: String) -> String? {
      names.first.map {
        "\(names.count) of \(folder) without a counterpart in \(other), '\($0)' the first; not measured"
      }
    }
    let doubtful = byStart.first.map {
      "\(byStart.count) pairs are alike only before the first '_' of their names, such as \($0); check them"
    }
    return [line(alone, first, second), line(unused, second, first), doubtful].compactMap(\.self)
  }
}
