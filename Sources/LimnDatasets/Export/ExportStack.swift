// Which images of a dataset make up a volume again, and where it lies.

import Foundation
import LimnImaging

/// Images that are written together: slices of one source in their order, or a single one.
struct ExportStack {
  /// Places in the dataset, in the order of the slices.
  let items: [Int]
  /// For each item: its place along the volume, from 0; gaps are slices that the dataset does not have.
  let positions: [Int]
  /// Voxel (column, row, position) to millimetres, RAS+; nil where the source has no place, and where the
  /// slices lie at uneven distances.
  let affine: Affine?
  /// Pixel (column, row, 0) of each item to millimetres; nil where it has no place.
  let places: [Affine?]
  let split: Split
  /// A name for files, different for each stack.
  let name: String
  /// What a careful person would want to know.
  let warning: String?

  /// Places along the volume.
  var depth: Int { (positions.last ?? 0) + 1 }
}

extension ExportStack {
  /// Which slices of a source go into one stack.
  enum Joining {
    /// Each image is a stack.
    case none
    /// Those that lie at even distances.
    case volumes
    /// All.
    case series
  }

  /// The images of a dataset in its order.
  /// - Parameters:
  ///   - dataset: an open dataset.
  ///   - split: the images to take; all where nil.
  ///   - joining: which are one stack.
  /// - Returns: stacks in the order of their first images.
  /// - Throws: ``DatasetError`` if there is no image, or if an id or a layer's name is no name for a file.
  static func all(in dataset: Dataset, split: Split?, joining: Joining) throws -> [ExportStack] {
    let chosen = dataset.indices(of: split)
    guard !chosen.isEmpty else {
      let splits = dataset.manifest.splits.keys.sorted().joined(separator: ", ")
      throw DatasetError(dataset.url, "has no image in split '\(split?.rawValue ?? "")'; it has \(splits)")
    }
    try checkNames(in: dataset)
    var counts: [String: Int] = [:]
    guard joining != .none else {
      return chosen.map { ExportStack([$0], in: dataset.manifest, name: dataset.manifest.items[$0].id) }
    }
    return runs(of: chosen, in: dataset).flatMap { run in
      let parts = joining == .series ? [run] : volumes(of: run, in: dataset.manifest)
      return parts.enumerated().map { place, part in
        let name = name(of: part[0], in: dataset.manifest, &counts)
        let warning =
          place == 0 && parts.count > 1 ? unevenWarning(dataset.manifest.items[part[0]], parts.count) : nil
        return ExportStack(part, in: dataset.manifest, name: name, warning: warning)
      }
    }
  }

  private static func checkNames(in dataset: Dataset) throws {
    func check(_ kind: String, _ names: [String], limit: Int) throws {
      var seen = Set<String>()
      for name in names {
        let fits = !name.isEmpty && name.count <= limit && name.allSatisfy(isPlain)
        guard fits, seen.insert(name).inserted else {
          throw DatasetError(
            dataset.url,
            "\(kind) '\(name)' cannot name a file: expected up to \(limit) letters, digits, '-' and '_', and "
              + "no two alike")
        }
      }
    }
    try check("id", dataset.manifest.items.map(\.id), limit: 60)
    try check("layer", dataset.layerNames, limit: 30)
  }

  private static func isPlain(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
  }

  /// Neighbours of one patient and source whose slice numbers rise.
  private static func runs(of chosen: [Int], in dataset: Dataset) -> [[Int]] {
    let items = dataset.manifest.items
    var runs: [[Int]] = []
    for index in chosen {
      let (item, last) = (items[index], runs.last?.last)
      if let last, item.follows(items[last]) {
        runs[runs.count - 1].append(index)
      } else {
        runs.append([index])
      }
    }
    return runs
  }

  /// The longest parts of a run that lie on a grid each.
  private static func volumes(of run: [Int], in manifest: DatasetManifest) -> [[Int]] {
    guard SliceGrid.common(to: run.map { manifest.items[$0] }) == nil else { return [run] }
    var parts: [[Int]] = []
    for index in run {
      let longer = (parts.last ?? []) + [index]
      if !parts.isEmpty, SliceGrid.common(to: longer.map { manifest.items[$0] }) != nil {
        parts[parts.count - 1] = longer
      } else {
        parts.append([index])
      }
    }
    return parts
  }

  /// The patient, and the number of the patient's stack from 1.
  private static func name(
    of index: Int, in manifest: DatasetManifest, _ counts: inout [String: Int]
  ) -> String {
    let patient = String(manifest.items[index].patient.map { isPlain($0) ? $0 : "_" }.prefix(80))
    counts[patient, default: 0] += 1
    return "\(patient)-\(counts[patient, default: 1])"
  }

  private static func unevenWarning(_ item: DatasetItem, _ count: Int) -> String {
    "\(item.source): its slices lie at uneven distances or are cropped differently, so they are \(count) volumes; "
      + "limn import --even-slices, and one crop for all, make them one"
  }

  private init(_ items: [Int], in manifest: DatasetManifest, name: String, warning: String? = nil) {
    let slices = items.map { manifest.items[$0] }
    let grid = SliceGrid.common(to: slices)
    self.items = items
    positions = grid?.positions ?? Array(items.indices)
    affine = grid?.affine
    places = slices.enumerated().map { place, slice in
      grid?.affine?.moved(Double(grid?.positions[place] ?? 0)) ?? SliceGrid(single: slice).affine
    }
    split = slices[0].split
    self.name = name
    let missing = grid?.missing ?? 0
    self.warning =
      warning
      ?? (missing == 0 ? nil : "\(slices[0].source): \(missing) slices between others are not in the dataset")
  }
}

extension DatasetItem {
  /// Whether this is a later slice of the same source.
  fileprivate func follows(_ other: DatasetItem) -> Bool {
    // Numbers beyond a million are no slices of a volume, but of a broken description.
    guard let slice, let before = other.slice, before >= 0, slice < 1_000_000 else { return false }
    return slice > before && patient == other.patient && source == other.source && split == other.split
  }
}
