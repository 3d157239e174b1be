// The short training of a small segmenter, and its Dice on held-out patients.

import LimnMetrics
import LimnTorch

/// Trains and measures segmenters on one budget.
struct SegmenterTrainer {
  let classCount: Int
  let options: Usefulness.Options

  /// A network trained for the budget's steps on batches shared evenly by the sets.
  /// - Throws: `MetricError` where the loss is lost.
  func trained(on sets: [LabelledBatch], seed: UInt64) throws -> UNet {
    let network = Initialization.with(Generator(seed: seed)) {
      UNet(configuration(channels: sets[0].images.size(1)))
    }
    network.move(to: options.device)
    let optimizer = Adam(network.namedParameters, learningRate: 1e-3)
    var orders = sets.indices.map { Drawing(count: sets[$0].count, seed: Seed.derive(seed, UInt64($0 + 1))) }
    for step in 0..<options.steps {
      let batch = self.batch(sets, &orders)
      let loss = crossEntropy(network(batch.images), batch.labels)
      optimizer.zeroGradients()
      loss.backward()
      optimizer.step()
      guard step % 50 != 0 || loss.item().isFinite else {
        throw MetricError("downstream: the segmenter's loss became infinite at step \(step)")
      }
    }
    network.evaluate()
    return network
  }

  private func configuration(channels: Int) -> UNetConfiguration {
    var configuration = UNetConfiguration(inputChannels: channels, classCount: classCount)
    (configuration.width, configuration.levels, configuration.dropoutLevels) = (16, 4, 0)
    (configuration.padding, configuration.normalization) = (.same, .instance)
    return configuration
  }

  private func batch(_ sets: [LabelledBatch], _ orders: inout [Drawing]) -> LabelledBatch {
    let parts = sets.indices.map { index in
      let share = options.batchSize / sets.count + (index < options.batchSize % sets.count ? 1 : 0)
      return sets[index].rows((0..<share).map { _ in orders[index].next() }, on: options.device)
    }
    return LabelledBatch(images: .cat(parts.map(\.images)), labels: .cat(parts.map(\.labels)))
  }

  /// Dice of every class on held-out patients, see ``patientDice(marked:found:patients:classCount:)``.
  func dice(of network: UNet, on set: LabelledBatch, patients: [String]) throws -> [Double?] {
    let found = withoutGradients {
      Tensor.cat(
        stride(from: 0, to: set.count, by: 32).map { start in
          let range = start..<Swift.min(start + 32, set.count)
          return network(set.images[range].to(options.device)).argmax(dim: 1).to(.cpu)
        })
    }
    return try patientDice(marked: set.labels, found: found, patients: patients, classCount: classCount)
  }
}

/// Dice of every class but background, over all images of a patient.
/// - Parameters:
///   - marked: the truth, class numbers [N, H, W].
///   - found: a segmenter's answer, class numbers [N, H, W].
///   - patients: of every image.
///   - classCount: background included.
/// - Returns: for each class the mean over the patients in whom it is marked or found; nil where there is none.
/// - Throws: `MetricError` where a number is no class.
func patientDice(marked: Tensor, found: Tensor, patients: [String], classCount: Int) throws -> [Double?] {
  let counts = try Dictionary(grouping: patients.indices) { patients[$0] }.sorted { $0.key < $1.key }
    .map { _, images in
      try ConfusionMatrix(
        truth: marked.indexSelect(dim: 0, Tensor(images)),
        prediction: found.indexSelect(dim: 0, Tensor(images)), classCount: classCount)
    }
  return (1..<classCount).map { label in
    let scores = counts.map { $0.counts(of: label).dice() }.filter { !$0.isNaN }
    return scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
  }
}

/// Positions drawn without end, each once in every round.
private struct Drawing {
  private let count: Int
  private let generator: Generator
  private var rest: [Int] = []

  init(count: Int, seed: UInt64) { (self.count, generator) = (count, Generator(seed: seed)) }

  mutating func next() -> Int {
    if rest.isEmpty { rest = Tensor.randperm(count, generator: generator).array(of: Int.self) }
    return rest.removeLast()
  }
}
