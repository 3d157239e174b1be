// True label maps and predicted ones, or predicted probabilities, opened pair by pair, for `limn evaluate labels`.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnSegmentation
import LimnTorch

/// What `limn evaluate labels` compares.
struct PairedLabels: Sendable {
  /// How files and layers are read.
  struct Options: Sendable {
    var reader = LabelPairReader()
    /// Masks outside which nothing counts, under the names of the truths.
    var mask: URL?
    /// A value of the truth whose pixels do not count.
    var ignored: Int?
    var patients = PatientRule.auto
    /// The split of a dataset that is looked at; nil: all.
    var split: Split?
    /// Whether predictions are probabilities, and not labels.
    var isProbability = false
  }

  /// One pair as it is stored: values not yet numbered as classes, slices [Z, Y, X].
  struct Opened: Sendable {
    var truth: Tensor
    /// Labels, or probabilities in 0...1.
    var prediction: Tensor
    /// uint8 of the same shape; nil: all pixels count.
    var mask: Tensor?
    /// Millimetres along each axis; nil where not known: pixels.
    var spacing: [Double]?
  }

  /// What the pairs are called.
  let names: [String]
  /// Pairs of equal numbers are of one patient.
  let groups: [Int]
  /// What a careful person would want to know, a line each.
  let notes: [String]
  /// The classes that a dataset names; empty where none are named.
  let classes: [LabelClass]
  /// Gives a pair by its number.
  let open: @Sendable (Int) throws -> Opened

  /// - Parameters:
  ///   - truth: a dataset, a folder or a file.
  ///   - prediction: the same kind.
  ///   - options: how they are read.
  /// - Throws: what is wrong, in one line.
  init(truth: URL, prediction: URL, _ options: Options) throws {
    switch (Dataset.isFolder(truth), Dataset.isFolder(prediction)) {
    case (true, true): try self.init(Dataset.open(truth), Dataset.open(prediction), options)
    case (false, false):
      guard options.split == nil else { throw MetricError("--split is for datasets, not for files") }
      try self.init(PairedSources(truth, prediction), truth, options)
    default:
      throw MetricError(
        "\(truth.path) and \(prediction.path): one is a dataset and the other is not; 'limn export' writes a "
          + "dataset as files")
    }
  }

  // MARK: - Files

  private init(_ sources: PairedSources, _ truth: URL, _ options: Options) throws {
    let pairs = sources.pairs
    let names = pairs.map(\.first.name)
    let masks = try options.mask.map { try Self.masks($0, truth, names) }
    self.names = names
    groups = PatientGroups.numbers(try pairs.map { try $0.first.patient(options.patients) })
    classes = options.reader.classes.filter { $0.value == nil || $0.value != options.ignored }
    notes = sources.notes
    open = { place in
      var opened = try Self.read(pairs[place], options)
      if let mask = masks?[place] {
        // Gray masks count as soon as they are not black.
        let inside = try mask.read()
        guard inside.size == opened.truth.shape else {
          throw MetricError("\(mask.files[0].path): a mask of \(inside.size), expected \(opened.truth.shape)")
        }
        opened.mask = inside.voxels[0].isNotEqual(to: 0).to(.uint8)
      }
      return opened.ignoring(options.ignored)
    }
  }

  /// The mask of each truth.
  private static func masks(_ folder: URL, _ truth: URL, _ names: [String]) throws -> [VolumeSource] {
    let byName = try PairedSources(truth, folder).secondByName
    return try names.map { name in
      guard let mask = byName[name] else {
        throw MetricError("\(folder.path): no mask for '\(name)'; check --mask")
      }
      return mask
    }
  }

  private static func read(_ pair: PairedSources.Pair, _ options: Options) throws -> Opened {
    guard options.isProbability else {
      let maps = try options.reader.read(truth: pair.first, prediction: pair.second)
      return Opened(
        truth: maps.truth[0], prediction: maps.prediction[0], spacing: spacing(of: maps.grid))
    }
    let volume = try pair.second.read()
    let truth = try options.reader.labels(pair.first, on: volume)
    return Opened(
      truth: truth[0], prediction: try probabilities(volume, pair.second), spacing: spacing(of: volume))
  }

