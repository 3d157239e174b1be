// Labels beside images: which mask belongs to which image, and what its values mean.

import Foundation
import LimnImaging

/// Where the mask of an image is.
public enum LabelRule: Sendable, Equatable {
  /// In a folder: the file of the image's own path below its source; else of the image's name, alone or
  /// followed by `_mask`, `_label`, `_labels`, `_seg` or the same with `-`; else the only one that shares what
  /// comes before the image name's first `_`. For a DICOM series: the segmentation object of its study.
  case folder(URL)
  /// At a path in which `{name}` stands for the image's name without its extension, and `{folder}` for its
  /// folder.
  case path(String)

  /// A path that holds `{name}` or `{folder}`, or a folder.
  public init(_ text: String) {
    let isPattern = text.contains("{name}") || text.contains("{folder}")
    self = isPattern ? .path(text) : .folder(URL(fileURLWithPath: text))
  }

  /// Where the rule leads for an image: the folder, or the path with the image's name in it.
  func path(for unit: SourceUnit) -> String {
    switch self {
    case .folder(let folder): folder.path
    case .path(let pattern):
      pattern.replacingOccurrences(of: "{name}", with: FileStem.of(unit.first))
        .replacingOccurrences(of: "{folder}", with: unit.first.deletingLastPathComponent().path)
    }
  }
}

/// What the values of a mask are.
public enum LabelKind: String, Sendable, Codable, CaseIterable {
  /// Classes as they are; 255 where a mask holds nothing but 0 and 255, and colours by the classes' colours.
  case auto
  /// Each value above 0 is an object of its own, as in instance maps.
  case instances
}

/// Masks that come with the images.
public struct LabelOptions: Sendable {
  /// Where the masks are.
  public var rule: LabelRule
  /// What their values are.
  public var kind = LabelKind.auto
  /// The classes, a tree; where empty, every value that occurs is one.
  public var classes: [LabelClass] = []
  /// Whether masks of another grid are brought onto the image's, nearest voxel, by the affines of both.
  public var resample = false
  /// Where the masks of a field of view are, 0 outside: pixels there get ``unknown`` as their label. nil: none.
  public var fieldOfView: LabelRule?
  /// Whether images without a mask are taken, too, with ``unknown`` as the label of all their pixels.
  public var keepsUnlabelled = false

  /// The label of pixels that nothing is known of; no network learns from them.
  public static let unknown = 255

  /// Masks where `rule` says, and the defaults above.
  public init(_ rule: LabelRule) { self.rule = rule }
}

/// Finds masks.
struct LabelFinder {
  private let rule: LabelRule
  /// Of the command, which sets the rule.
  private let option: String
  /// The files of the folder.
  private var names = NameIndex<URL>(words: ["mask", "label", "labels", "seg"])
  /// DICOM segmentation objects by the study that they belong to.
  private var byStudy: [String: [URL]] = [:]

  /// - Throws: ``DatasetError`` if the folder is not there.
  init(_ rule: LabelRule, option: String = "--labels") throws {
    (self.rule, self.option) = (rule, option)
    guard case .folder(let folder) = rule else { return }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue
    else { throw DatasetError(folder, "no such folder of masks; check \(option)") }
    for (file, path) in SourceScan.files(below: folder) {
      guard let kind = FileKind(sniffing: file) else { continue }
      if kind == .dicom, let header = try? ImageReader.probe(file).dicom,
        DICOMSegmentation.isSegmentation(header)
      {
        byStudy[header.studyUID, default: []].append(file)
      }
      names.add(file, path: path)
    }
  }

  /// - Returns: the image's mask.
  /// - Throws: ``DatasetError`` where there is none, or more than one.
  func mask(of unit: SourceUnit) throws -> URL {
    if let found = try maskIfAny(of: unit) { return found }
    switch rule {
    case .path:
      throw DatasetError(unit.first, "has no mask: there is no \(rule.path(for: unit)); check \(option)")
    case .folder(let folder):
      throw DatasetError(
        unit.first,
        "has no mask in \(folder.path): no file there is called \(FileStem.of(unit.first)), with or without "
          + "_mask; check \(option)")
    }
  }

  /// - Returns: the image's mask; nil where there is none.
  /// - Throws: ``DatasetError`` where there is more than one.
  func maskIfAny(of unit: SourceUnit) throws -> URL? {
    switch rule {
    case .path:
      let path = rule.path(for: unit)
      return FileManager.default.fileExists(atPath: path) ? URL(fileURLWithPath: path) : nil
    case .folder:
      let ofStudy = unit.header?.dicom.flatMap { byStudy[$0.studyUID] }
      guard let found = ofStudy ?? names.matches(unit.path)?.values else { return nil }
      guard found.count == 1 else {
        throw DatasetError(
          unit.first,
          "has \(found.count) masks, \(found[0].lastPathComponent) and \(found[1].lastPathComponent) among them; "
            + "give \(option) a path with {name}")
      }
      return found[0]
    }
  }
}

/// A file's name without extensions, `.nii.gz` being one.
enum FileStem {
  static func of(_ file: URL) -> String {
    let name = file.lastPathComponent
    let plain = name.lowercased().hasSuffix(".gz") ? String(name.dropLast(3)) : name
    return URL(fileURLWithPath: plain).deletingPathExtension().lastPathComponent
  }
}
