// `dataset.json`: what a dataset is, in a form that a person and any program can read.

import Foundation
import LimnImaging
import LimnTorch

/// What items are set apart for. All items of one patient are in the same split.
public enum Split: String, Sendable, Codable, CaseIterable {
  case train, validation, test
}

/// A class of a label map. Classes form a tree: an organ holds its parts.
public struct LabelClass: Sendable, Codable, Equatable {
  /// What the label stands for, such as an organ.
  public var name: String
  /// The value in the `labels` layer; nil for a group whose parts alone are drawn.
  public var value: Int?
  /// The classes within this one; nil where it is not divided.
  public var parts: [LabelClass]?
  /// How it is drawn, `#rrggbb`; nil where any colour will do.
  public var colour: String?
  /// The values of imported masks that are this class, such as the structures that make up a tissue; nil where they
  /// have the class's own value.
  public var gathered: [Int]?

  /// A class that has a value of its own, parts, or both.
  public init(
    name: String, value: Int? = nil, parts: [LabelClass]? = nil, colour: String? = nil, gathered: [Int]? = nil
  ) {
    self.name = name
    self.value = value
    self.parts = parts
    self.colour = colour
    self.gathered = gathered
  }
}

extension [LabelClass] {
  /// All classes of the tree, each before its parts, with the name of the class that holds it.
  public var flattened: [(label: LabelClass, parent: String?)] { flattened(in: nil) }

  private func flattened(in parent: String?) -> [(label: LabelClass, parent: String?)] {
    flatMap { label in [(label, parent)] + (label.parts ?? []).flattened(in: label.name) }
  }
}

/// How intensities became pixels.
public struct IntensityRecord: Sendable, Codable, Equatable {
  /// The window as `limn import --window` takes it, such as `percentiles:0.5,99.5`.
  public var window: String
  /// What the source's numbers mean, such as `HU`; nil where no scale is agreed.
  public var unit: String?

  /// A record of the window, and of the unit where a scale is agreed.
  public init(window: String, unit: String? = nil) {
    self.window = window
    self.unit = unit
  }
}

extension IntensityRecord {
  /// What pixels of so many bits stand for; nil unless all of them went through one window of Hounsfield units.
  public func scale(bitDepth: Int) -> ValueScale? {
    let parsed = IntensityWindow(option: window)
    guard unit == IntensityUnit.hounsfield.rawValue, let limits = parsed?.fixedLimits else { return nil }
    let levels = Double(1 << bitDepth) - 1
    return ValueScale(
      slope: (limits.high - limits.low) / levels, intercept: limits.low, unit: .hounsfield)
  }
}

/// Where a dataset came from.
public struct Provenance: Sendable, Codable, Equatable {
  /// Files, or DICOM series, that were read.
  public var sources: Int
  /// The program and its version.
  public var tool: String
  /// The options given, without paths, which may name people.
  public var options: [String]
  /// ISO 8601, UTC.
  public var date: String

  /// A record as of `date`, which is now by default and kept to the second.
  public init(sources: Int, tool: String, options: [String] = [], date: Date = Date()) {
    self.sources = sources
    self.tool = tool
    self.options = options
    self.date = date.formatted(.iso8601)
  }
}

/// A file of pixels beside the manifest, `NAME.safetensors`, with one tensor of the same name.
public struct LayerRecord: Sendable, Codable, Equatable {
  /// The key for ``Dataset/layer(_:)``: `images`, `labels`, `sketches`, ….
  public var name: String
  /// `uint8` or `uint16`.
  public var type: String
  /// [N, C, H, W], or [N, H, W] for label maps.
  public var shape: [Int]
  /// SHA-256 of the tensor's bytes (little-endian, last axis fastest).
  public var sha256: String
  /// How the sources' intensities became the pixels of a layer that has images of its own, such as `targets`; nil
  /// for others.
  public var intensity: IntensityRecord?
  /// The modality of such images; nil where not known.
  public var modality: String?

  /// A record of a layer as it lies on the disk; that the two agree is checked on opening the dataset.
  public init(
    name: String, type: String, shape: [Int], sha256: String, intensity: IntensityRecord? = nil,
    modality: String? = nil
  ) {
    (self.name, self.type, self.shape, self.sha256) = (name, type, shape, sha256)
    (self.intensity, self.modality) = (intensity, modality)
  }
}

/// One image of a dataset.
public struct DatasetItem: Sendable, Codable, Equatable {
  /// Tells the item from the dataset's others, such as `000042` or `synthetic-000042`.
  public var id: String
  /// A pseudonym; never the name or number that the source gave.
  public var patient: String
  /// The file's name, or a pseudonym of the DICOM series.
  public var source: String
  /// The position along the slice axis, from 0; nil for pictures.
  public var slice: Int?
  /// What the item is set apart for.
  public var split: Split
  /// The seed that draws a synthetic image again; nil for real ones.
  public var seed: UInt64?
  /// Distance between pixel centres in millimetres, [row, column]; nil where not known or where the whole
  /// dataset shares ``DatasetManifest/spacing``.
  public var spacing: [Double]?
  /// Where the image lies in the patient: pixel (column, row, 0) to millimetres, RAS+ (as NIfTI), three rows
  /// of four; nil where the source does not say.
  public var affine: [Double]?
  /// The day of the study, ISO 8601, moved back by a number of days that is the same for all of a patient's;
  /// nil where not known.
  public var date: String?

