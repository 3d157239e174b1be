// The names that weights have in the files of pytorch-CycleGAN-and-pix2pix and Reg-GAN.

import LimnTorch

/// A table from published names to own ones.
enum PublishedNames {
  /// - Parameters:
  ///   - published: tensors by published names.
  ///   - table: beginnings of names, published and own, each up to a point or the end of the name.
  ///   - dropped: last parts of names that count for nothing here.
  /// - Returns: the tensors by own names; those of other names as they are.
  static func renamed(
    _ published: [String: Tensor], _ table: [(published: String, own: String)],
    dropping dropped: Set<String> = []
  ) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (key, tensor) in published where !dropped.contains(String(key.split(separator: ".").last ?? "")) {
      let entry = table.first { key == $0.published || key.hasPrefix($0.published + ".") }
      result[entry.map { $0.own + key.dropFirst($0.published.count) } ?? key] = tensor
    }
    return result
  }

  /// Statistics that batch normalisation keeps for a use that these networks do not make of it.
  static let runningStatistics: Set<String> = ["running_mean", "running_var", "num_batches_tracked"]
}

extension ResidualGenerator {
  /// `model.1` … of pytorch-CycleGAN-and-pix2pix.
  static func publishedNames(blocks: Int) -> [(published: String, own: String)] {
    let head = [1, 4, 7].map { ("model.\($0)", "model_head.\($0)") }
    let body = (0..<blocks).map { ("model.\(10 + $0)", "model_body.\($0)") }
    let tail = [0, 3, 7].map { ("model.\(10 + blocks + $0)", "model_tail.\($0)") }
    return head + body + tail
  }
}

extension RegistrationNetwork {
  /// `offset_map…` of Reg-GAN.
  static func publishedNames(levels: Int) -> [(published: String, own: String)] {
    let down = (0..<levels).flatMap { level in
      let published = "offset_map.down_\(level + 1).conv_0"
      return [
        ("\(published).conv2d", "down.\(level).convolution"),
        ("\(published).resnet_block.model.0", "down.\(level).block"),
      ]
    }
    let squeeze =
      [("offset_map.c1.conv2d", "squeeze.0"), ("offset_map.c2.conv2d", "squeeze.5")]
      + (0..<3).map { ("offset_map.t.model.\($0)", "squeeze.\(2 + $0)") }
    let up = (0..<levels).map { ("offset_map.up_\(levels - $0).conv2d", "up.\($0)") }
    return down + squeeze + up + [
      ("offset_map.refine.0.model.0", "refine.0"), ("offset_map.refine.1.conv2d", "refine.1"),
      ("offset_map.output.conv2d", "output"),
    ]
  }
}

extension UNetGenerator {
  /// Blocks within blocks, from the outermost on, of pytorch-CycleGAN-and-pix2pix.
  static func publishedNames(levels: Int) -> [(published: String, own: String)] {
    var names: [(published: String, own: String)] = []
    var block = "model.model"
    for level in 0..<levels {
      let (isFirst, isLast) = (level == 0, level == levels - 1)
      let (down, up) = (isFirst ? 0 : 1, isFirst || isLast ? 3 : 5)
      names += [("\(block).\(down)", "down.\(level).conv"), ("\(block).\(up)", "up.\(level).conv")]
      if !isFirst { names.append(("\(block).\(up + 1)", "up.\(level).norm")) }
      if !isFirst, !isLast { names.append(("\(block).2", "down.\(level).norm")) }
      block += isFirst ? ".1.model" : ".3.model"
    }
    return names
  }
}

extension PatchGANDiscriminator {
  /// `model.0` … of pytorch-CycleGAN-and-pix2pix.
  static let publishedNames: [(published: String, own: String)] = [
    ("model.0", "layers.0.conv"), ("model.2", "layers.1.conv"), ("model.3", "layers.1.norm"),
    ("model.5", "layers.2.conv"), ("model.6", "layers.2.norm"), ("model.8", "layers.3.conv"),
    ("model.9", "layers.3.norm"), ("model.11", "layers.4.conv"),
  ]
}
