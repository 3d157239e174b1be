// Images with label maps, brought to one size and to class numbers for a segmenter.

import LimnMetrics
import LimnTorch

/// Images whose every pixel has a label.
public protocol LabelledSource: ImageSource {
  /// The label maps at positions in `0 ..< count`, in that order: uint8 or int64 [N, H, W].
  func labels(at indices: [Int]) throws -> Tensor
}

/// A class that a segmenter learns; pixels of no class are background.
public struct SegmentationClass: Codable, Sendable, Equatable {
  /// Such as an organ.
  public let name: String
  /// The value in label maps, above 0.
  public let value: Int

  /// A class under a name.
  public init(name: String, value: Int) { (self.name, self.value) = (name, value) }
}

/// Everything a segmenter sees of a set, in memory.
struct LabelledBatch {
  /// float32 [N, C, S, S] in [−1, 1].
  let images: Tensor
  /// int64 [N, S, S]: 0 for background, i for the i-th class, from 1.
  let labels: Tensor

  var count: Int { images.size(0) }

  init(images: Tensor, labels: Tensor) { (self.images, self.labels) = (images, labels) }

  /// The whole of a set, images averaged and labels sampled at S×S pixels.
  init(_ source: any LabelledSource, classes: [SegmentationClass], side: Int) throws {
    var (images, labels): ([Tensor], [Tensor]) = ([], [])
    let positions = Array(0..<source.count)
    try source.forEachBatch(of: 64, at: positions) { start, batch in
      let small = interpolate(
        batch.to(.float32), size: [side, side], mode: .bilinear, antialias: true)
      images.append(small / 127.5 - 1)
      let maps = try source.labels(at: Array(positions[start..<start + batch.size(0)]))
      labels.append(Self.numbered(maps, classes, side: side))
    }
    self.init(images: .cat(images), labels: .cat(labels))
  }

  private static func numbered(_ maps: Tensor, _ classes: [SegmentationClass], side: Int) -> Tensor {
    let small = interpolate(maps.to(.float32).unsqueezed(1), size: [side, side], mode: .nearest).squeezed(1)
    var numbers = small.zerosLike()
    for (index, label) in classes.enumerated() {
      numbers = numbers.filled(where: small.isEqual(to: Double(label.value)), with: Double(index + 1))
    }
    return numbers.to(.int64)
  }

  func rows(_ indices: [Int], on device: Device) -> LabelledBatch {
    let places = Tensor(indices)
    return LabelledBatch(
      images: images.indexSelect(dim: 0, places).to(device),
      labels: labels.indexSelect(dim: 0, places).to(device))
  }
}
