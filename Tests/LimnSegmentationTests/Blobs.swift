// A set that small networks learn in seconds: bright squares on noise, 255 where nothing counts.

import LimnTorch
import LimnTraining

@testable import LimnSegmentation

enum Blobs {
  static let side = 40

  static let setting = MethodSetting(
    shape: ImageShape(channels: 1, height: side, width: side), totalImages: 1000,
    labels: LabelSetting(values: [0, 7], names: ["background", "square"]))

  /// Images and their labels as they are stored, 0, 7 and a row of 255.
  static func batch(_ count: Int, seed: UInt64) -> TrainingBatch {
    let generator = Generator(seed: seed)
    let images = Tensor.rand([count, 1, side, side], generator: generator) - 1
    let labels = Tensor.zeros([count, side, side], dtype: .int64)
    for item in 0..<count {
      let place = Tensor.randint(4, side - 20, [2], generator: generator).array(of: Int64.self).map(Int.init)
      let (rows, columns) = (place[0]..<place[0] + 16, place[1]..<place[1] + 16)
      images[item, 0, rows, columns] = images[item, 0, rows, columns] + 0.8
      labels[item, rows, columns] = Tensor(Int64(7))
    }
    labels[.all, 0..<1] = Tensor(Int64(255))
    return TrainingBatch(images: images, layers: ["labels": labels])
  }

  /// The batch of a step as the loop would deliver it.
  static func context(_ step: Int, _ method: some Method) -> StepContext {
    let count = method.batchSize(imagesSeen: 0)
    let batch = batch(count, seed: UInt64(step))
    let derived = (0..<count).map { item in
      method.trainingLayers.derived?(batch.layers.mapValues { $0[item] }) ?? [:]
    }
    var layers = batch.layers
    for name in derived.first.map({ Array($0.keys) }) ?? [] {
      layers[name] = .stack(derived.compactMap { $0[name] })
    }
    return StepContext(
      step: step, imagesSeen: step * count, images: batch.images, precision: .float32, seed: 5, layers: layers
    )
  }
}
