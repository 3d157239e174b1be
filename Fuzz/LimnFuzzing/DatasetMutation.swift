// Damage to dataset.json that its own hash does not give away, and layers that fit what it says.

import Foundation
import LimnDatasets
import LimnTorch

enum DatasetMutation {
  static func apply(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    if random.chance(2) { TextMutation.json(&bytes, &random) } else { resize(&bytes, &random) }
    if random.chance(4) { return }
    guard var object = parsed(bytes) else { return }
    repair(&object)
    bytes = encoded(object) ?? bytes
  }

  /// Extents, counts and depths that agree with each other but not with any image.
  private static func resize(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
    guard var object = parsed(bytes) else { return }
    let sizes = [0, 1, 2, 3, 8, -1, 1 << 20]
    let (count, channels) = (random.pick([0, 1, 2, 3]), random.pick(sizes))
    let (height, width) = (random.pick(sizes), random.pick(sizes))
    let depth = random.pick([8, 16])
    object.merge(["count": count, "channels": channels, "height": height, "width": width, "bitDepth": depth])
    { $1 }
    let items = object["items"] as? [[String: Any]] ?? []
    object["items"] = Array((items + items).prefix(count))
    let layers = (object["layers"] as? [[String: Any]] ?? []).map { layer in
      let shape =
        layer["name"] as? String == "images" ? [count, channels, height, width] : [count, height, width]
      return layer.merging(["shape": shape, "type": depth == 8 ? "uint8" : "uint16"]) { $1 }
    }
    object["layers"] = layers
    bytes = encoded(object) ?? bytes
  }

  private static func parsed(_ bytes: [UInt8]) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
  }

  private static func encoded(_ object: [String: Any]) -> [UInt8]? {
    (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])).map { [UInt8]($0) }
  }

  /// Makes hashes and counts right, as a forger would.
  private static func repair(_ object: inout [String: Any]) {
    let layers = (object["layers"] as? [[String: Any]] ?? []).map { layer in
      guard let size = LayerForgery(layer)?.byteCount else { return layer }
      var hash = SHA256()
      hash.update([UInt8](repeating: 0, count: size))
      return layer.merging(["sha256": hash.hexDigest]) { $1 }
    }
    object["layers"] = layers
    let lines = layers.map { layer in
      let shape = (layer["shape"] as? [Int] ?? []).map(String.init).joined(separator: "x")
      let texts = ["name", "type", "sha256"].map { layer[$0] as? String ?? "" }
      return (texts[0], "\(texts[0]) \(texts[1]) \(shape) \(texts[2])\n")
    }
    let text = lines.sorted { $0.0 < $1.0 }.map(\.1).joined()
    object["contentHash"] = SHA256.hexDigest(of: text)
    let items = object["items"] as? [[String: Any]] ?? []
    object["splits"] = Dictionary(grouping: items) { $0["split"] as? String ?? "train" }.mapValues { items in
      ["patients": Set(items.map { $0["patient"] as? String ?? "" }).count, "items": items.count]
    }
  }
}

/// A file of zeros for a layer that a manifest describes.
struct LayerForgery {
  let name: String
  private let shape: [Int]
  private let type: String

  /// nil where the description is of none that could lie on a disk.
  init?(_ layer: [String: Any]) {
    guard let name = layer["name"] as? String, let shape = layer["shape"] as? [Int], shape.count < 9,
      let type = layer["type"] as? String, ["uint8", "uint16"].contains(type), !name.contains("/"),
      name.count < 40
    else { return nil }
    (self.name, self.shape, self.type) = (name, shape, type)
    guard byteCount != nil else { return nil }
  }

  /// At most a megabyte.
  var byteCount: Int? {
    let count = shape.reduce(type == "uint8" ? 1 : 2) { count, extent in
      extent < 0 || count < 0 ? -1 : extent > 1 << 20 ? -1 : count * extent > 1 << 20 ? -1 : count * extent
    }
    return count < 0 ? nil : count
  }

  /// The layers of a manifest's text.
  static func layers(of manifest: [UInt8]) -> [LayerForgery] {
    let object = try? JSONSerialization.jsonObject(with: Data(manifest)) as? [String: Any]
    return (object?["layers"] as? [[String: Any]] ?? []).compactMap(LayerForgery.init)
  }

  /// The file as safetensors.
  var file: [UInt8] {
    let entry: [String: Any] = [
      "dtype": type == "uint8" ? "U8" : "U16", "shape": shape, "data_offsets": [0, byteCount ?? 0],
    ]
    let json = (try? JSONSerialization.data(withJSONObject: [name: entry])) ?? Data()
    var bytes = [UInt8](repeating: 0, count: 8) + json
    bytes.set(json.count, at: 0, size: 8)
    return bytes + [UInt8](repeating: 0, count: byteCount ?? 0)
  }
}
