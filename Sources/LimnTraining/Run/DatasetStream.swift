// A dataset as a run sees it: an endless stream of its training images, and some that are held out.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch

/// Batches of a dataset's training images.
struct DatasetStream: TrainingData {
  /// One for each group of items that the method draws from.
  private let loaders: [BatchLoader]
  /// Of the second dataset, in an order of its own.
  private let targets: BatchLoader?
  private let validation: BatchLoader?

  /// - Parameters:
  ///   - dataset: whose training split is shown.
  ///   - target: whose images are the layer `targets` of each batch, independent of the dataset's; nil: it is the
  ///     dataset's own layer.
  ///   - layers: what the method learns from besides images.
  ///   - options: of the run.
  ///   - device: where the batches go.
  /// - Throws: ``RunError`` or `DatasetError` that names what is missing.
  init(
    _ dataset: Dataset, target: Dataset? = nil, layers: TrainingLayers = TrainingLayers(),
    options: TrainingOptions, device: Device
  ) throws {
    let split = try options.fold?.split(dataset)
    let train = split?.training ?? dataset.indices(of: .train)
    guard !train.isEmpty else {
      throw RunError(
        "\(dataset.url.path): no image in the split 'train'; import it with a larger training share")
    }
    let augmentation = try Self.augmentation(options, layers.window, dataset)
    let seed = Seed.derive(options.seed, 0xDA7A)
    // On the CPU a second team of threads would only fight for the cores.
    let prefetch = device != .cpu
    targets = try target.map {
      try BatchLoader(
        $0, indices: Self.trainingTargets(of: $0, besides: dataset, options), batchSize: 1,
        seed: Seed.derive(options.seed, 0xDA7B), augmentation: augmentation, device: device,
        prefetch: prefetch)
    }
    var layers = layers
    if target != nil { layers.stored.removeAll { $0 == Self.targetLayer } }
    let shuffle = options.shufflesTargets == true ? try TargetShuffle(dataset, train, options.seed) : nil
    loaders = try Self.groups(layers, dataset, train).enumerated().map { number, items in
      try BatchLoader(
        dataset, indices: items, companions: layers.stored, derived: Self.derived(layers, dataset, items),
        others: shuffle.map { [Self.targetLayer: $0.partner] } ?? [:], batchSize: 1,
        seed: number == 0 ? seed : Seed.derive(seed, UInt64(number)),
        augmentation: augmentation,
        device: device, prefetch: prefetch)
    }
    validation = try Self.validation(
      of: dataset, split?.heldOut ?? dataset.indices(of: .validation), layers.stored, device)
  }

  func batch(at position: Int, count: Int) -> TrainingBatch {
    precondition(count.isMultiple(of: loaders.count), "a batch holds as many items of every group")
    let parts = loaders.map { $0.batch(from: position / loaders.count, count: count / loaders.count) }
    var batch = Self.joined(parts)
    if let targets { batch.layers[Self.targetLayer] = targets.batch(from: position, count: count).images }
    return batch
  }

  private static func joined(_ parts: [Batch]) -> TrainingBatch {
    guard parts.count > 1 else { return TrainingBatch(images: parts[0].images, layers: parts[0].companions) }
    let layers = parts[0].companions.keys.map { name in
      (name, Tensor.cat(parts.compactMap { $0.companions[name] }))
    }
    return TrainingBatch(images: .cat(parts.map(\.images)), layers: Dictionary(uniqueKeysWithValues: layers))
  }

  static let targetLayer = "targets"

  /// The training images of the second dataset, but for the patients that are held out of the first one.
  static func trainingTargets(
    of target: Dataset, besides dataset: Dataset, _ options: TrainingOptions
  ) throws -> [Int] {
    let training = try options.fold?.split(dataset).training ?? dataset.indices(of: .train)
    let known = Set(training.map { dataset.manifest.items[$0].patient })
    let heldOut = Set(dataset.manifest.items.map(\.patient)).subtracting(known)
    let items = target.indices(of: .train).filter { !heldOut.contains(target.manifest.items[$0].patient) }
    guard !items.isEmpty else {
      throw RunError(
        "\(target.url.path): no image in the split 'train' of a patient who is not held out of \(dataset.url.path); "
          + "import it with a larger training share")
    }
    return items
  }

