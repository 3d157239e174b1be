// What was translated beside what was made of it and what it should have been, opened when it is asked for.

import Foundation
import LimnDatasets
import LimnMetrics
import LimnTorch
import LimnTraining

/// Slices in [−1, 1], as the training images lie.
struct TranslatedSlices {
  /// [Z, C, H, W].
  let source: Tensor
  /// [Z, C′, H, W].
  let result: Tensor
  /// The same shape; nil where it is not known.
  let target: Tensor?
  /// Between pixels, [row, column] in mm; nil where it is not known.
  let spacing: [Double]?

  /// The middle slice, one of each.
  var middle: TranslatedSlices {
    let place = result.size(0) / 2
    return TranslatedSlices(
      source: source[place..<place + 1], result: result[place..<place + 1],
      target: target?[place..<place + 1],
      spacing: spacing)
  }
}

/// A picture or volume with its translation.
struct TranslatedCase: Sendable {
  let name: String
  /// Whose it is.
  let patient: String
  let hasTarget: Bool
  let open: @Sendable () throws -> TranslatedSlices

  /// The volumes and pictures of a dataset, with what was made of them.
  /// - Parameters:
  ///   - source: with a layer `targets` where they are known.
  ///   - made: has items of the same ids, but for what styles add to them.
  ///   - suffixes: what they add.
  /// - Returns: volumes and pictures in their order.
  static func all(of source: Dataset, _ made: Dataset, suffixes: [String]) -> [TranslatedCase] {
    let places = Dictionary(
      source.manifest.items.enumerated().flatMap { place, item in suffixes.map { (item.id + $0, place) } },
      uniquingKeysWith: { first, _ in first })
    let hasTarget = source.layerNames.contains("targets")
    return made.volumes.map { items in
      let first = made.manifest.items[items[0]]
      let originals = items.compactMap { places[made.manifest.items[$0].id] }
      return TranslatedCase(
        name: items.count == 1 ? first.id : first.source, patient: first.patient, hasTarget: hasTarget
      ) {
        let layer = hasTarget ? try source.layer("targets") : nil
        return TranslatedSlices(
          source: source.images(at: originals), result: made.images(at: items),
          target: layer.map { layer in Tensor.stack(originals.map { layer[$0] }).normalizedPixels() },
          spacing: first.spacing ?? made.manifest.spacing)
      }
    }
  }
}

extension Dataset {
  /// Positions of the items of each volume, in their order; pictures each alone.
  var volumes: [[Int]] {
    var places: [String: Int] = [:]
    var volumes: [[Int]] = []
    for (number, item) in manifest.items.enumerated() {
      if let place = places[item.volumeKey] {
        volumes[place].append(number)
      } else {
        places[item.volumeKey] = volumes.count
        volumes.append([number])
      }
    }
    return volumes
  }
}

extension DatasetItem {
  /// Equal for the slices of one volume.
  var volumeKey: String { slice == nil ? id : "\(patient)|\(source)" }
}
