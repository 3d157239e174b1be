// The items of two datasets that belong together, such as labels and predicted labels of the same images.

import Foundation

/// Positions of items in two datasets.
public struct PairedItems: Sendable {
  /// Positions in the first and in the second dataset, in the first one's order.
  public let pairs: [(first: Int, second: Int)]
  /// What was left out, a line each.
  public let notes: [String]

  /// Pairs items of equal id, or without any such, of equal patient, source and slice.
  /// - Parameters:
  ///   - first: the dataset whose order counts.
  ///   - second: the other one.
  ///   - split: the split of the first dataset that is looked at; nil: all.
  /// - Throws: ``DatasetError`` where nothing fits or images are of different sizes.
  public init(_ first: Dataset, _ second: Dataset, split: Split? = nil) throws {
    guard first.size == second.size else {
      throw DatasetError(
        second.url,
        "images of \(second.size[0])x\(second.size[1]), expected \(first.size[0])x\(first.size[1]) as in "
          + first.url.path)
    }
    let byID = Self.matches(first, second) { $0.id }
    let found =
      byID.isEmpty
      ? Self.matches(first, second) { "\($0.patient)|\($0.source)|\($0.slice ?? -1)" } : byID
    guard !found.isEmpty else {
      throw DatasetError(
        second.url, "no item with the id, or the patient, source and slice, of one in \(first.url.path)")
    }
    let chosen = found.filter { split == nil || first.manifest.items[$0.first].split == split }
    guard !chosen.isEmpty else {
      throw DatasetError(first.url, "no pair in the split '\(split?.rawValue ?? "")'; choose another --split")
    }
    pairs = chosen
    // With a split chosen, the rest of the second dataset is not missed.
    let expected = split == nil ? second.count : chosen.count
    notes = [(first, second, first.indices(of: split).count), (second, first, expected)].compactMap {
      own, other, count in
      count > chosen.count
        ? "\(count - chosen.count) items of \(own.url.path) without a counterpart in \(other.url.path); not measured"
        : nil
    }
  }

  private static func matches(
    _ first: Dataset, _ second: Dataset, key: (DatasetItem) -> String
  ) -> [(first: Int, second: Int)] {
    let places = Dictionary(
      second.manifest.items.enumerated().map { (key($0.element), $0.offset) }, uniquingKeysWith: { a, _ in a }
    )
    return first.manifest.items.enumerated().compactMap { place, item in
      places[key(item)].map { (place, $0) }
    }
  }
}
