// Checking a dataset whole: what `limn check` does.

import Foundation
import LimnTorch

/// What a look at every pixel of a dataset tells.
public struct DatasetStatistics: Sendable, Equatable {
  /// Of the stored values of `images`: 0 … 255 or 0 … 65535.
  public var minimum: Double
  /// Of the stored values, in the same range.
  public var maximum: Double
  /// Of the stored values, over all pixels and channels of all images.
  public var mean: Double
  /// Of the same values (divided by n, not by n − 1).
  public var standardDeviation: Double
  /// Images of one value only.
  public var constantImages: Int
  /// Images that equal, to the bit, one before them.
  public var repeatedImages: Int
  /// Repeated images whose last twin is in another split: training data that leaks into a test.
  public var repeatedAcrossSplits: Int
}

extension DatasetManifest {
  /// Checks what the description says against itself.
  /// - Throws: ``DatasetError`` naming the first contradiction.
  func checkConsistency(in folder: URL) throws {
    func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws {
      guard condition else { throw DatasetError(folder.appendingPathComponent(Self.fileName), problem()) }
    }
    try require([8, 16].contains(bitDepth), "bitDepth is \(bitDepth), expected 8 or 16")
    try require(
      min(count, channels, height, width) > 0,
      "\(count) images of \(channels)×\(height)×\(width), expected at least one pixel")
    try require(items.count == count, "count is \(count) but \(items.count) items are listed")
    try require(
      contentHash == Self.contentHash(of: layers), "contentHash does not fit the layers listed; it was edited"
    )
    try require(splits == Self.splits(of: items), "splits does not fit the items listed; it was edited")
    let type = bitDepth == 8 ? "uint8" : "uint16"
    let images = layers.first { $0.name == "images" }
    try require(
      images?.type == type && images?.shape == [count, channels, height, width],
      "layer 'images' must be \(type)[\(count), \(channels), \(height), \(width)]")
    for layer in layers {
      try require(
        layer.shape.first == count && layer.shape.suffix(2) == [height, width]
          && ["uint8", "uint16"].contains(layer.type) && !layer.name.contains("/"),
        "layer '\(layer.name)' is \(layer.type)\(layer.shape), which does not go with \(count) images of "
          + "\(height)×\(width)")
    }
    try checkPatients(require: require)
  }

  private func checkPatients(require: (Bool, @autoclosure () -> String) throws -> Void) throws {
    var splits: [String: Split] = [:]
    for item in items {
      let known = splits.updateValue(item.split, forKey: item.patient)
      try require(
        known == nil || known == item.split,
        "patient \(item.patient) is in two splits (\(known?.rawValue ?? ""), \(item.split.rawValue)), "
          + "so a test would see training data")
    }
  }
}

extension Dataset {
  /// Reads every byte: the layers' hashes, the splits by patient, the values.
  /// - Throws: ``DatasetError`` naming the first thing that is wrong.
  public func verify() throws -> DatasetStatistics {
    try manifest.checkConsistency(in: url)
    for record in manifest.layers {
      var hash = SHA256()
      try layer(record.name).withUnsafeBytes { hash.update($0) }
      guard hash.hexDigest == record.sha256 else {
        throw DatasetError(
          url.appendingPathComponent(LayerDescriptor.fileName(of: record.name)),
          "its pixels are not those that were written (SHA-256 \(hash.hexDigest.prefix(12))…, expected "
            + "\(record.sha256.prefix(12))…); import the dataset again")
      }
    }
    return try statistics()
  }

  private func statistics() throws -> DatasetStatistics {
    var values = RunningValues()
    var firstOf: [String: Split] = [:]
    var (constant, repeated, leaked) = (0, 0, 0)
    let images = try layer("images")
    for index in 0..<count {
      let image = images[index]
      if values.add(image) { constant += 1 }
      var hash = SHA256()
      image.withUnsafeBytes { hash.update($0) }
      let split = manifest.items[index].split
      let first = firstOf.updateValue(split, forKey: hash.hexDigest)
      repeated += first == nil ? 0 : 1
      leaked += first == nil || first == split ? 0 : 1
    }
    return DatasetStatistics(
      minimum: values.minimum, maximum: values.maximum, mean: values.mean,
      standardDeviation: values.standardDeviation, constantImages: constant, repeatedImages: repeated,
      repeatedAcrossSplits: leaked)
  }
}

/// Moments of values that come image by image.
private struct RunningValues {
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  private var sum = 0.0
  private var squares = 0.0
  private var count = 0.0

  var mean: Double { sum / count }
  var standardDeviation: Double { max(0, squares / count - mean * mean).squareRoot() }

  /// Takes an image in; whether it is of one value.
  mutating func add(_ image: Tensor) -> Bool {
    let values = image.to(.float64)
    let (low, high) = (values.min().item(), values.max().item())
    minimum = min(minimum, low)
    maximum = max(maximum, high)
    sum += values.sum().item()
    squares += values.square().sum().item()
    count += Double(values.count)
    return low == high
  }
}
