// Which images of a dataset make up a volume again, and where it lies.

import Foundation
import LimnImaging

/// Images that are written together: slices of one source in their order, or a single one.
struct ExportStack {
  /// Places in the dataset, in the order of the slices.
  let items: [Int]
  /// For each item: its place along the volume, from 0; gaps are slices that the dataset does not have.
  let positions: [Int]
  /// Voxel (column, row, position) to millimetres, RAS+; nil where the source has no place.
  let affine: Affine?
  let split: Split
  /// A name for files, different for each stack.
  let name: String
  /// What a careful person would want to know.
  let warning: String?

  /// Places along the volume.
  var depth: Int { (positions.last ?? 0) + 1 }

  /// The affine of one of the items, which are in the order of their positions.
  func affine(_ place: Int) -> Affine? { affine?.moved(Double(positions[place])) }
}

extension ExportStack {
  /// The images of a dataset in its order.
  /// - Parameters:
  ///   - dataset: an open dataset.
  ///   - split: the images to take; all where nil.
  ///   - joined: whether slices of one source are one stack; else each image is one.
  /// - Returns: stacks in the order of their first images.
  /// - Throws: ``DatasetError`` if there is no image, or if an id or a layer's name is no name for a file.
  static func all(in dataset: Dataset, split: Split?, joined: Bool) throws -> [ExportStack] {
    let chosen = dataset.indices(of: split)
    guard !chosen.isEmpty else {
      let splits = dataset.manifest.splits.keys.sorted().joined(separator: ", ")
      throw DatasetError(dataset.url, "has no image in split '\(split?.rawValue ?? "")'; it has \(splits)")
    }
    try checkNames(in: dataset)
    var counts: [String: Int] = [:]
    return (joined ? runs(of: chosen, in: dataset) : chosen.map { [$0] }).flatMap { run in
      stacks(of: run, in: dataset.manifest, joined: joined, &counts)
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

  /// One stack, or one for each image where these do not lie on one grid.
  private static func stacks(
    of run: [Int], in manifest: DatasetManifest, joined: Bool, _ counts: inout [String: Int]
  ) -> [ExportStack] {
    func name(_ index: Int) -> String {
      guard joined else { return manifest.items[index].id }
      let patient = String(manifest.items[index].patient.map { isPlain($0) ? $0 : "_" }.prefix(80))
      counts[patient, default: 0] += 1
      return "\(patient)-\(counts[patient, default: 1])"
    }
    func stack(_ items: [Int], _ grid: SliceGrid, _ warning: String?) -> ExportStack {
      ExportStack(
        items: items, positions: grid.positions, affine: grid.affine, split: manifest.items[items[0]].split,
        name: name(items[0]), warning: warning)
    }
    let slices = run.map { manifest.items[$0] }
    if let grid = SliceGrid.common(to: slices) {
      return [stack(run, grid, grid.missing == 0 ? nil : gapWarning(slices[0], grid.missing))]
    }
    return run.enumerated().map { offset, index in
      let warning = "\(slices[0].source): its slices lie on no common grid, so each is a volume of its own"
      let grid = SliceGrid(single: manifest.items[index])
      return stack([index], grid, offset == 0 ? warning : nil)
    }
  }

  private static func gapWarning(_ item: DatasetItem, _ missing: Int) -> String {
    "\(item.source): \(missing) slices between others were not imported; they are left black, or out"
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
