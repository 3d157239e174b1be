// Images with label maps, brought to one size and to class numbers for a segmenter.

import LimnMetrics
import LimnTorch
import LimnTraining

/// Images whose every pixel has a label.
public protocol LabelledSource: ImageSource {
  /// The label maps at positions in `0 ..< count`, in that order: uint8 or int64 [N, H, W].
  func labels(at indices: [Int]) throws -> Tensor
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
  init(_ source: any LabelledSource, classes: LabelSetting, side: Int) throws {
    var (images, labels): ([Tensor], [Tensor]) = ([], [])
    let positions = Array(0..<source.count)
    try source.forEachBatch(of: 64, at: positions) { start, batch in
      let small = interpolate(
        batch.to(.float32), size: [side, side], mode: .bilinear, antialias: true)
      images.append(small / 127.5 - 1)
      let maps = try source.labels(at: Array(positions[start..<start + batch.size(0)]))
      let sampled = interpolate(maps.to(.float32).unsqueezed(1), size: [side, side], mode: .nearest)
      labels.append(classes.classNumbers(of: sampled.squeezed(1).to(.int64)))
    }
    self.init(images: .cat(images), labels: .cat(labels))
  }

  func rows(_ indices: [Int], on device: Device) -> LabelledBatch {
    let places = Tensor(indices)
    return LabelledBatch(
      images: images.indexSelect(dim: 0, places).to(device),
      labels: labels.indexSelect(dim: 0, places).to(device))
  }
}
