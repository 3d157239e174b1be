// The sets of one evaluation: what is compared, what was trained on, what was held out.

import Foundation
import LimnDatasets
import LimnMetrics

/// What `limn evaluate` works on.
struct EvaluationSets {
  /// Measured against.
  let real: any ImageSource
  /// Measured.
  let fake: any ImageSource
  /// What the generator learned from.
  let training: any ImageSource
  /// Real images of other patients; nil where there are none.
  let heldOut: (any ImageSource)?

  /// - Parameters:
  ///   - real: the folder of real images.
  ///   - fake: the folder of synthetic images.
  ///   - split: of the real set, for the metrics.
  ///   - train: a folder, or splits of the real dataset; nil: its train split where it has others too, else
  ///     all of it.
  ///   - heldOut: a folder, or splits of the real dataset; nil: its validation and test splits.
  /// - Throws: what is wrong with a folder, in one line.
  init(real: String, fake: String, split: Split?, train: String?, heldOut: String?) throws {
    let place = URL(fileURLWithPath: real)
    self.real = try ImageFolder.open(place, split: split)
    self.fake = try ImageFolder.open(URL(fileURLWithPath: fake))
    let dataset = (self.real as? DatasetImages)?.dataset
    let others: [Split] = [.validation, .test].filter { dataset?.indices(of: $0).isEmpty == false }
    training =
      try train.map { try Self.set($0, of: dataset) }
      ?? dataset.map { try DatasetImages($0, splits: others.isEmpty ? Split.allCases : [.train]) }
      ?? self.real
    if let heldOut {
      self.heldOut = try Self.set(heldOut, of: dataset)
    } else if let dataset, train == nil, !others.isEmpty {
      self.heldOut = try DatasetImages(dataset, splits: others)
    } else {
      self.heldOut = nil
    }
  }

  /// Splits of the real dataset by their names, or a folder.
  private static func set(_ text: String, of dataset: Dataset?) throws -> any ImageSource {
    let names = text.split(separator: ",").map { Split(rawValue: String($0)) }
    let splits = names.compactMap(\.self)
    if let dataset, !splits.isEmpty, splits.count == names.count {
      return try DatasetImages(dataset, splits: splits)
    }
    guard splits.isEmpty else {
      throw MetricError("'\(text)' names splits, but the real set is a folder without splits")
    }
    return try ImageFolder.open(URL(fileURLWithPath: text))
  }

  /// Why the sets should not be compared as they are; a line each.
  var warnings: [String] {
    let depths = [real, fake].map { ($0 as? DatasetImages)?.dataset.bitDepth }
    var lines: [String] = []
    if let first = depths[0], let second = depths[1], first != second {
      lines.append(
        "\(real.name) has \(first) bits a pixel and \(fake.name) \(second); both are measured at 8 bits")
    }
    if let windows = differentWindows { lines.append(windows) }
    if (fake as? DatasetImages)?.dataset.manifest.synthetic == false {
      lines.append("\(fake.name) is not marked as synthetic; real images are measured as if they were drawn")
    }
    return lines
  }

  private var differentWindows: String? {
    let windows = [real, fake].map { ($0 as? DatasetImages)?.dataset.manifest.intensity?.window }
    guard let first = windows[0], let second = windows[1], first != second else { return nil }
    return "\(real.name) was made with the window \(first), \(fake.name) with \(second); grey values differ"
  }
}

extension PatientImages {
  /// A set with its patients, where it is a dataset.
  static func of(_ source: any ImageSource) throws -> PatientImages {
    try PatientImages(source, patients: (source as? DatasetImages)?.patients)
  }
}