  /// What the run asks for, and last the window that the method learns from.
  private static func augmentation(
    _ options: TrainingOptions, _ window: TrainingWindow?, _ dataset: Dataset
  ) throws -> AugmentationPipeline? {
    let (height, width) = (dataset.size[0], dataset.size[1])
    let asked = try options.augmentation
      .flatMap { $0 == TrainingOptions.noAugmentation ? nil : $0 }
      .map(AugmentationPipeline.init(parsing:))
    let size = asked?.resultSize(height: height, width: width) ?? dataset.size
    guard size == dataset.size else {
      throw RunError(
        "--augment '\(options.augmentation ?? "")' gives images of \(size[0])×\(size[1]) pixels, expected "
          + "\(height)×\(width) as the dataset has; leave crop and pad out, or end with centre-crop")
    }
    guard let window else { return asked }
    let steps = window.steps(height: height, width: width)
    return AugmentationPipeline((asked?.steps ?? []) + steps, border: asked?.border ?? .reflect)
  }

  // MARK: - Held out

  /// More would make sheets late.
  private static let heldOutLimit = 64
  private static let heldOutBatch = 8

  private static func validation(
    of dataset: Dataset, _ all: [Int], _ stored: [String], _ device: Device
  ) throws -> BatchLoader? {
    let count = min(all.count, heldOutLimit)
    let chosen = (0..<count).map { all[$0 * all.count / count] }
    return chosen.isEmpty
      ? nil
      : try BatchLoader(
        dataset, indices: chosen, companions: stored, batchSize: heldOutBatch, seed: 0, device: device,
        prefetch: false)
  }

  var heldOut: [TrainingBatch] {
    guard let validation else { return [] }
    let count = validation.sampler.count
    return stride(from: 0, to: count, by: Self.heldOutBatch).map { start in
      let batch = validation.inOrder(start..<min(start + Self.heldOutBatch, count))
      return TrainingBatch(images: batch.images, layers: batch.companions)
    }
  }

  // MARK: - Groups and derived layers

  /// The items that each part of a batch is drawn from.
  private static func groups(_ layers: TrainingLayers, _ dataset: Dataset, _ items: [Int]) throws -> [[Int]] {
    guard let groups = layers.groups else { return [items] }
    let stored = try layers.stored.map { ($0, try dataset.layer($0)) }
    let known = items.map { item in
      TrainingItem(
        patient: dataset.manifest.items[item].patient,
        layers: Dictionary(uniqueKeysWithValues: stored.map { ($0.0, $0.1[item]) }))
    }
    return try groups(known).map { group in group.map { items[$0] } }
  }

  /// What the method makes of every training item, one tensor for each name.
  private static func derived(
    _ layers: TrainingLayers, _ dataset: Dataset, _ items: [Int]
  ) throws -> [String: Tensor] {
    guard let derive = layers.derived else { return [:] }
    let stored = try layers.stored.map { ($0, try dataset.layer($0)) }
    var made: [String: [Tensor]] = [:]
    for item in items {
      let own = stored.map { name, layer in (name, BatchLoader.delivered(layer[item], as: name)) }
      for (name, tensor) in derive(Dictionary(uniqueKeysWithValues: own)) {
        made[name, default: []].append(tensor)
      }
    }
    return made.mapValues { Tensor.stack($0) }
  }
}

extension RunFolder.Plan {
  /// The items that the run was measured on and has not learned from: its fold's, or the validation split.
  /// - Throws: ``RunError`` if the run is of another dataset, or has held nothing out.
  public func heldOutItems(of dataset: Dataset) throws -> [Int] {
    guard self.dataset == nil || self.dataset == dataset.manifest.contentHash else {
      throw RunError(
        "\(dataset.url.path): not the dataset of the run (other pixels), expected that one to tell what was held out"
      )
    }
    let items = try options.fold?.split(dataset).heldOut ?? dataset.indices(of: .validation)
    guard !items.isEmpty else {
      throw RunError(
        "\(dataset.url.path): the run has held nothing out; import with a validation split, or train with --folds"
      )
    }
    return items
  }
}

extension Dataset {
  /// The classes that the manifest names, or the values that occur; nil without labels.
  public var labelSetting: LabelSetting? {
    get throws {
      guard layerNames.contains("labels") else { return nil }
      let named = LabelSetting(manifest.classes)
      guard named.values.count == 1 else { return named }
      let present = try layer("labels").to(.int32).distinctValues.subtracting([0]).sorted()
      return LabelSetting(values: [0] + present, names: ["background"] + present.map { "label \($0)" })
    }
  }
}