  private static func spacing(of grid: Volume) -> [Double]? {
    guard grid.info.hasGeometry else { return nil }
    return [grid.spacing.z, grid.spacing.y, grid.spacing.x]
  }

  /// Whole numbers stand for shares of the greatest number of their bits.
  private static func probabilities(_ volume: Volume, _ source: VolumeSource) throws -> Tensor {
    guard volume.channels == 1 else {
      throw MetricError(
        "\(source.files[0].path): \(volume.channels) channels, expected one of probabilities")
    }
    let values = volume.voxels[0].to(.float64)
    let scale = volume.voxels.dtype.isFloatingPoint ? 1 : Double((1 << volume.storedBits) - 1)
    let (low, high) = (values.min().item() / scale, values.max().item() / scale)
    guard low >= 0, high <= 1 else {
      throw MetricError(
        "\(source.files[0].path): values from \(low) to \(high), expected probabilities in 0...1; apply the "
          + "sigmoid or softmax first")
    }
    return values / scale
  }

  // MARK: - Datasets

  private init(_ truth: Dataset, _ prediction: Dataset, _ options: Options) throws {
    guard options.mask == nil else {
      throw MetricError(
        "--mask is for files; what a dataset was imported with under --mask is left out by --ignore 255")
    }
    let items = try PairedItems(truth, prediction, split: options.split)
    let name = options.reader.kind == .instances ? "instances" : "labels"
    let manifest = truth.manifest
    names = items.pairs.map { manifest.items[$0.first].id }
    groups = PatientGroups.numbers(items.pairs.map { manifest.items[$0.first].patient })
    notes = items.notes + Self.learned(items, manifest)
    classes = options.reader.classes.isEmpty ? manifest.classes : options.reader.classes
    let first = try truth.layer(name)
    let second = try Self.predicted(prediction, name, classes, options)
    open = { place in
      let pair = items.pairs[place]
      let plane = manifest.items[pair.first].spacing ?? manifest.spacing
      return Opened(
        truth: first[pair.first].to(.int32).unsqueezed(0), prediction: second(pair.second).unsqueezed(0),
        spacing: plane.map { [1] + $0 }
      ).ignoring(options.ignored)
    }
  }

  /// Figures of items that a network may have learned from say nothing of others.
  private static func learned(_ items: PairedItems, _ manifest: DatasetManifest) -> [String] {
    let splits = items.pairs.map { manifest.items[$0.first].split }
    let training = splits.count { $0 == .train }
    guard training > 0, training < splits.count else { return [] }
    return [
      "\(training) of \(splits.count) items are of the split 'train', which a network may have learned from; "
        + "--split test leaves them out"
    ]
  }

  /// Labels, or the probabilities of the one class that is looked at, [H, W] of an item.
  private static func predicted(
    _ dataset: Dataset, _ name: String, _ classes: [LabelClass], _ options: Options
  ) throws -> @Sendable (Int) -> Tensor {
    guard options.isProbability else {
      let layer = try dataset.layer(name)
      return { layer[$0].to(.int32) }
    }
    let known = dataset.manifest.classes
    let wanted = classes.flattened.compactMap(\.label.value)
    guard wanted.count == 1, let name = LabelledDataset.probabilityLayer(of: wanted[0], among: known) else {
      throw MetricError(
        "\(dataset.url.path): probabilities of the classes \(known.flattened.compactMap(\.label.value)); name one "
          + "of them by --classes NAME=VALUE")
    }
    let layer = try dataset.layer(name)
    return { layer[$0][0].to(.float64) / 65535 }
  }
}

extension PairedLabels.Opened {
  /// Leaves the truth's pixels of a value out of everything.
  fileprivate func ignoring(_ value: Int?) -> PairedLabels.Opened {
    guard let value else { return self }
    let counts = truth.isNotEqual(to: Double(value))
    var result = self
    result.mask = (mask.map { $0.isNotEqual(to: 0).logicalAnd(counts) } ?? counts).to(.uint8)
    result.truth = truth.filled(where: counts.logicalNot(), with: 0)
    return result
  }

  /// [H, W] where there is but one slice.
  fileprivate func flat(_ x: Tensor) -> Tensor { x.size(0) == 1 ? x[0] : x }

