// Exporting COCO: PNG, and a JSON of objects with polygons or run lengths for each split.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/ID.png` and `annotations/instances_SPLIT.json` (cocodataset.org/#format-data).
final class COCOExport: FormatWriter {
  private let context: ExportContext
  private var files: [Split: COCOFile] = [:]
  private var values = Set<Int>()

  init(_ context: ExportContext) throws {
    self.context = context
    try context.requireLabels(for: "COCO")
  }

  func write(_ stack: ExportStack) throws -> [String] {
    let file = try files[stack.split] ?? COCOFile(context, stack.split)
    files[stack.split] = file
    let images = try stack.items.map { index in
      let objects = try context.objects(index)
      values.formUnion(objects.map(\.label))
      try file.append(index, objects)
      return try context.write(
        context.png("images", index), to: "\(stack.split.rawValue)/\(context.id(index)).png")
    }
    return images + [file.path]
  }

  /// All splits list the same categories: those described, and those that occur.
  func finish() throws {
    let described = context.classes
    let others = values.subtracting(described.map(\.value)).sorted()
    let categories =
      described.map { COCOFile.Category(id: $0.value, name: $0.name, supercategory: $0.parent ?? $0.name) }
      + others.map {
        COCOFile.Category(id: $0, name: context.className($0), supercategory: context.className($0))
      }
    for file in files.values { try file.finish(categories) }
  }
}

/// One JSON; annotations stream to the disk, the short lists follow at the end.
private final class COCOFile {
  struct Category: Encodable {
    let id: Int
    let name: String
    let supercategory: String
  }

  private struct Image: Encodable {
    let id: Int
    let fileName: String
    let width: Int
    let height: Int
  }

  private struct Annotation: Encodable {
    let id: Int
    let imageId: Int
    let categoryId: Int
    let segmentation: Segmentation
    let area: Int
    let bbox: [Int]
    let iscrowd = 0
    enum CodingKeys: String, CodingKey {
      case id, imageId, categoryId, segmentation, area, bbox, iscrowd
    }
  }

  /// Polygons where no part has a hole, which they cannot show; run lengths otherwise.
  private enum Segmentation: Encodable {
    case polygons([[Int]])
    case runs(size: [Int], counts: [Int])
    private struct Runs: Encodable { let size, counts: [Int] }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .polygons(let polygons): try polygons.encode(to: encoder)
      case .runs(let size, let counts): try Runs(size: size, counts: counts).encode(to: encoder)
      }
    }
  }

  private struct Info: Encodable {
    let description: String
    let contributor = "limn \(LimnVersion.current)"
    let synthetic: Bool
    enum CodingKeys: String, CodingKey { case description, contributor, synthetic }
  }

  /// Below the export's folder.
  let path: String
  private let context: ExportContext
  private let file: FileHandle
  private let encoder = JSONEncoder()
  private var images: [Image] = []
  private var annotations = 0

  init(_ context: ExportContext, _ split: Split) throws {
    self.context = context
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    path = try context.write(
      Data("{\"annotations\": [".utf8), to: "annotations/instances_\(split.rawValue).json")
    file = try FileHandle(forWritingTo: context.folder.appendingPathComponent(path))
    try file.seekToEnd()
  }

  func append(_ index: Int, _ objects: [LabelObject]) throws {
    let manifest = context.manifest
    images.append(
      Image(
        id: index + 1, fileName: "\(context.id(index)).png", width: manifest.width, height: manifest.height))
    for object in objects {
      annotations += 1
      let annotation = Annotation(
        id: annotations, imageId: index + 1, categoryId: object.label, segmentation: segmentation(object),
        area: object.area, bbox: object.box)
      try file.write(contentsOf: Data((annotations > 1 ? ",\n" : "\n").utf8) + encoder.encode(annotation))
    }
  }

  private func segmentation(_ object: LabelObject) -> Segmentation {
    let (height, width) = (context.manifest.height, context.manifest.width)
    let outlines = object.regions.map(\.outline)
    guard outlines.allSatisfy(\.holes.isEmpty) else {
      return .runs(
        size: [height, width], counts: object.runLengths(height: height, width: width))
    }
    return .polygons(outlines.map { $0.outer.flatMap { [$0.x, $0.y] } })
  }

  func finish(_ categories: [Category]) throws {
    let info = Info(description: context.statement, synthetic: context.manifest.synthetic)
    var tail = Data("\n],\n\"categories\": ".utf8)
    tail += try encoder.encode(categories) + Data(",\n\"images\": ".utf8) + encoder.encode(images)
    tail += try Data(",\n\"info\": ".utf8) + encoder.encode(info) + Data(",\n\"licenses\": []}\n".utf8)
    try file.write(contentsOf: tail)
    try file.close()
  }
}
