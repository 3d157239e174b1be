// Real images and what was made in their places, opened pair by pair, for `limn evaluate pairs`.

import Foundation
import LimnDatasets
import LimnImaging
import LimnMetrics
import LimnTorch

/// What `limn evaluate pairs` compares.
struct PairedImages: Sendable {
  /// What the pairs are called.
  let names: [String]
  /// What a careful person would want to know, a line each.
  let notes: [String]
  /// The range of values that the data itself suggests, and its unit.
  let setting: PairProtocol
  /// What to know of that range; nil where pixels leave no choice.
  let rangeNote: String?
  /// Gives a pair by its number.
  let pair: @Sendable (Int) throws -> ImagePair

  /// - Parameters:
  ///   - real: a dataset, a folder or a file.
  ///   - fake: the same kind.
  ///   - patients: tells the patients of files apart.
  /// - Throws: what is wrong, in one line.
  init(real: URL, fake: URL, patients: PatientRule) throws {
    switch (Dataset.isFolder(real), Dataset.isFolder(fake)) {
    case (true, true): try self.init(Dataset.open(real), Dataset.open(fake))
    case (false, false): try self.init(PairedSources(real, fake), patients)
    default:
      throw MetricError(
        "\(real.path) and \(fake.path): one is a dataset and the other is not; 'limn export' writes a dataset "
          + "as files")
    }
  }

  // MARK: - Files

  private init(_ sources: PairedSources, _ rule: PatientRule) throws {
    let pairs = sources.pairs
    let groups = PatientGroups.numbers(try pairs.map { try $0.first.patient(rule) })
    names = pairs.map(\.first.name)
    let suggestion = try Self.suggestion(pairs.map(\.first))
    (setting, rangeNote, notes) = (suggestion.setting, suggestion.note, sources.notes)
    pair = { place in
      let (real, fake) = (try pairs[place].first.read(), try pairs[place].second.read())
      try Self.check(real, fake, pairs[place])
      return ImagePair(
        name: pairs[place].first.name, real: Self.planes(real), fake: Self.planes(fake), group: groups[place])
    }
  }

  /// [C * Z, H, W]: the planes of colours count as slices.
  private static func planes(_ volume: Volume) -> Tensor {
    volume.voxels.reshaped([-1] + volume.size.suffix(2))
  }

  private static func check(_ real: Volume, _ fake: Volume, _ pair: PairedSources.Pair) throws {
    guard real.voxels.shape == fake.voxels.shape else {
      throw MetricError(
        "\(pair.second.files[0].path): [channels, slices, height, width] are \(fake.voxels.shape), those of its "
          + "real image \(real.voxels.shape); bring both onto one grid first")
    }
    let isPlaced = real.info.hasGeometry && fake.info.hasGeometry
    guard !isPlaced || real.affine.placesAlike(fake.affine, size: real.size) else {
      throw MetricError(
        "\(pair.second.files[0].path): lies elsewhere in the patient than its real image; bring both onto one "
          + "grid first")
    }
  }

  /// All values that the files' pixels can have where they are pictures, else those that the real images have.
  private static func suggestion(_ sources: [VolumeSource]) throws -> (setting: PairProtocol, note: String?) {
    var (low, high) = (Double.infinity, -Double.infinity)
    var bits: Set<Int> = []
    var units: Set<IntensityUnit> = []
    for source in sources {
      let volume = try source.read()
      let isPicture =
        ["PNG", "JPEG", "TIFF"].contains(volume.info.format) && !volume.voxels.dtype.isFloatingPoint
      bits.insert(isPicture ? volume.storedBits : 0)
      units.insert(volume.unit)
      low = min(low, volume.voxels.min().item())
      high = max(high, volume.voxels.max().item())
    }
    if bits.count == 1, let depth = bits.first, depth > 0 {
      return (PairProtocol(range: 0...Double((1 << depth) - 1)), nil)
    }
    guard low < high else { throw MetricError("the real images hold nothing but the value \(low)") }
    let isHounsfield = units == [.hounsfield]
    return (
      PairProtocol(range: low...high, unit: isHounsfield ? "HU" : nil),
      "the value range \(low)...\(high), which NMAE, PSNR and SSIM refer to, is that of the real images; "
        + "--range LOW,HIGH sets one that other work can share"
    )
  }

  // MARK: - Datasets

  private init(_ real: Dataset, _ fake: Dataset) throws {
    let (first, second) = (real.manifest, fake.manifest)
    guard first.bitDepth == second.bitDepth, first.channels == second.channels else {
      throw MetricError(
        "\(first.name) has \(first.bitDepth) bits and \(first.channels) channels, \(second.name) "
          + "\(second.bitDepth) and \(second.channels); pixels of one kind were expected")
    }
    let items = try PairedItems(real, fake)
    let volumes = Self.volumes(items, first)
    let groups = PatientGroups.numbers(volumes.map { first.items[$0[0].first].patient })
    names = volumes.map { Self.name(of: first.items[$0[0].first], slices: $0.count) }
    var notes = items.notes
    if let a = first.intensity?.window, let b = second.intensity?.window, a != b {
      notes.append(
        "\(first.name) was made with the window \(a), \(second.name) with \(b); grey values differ")
    }
    self.notes = notes
    rangeNote = nil
    let levels = Double(1 << first.bitDepth) - 1
    setting = PairProtocol(range: 0...levels, first.intensity?.scale(bitDepth: first.bitDepth))
    let names = names
    pair = { place in
      func planes(_ dataset: Dataset, _ positions: [Int]) throws -> Tensor {
        let layer = try dataset.layer("images").indexSelect(dim: 0, Tensor(positions))
        return layer.to(.float64).reshaped([-1] + dataset.size)
      }
      return ImagePair(
        name: names[place], real: try planes(real, volumes[place].map(\.first)),
        fake: try planes(fake, volumes[place].map(\.second)), group: groups[place])
    }
  }

  /// The slices of each source together, in their order; pictures each alone.
  private static func volumes(
    _ items: PairedItems, _ manifest: DatasetManifest
  ) -> [[(first: Int, second: Int)]] {
    var places: [String: Int] = [:]
    var volumes: [[(first: Int, second: Int)]] = []
    for pair in items.pairs {
      let key = manifest.items[pair.first].volumeKey
      if let place = places[key] {
        volumes[place].append(pair)
      } else {
        places[key] = volumes.count
        volumes.append([pair])
      }
    }
    return volumes
  }

  private static func name(of item: DatasetItem, slices: Int) -> String {
    item.slice == nil || slices == 1 ? item.id : item.source
  }
}

extension PairProtocol {
  /// Figures that refer to a range of values, whose lower end is the background.
  init(range: ClosedRange<Double>, unit: String? = nil) {
    self.init(
      low: range.lowerBound, high: range.upperBound,
      foreground: ForegroundRule(
        background: range.lowerBound, tolerance: 1e-6 * (range.upperBound - range.lowerBound)),
      unitLow: unit.map { _ in range.lowerBound }, unitHigh: unit.map { _ in range.upperBound }, unit: unit)
  }

  fileprivate init(range: ClosedRange<Double>, _ scale: ValueScale?) {
    self.init(range: range)
    guard let scale else { return }
    unitLow = scale.intercept + scale.slope * range.lowerBound
    unitHigh = scale.intercept + scale.slope * range.upperBound
    unit = scale.unit.rawValue
  }
}