  /// An item for training unless said otherwise; a writer that is given ``Splits`` assigns it anew.
  public init(
    id: String, patient: String, source: String, slice: Int? = nil, split: Split = .train,
    seed: UInt64? = nil, spacing: [Double]? = nil, affine: [Double]? = nil, date: String? = nil
  ) {
    self.id = id
    self.patient = patient
    self.source = source
    self.slice = slice
    self.split = split
    self.seed = seed
    self.spacing = spacing
    self.affine = affine
    self.date = date
  }
}

/// How much a split holds.
public struct SplitRecord: Sendable, Codable, Equatable {
  /// Different pseudonyms.
  public var patients: Int
  /// Images of all these patients.
  public var items: Int
}

/// The description of a dataset, the contents of `dataset.json`.
public struct DatasetManifest: Sendable, Codable, Equatable {
  /// The version that this library writes.
  public static let currentVersion = 1
  static let fileName = "dataset.json"

  /// The version of the folder's format; a dataset of any other is refused on opening.
  public var formatVersion = DatasetManifest.currentVersion
  /// What the dataset is called; need not be its folder's name.
  public var name: String
  /// CT, MR, CR, … as DICOM abbreviates it; nil where not known.
  public var modality: String?
  /// Items in every layer.
  public var count: Int
  /// 1 (grey) or 3 (RGB), as a rule.
  public var channels: Int
  /// Pixels.
  public var height: Int
  /// Pixels.
  public var width: Int
  /// 8 or 16.
  public var bitDepth: Int
  /// How the sources' intensities became pixels; nil where that is not recorded.
  public var intensity: IntensityRecord?
  /// Distance between pixel centres in millimetres, [row, column], where all items share it.
  public var spacing: [Double]?
  /// The classes of the `labels` layer, the tree's roots; empty where none are described.
  public var classes: [LabelClass]
  /// What the images were made from, by which program, and when.
  public var provenance: Provenance
  /// Whether a model drew the images.
  public var synthetic: Bool
  /// SHA-256 over the layers' names, types, shapes and hashes: equal for datasets of equal pixels.
  public var contentHash: String
  /// The files of pixels: `images` and its companions.
  public var layers: [LayerRecord]
  /// What each split holds, by `train`, `validation` and `test`; empty splits are left out.
  public var splits: [String: SplitRecord]
  /// In the order of the layers' first axis.
  public var items: [DatasetItem]

  /// The hash that ``contentHash`` must be.
  static func contentHash(of layers: [LayerRecord]) -> String {
    let lines = layers.sorted { $0.name < $1.name }.map { layer in
      "\(layer.name) \(layer.type) \(layer.shape.map(String.init).joined(separator: "x")) \(layer.sha256)\n"
    }
    return SHA256.hexDigest(of: lines.joined())
  }

  /// Patients and items in each split that is not empty.
  static func splits(of items: [DatasetItem]) -> [String: SplitRecord] {
    Dictionary(grouping: items, by: \.split.rawValue).mapValues { items in
      SplitRecord(patients: Set(items.map(\.patient)).count, items: items.count)
    }
  }
}

extension DatasetManifest {
  /// Readable JSON: keys sorted, then the items, one to a line.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var head = self
    head.items = []
    var object = try JSONSerialization.jsonObject(with: encoder.encode(head)) as? [String: Any] ?? [:]
    object["items"] = nil
    var text = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    text.removeLast("\n}".utf8.count)
    for (index, item) in items.enumerated() {
      text.append(contentsOf: (index == 0 ? ",\n  \"items\" : [\n    " : ",\n    ").utf8)
      text.append(try encoder.encode(item))
    }
    text.append(contentsOf: (items.isEmpty ? ",\n  \"items\" : []\n}\n" : "\n  ]\n}\n").utf8)
    return text
  }

  /// Reads the manifest of the dataset in `folder`.
  /// - Throws: ``DatasetError`` if the folder is not a dataset, or one of a later format.
  static func read(from folder: URL) throws -> DatasetManifest {
    let url = folder.appendingPathComponent(fileName)
    guard let data = try? Data(contentsOf: url) else {
      throw DatasetError(folder, "not a dataset (no readable \(fileName)); 'limn import' makes one")
    }
    struct Version: Decodable { let formatVersion: Int }
    let version = try decoding(url) { try JSONDecoder().decode(Version.self, from: data).formatVersion }
    guard version == currentVersion else {
      throw DatasetError(
        url,
        "format version \(version), this Limn reads version \(currentVersion); import again or update Limn")
    }
    return try decoding(url) { try JSONDecoder().decode(DatasetManifest.self, from: data) }
  }

  private static func decoding<R>(_ url: URL, _ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as DecodingError {
      throw DatasetError(url, "not a dataset's description: \(Self.text(error))")
    }
  }

  private static func text(_ error: DecodingError) -> String {
    func path(_ context: DecodingError.Context) -> String {
      let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      return keys.isEmpty ? "the top level" : keys.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(path(context)) lacks '\(key.stringValue)'"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(path(context)) should be \(type)"
    case .dataCorrupted(let context): return "\(path(context)) is no valid value or no valid JSON"
    @unknown default: return "it cannot be decoded"
    }
  }
}
