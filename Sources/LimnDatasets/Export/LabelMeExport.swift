// Exporting LabelMe: PNG, each with the polygons of its labels in a JSON beside it.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/ID.png` and `SPLIT/ID.json` (LabelMe 5).
final class LabelMeExport: FormatWriter {
  private struct Annotation: Encodable {
    let version = "5.5.0"
    let flags: [String: Bool]
    let shapes: [Shape]
    let imagePath: String
    /// Null: the image lies beside the file.
    let imageData: String?
    let imageHeight: Int
    let imageWidth: Int

    enum CodingKeys: String, CodingKey {
      case version, flags, shapes, imagePath, imageData, imageHeight, imageWidth
    }

    /// LabelMe wants the key of the image's data, though it holds nothing.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(version, forKey: .version)
      try container.encode(flags, forKey: .flags)
      try container.encode(shapes, forKey: .shapes)
      try container.encode(imagePath, forKey: .imagePath)
      try container.encodeNil(forKey: .imageData)
      try container.encode(imageHeight, forKey: .imageHeight)
      try container.encode(imageWidth, forKey: .imageWidth)
    }
  }

  private struct Shape: Encodable {
    let label: String
    let points: [[Int]]
    /// Tells which shapes are parts of one object.
    let groupId: Int?
    let description = ""
    let shapeType = "polygon"
    let flags: [String: Bool] = [:]

    enum CodingKeys: String, CodingKey {
      case label, points, groupId = "group_id", description, shapeType = "shape_type", flags
    }
  }

  private let context: ExportContext
  private let encoder: JSONEncoder

  init(_ context: ExportContext) throws {
    self.context = context
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try context.requireLabels(for: "LabelMe")
  }

  func write(_ stack: ExportStack) throws -> [String] {
    try stack.items.flatMap { index in
      let (id, folder) = (context.id(index), stack.split.rawValue)
      let annotation = Annotation(
        flags: ["synthetic": context.manifest.synthetic], shapes: try context.objects(index).flatMap(shapes),
        imagePath: "\(id).png", imageData: nil, imageHeight: context.manifest.height,
        imageWidth: context.manifest.width)
      return [
        try context.write(context.png("images", index), to: "\(folder)/\(id).png"),
        try context.write(encoder.encode(annotation), to: "\(folder)/\(id).json"),
      ]
    }
  }

  private func shapes(of object: LabelObject) -> [Shape] {
    object.regions.map { region in
      Shape(
        label: context.className(object.label), points: region.outline.joined.map { [$0.x, $0.y] },
        groupId: object.instance)
    }
  }
}