  fileprivate var flatSpacing: [Double]? {
    spacing.map { truth.size(0) == 1 ? Array($0.suffix(2)) : $0 }
  }

  fileprivate func labels(_ name: String, _ group: Int, _ numbers: ClassNumbers?) throws -> LabelPair {
    LabelPair(
      name: name, truth: flat(try numbers?.numbered(truth) ?? truth),
      prediction: flat(try numbers?.numbered(prediction) ?? prediction), spacing: flatSpacing,
      mask: mask.map(flat), group: group)
  }
}

extension PairedLabels {
  /// A pair as labels; classes numbered one after another, objects as they are.
  func labels(_ place: Int, _ numbers: ClassNumbers?) throws -> LabelPair {
    let opened = try open(place)
    do { return try opened.labels(names[place], groups[place], numbers) } catch let error as MetricError {
      throw MetricError("\(names[place]): \(error.description)")
    }
  }

  /// A pair as a mask of one class and its probability.
  func probabilities(_ place: Int, classValue: Int?) throws -> ProbabilityPair {
    let opened = try open(place)
    let truth = classValue.map { opened.truth.isEqual(to: Double($0)) } ?? opened.truth.isNotEqual(to: 0)
    return ProbabilityPair(
      name: names[place], truth: opened.flat(truth), probability: opened.flat(opened.prediction),
      mask: opened.mask.map(opened.flat), group: groups[place])
  }

  /// A pair as a mask of one class and the mask that a threshold makes of its probability.
  func thresholded(_ place: Int, _ threshold: Double, classValue: Int?) throws -> LabelPair {
    let pair = try probabilities(place, classValue: classValue)
    let spacing = try open(place).flatSpacing
    return LabelPair(
      name: pair.name, truth: pair.truth.to(.int32),
      prediction: pair.probability.isGreater(than: threshold).to(.int32), spacing: spacing, mask: pair.mask,
      group: pair.group)
  }

  /// Each slice as a pair of its own.
  func bySection() throws -> PairedLabels {
    let places = try names.indices.flatMap { place in
      try (0..<open(place).truth.size(0)).map { (pair: place, slice: $0) }
    }
    guard places.count > names.count else { return self }
    return PairedLabels(
      names: places.map { "\(names[$0.pair]) \($0.slice)" }, groups: places.map { groups[$0.pair] },
      notes: notes, classes: classes
    ) { [open] place in
      let slice = places[place].slice..<places[place].slice + 1
      var opened = try open(places[place].pair)
      opened.truth = opened.truth[slice]
      opened.prediction = opened.prediction[slice]
      opened.mask = opened.mask.map { $0[slice] }
      return opened
    }
  }

  private init(
    names: [String], groups: [Int], notes: [String], classes: [LabelClass],
    open: @escaping @Sendable (Int) throws -> Opened
  ) {
    (self.names, self.groups, self.notes, self.classes, self.open) = (names, groups, notes, classes, open)
  }

  /// More classes than these that no truth has are hardly a segmenter's mistakes.
  private static let likelyMistakes = 16

  /// The classes that are named, or the values that occur in truths and predictions.
  func classNumbers() throws -> ClassNumbers {
    let named = classes.flattened.compactMap { label, _ in label.value.map { ($0, label.name) } }
      .filter { $0.0 != 0 }
    guard named.isEmpty else { return ClassNumbers(named) }
    var (truths, predictions) = (Set<Int>(), Set<Int>())
    for place in names.indices {
      let opened = try open(place)
      truths.formUnion(opened.truth.distinctValues)
      predictions.formUnion(opened.prediction.distinctValues)
    }
    let foreign = predictions.subtracting(truths)
    guard foreign.count <= Self.likelyMistakes else {
      throw MetricError(
        "predictions hold \(foreign.count) values that no truth has, such as \(foreign.min() ?? 0); "
          + "--probabilities and --instances are for other maps than classes, --classes names classes")
    }
    let present = truths.union(predictions).subtracting([0]).sorted()
    guard !present.isEmpty else { throw MetricError("all label maps are empty; nothing to measure") }
    return ClassNumbers(present.map { ($0, present == [1] ? "foreground" : "label \($0)") })
  }
}
