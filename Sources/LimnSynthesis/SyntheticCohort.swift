// Turning a generative method into a dataset: images with their companions, each from a seed of its own.

import Foundation
import LimnDatasets
import LimnTorch
import LimnTraining

/// A set of images that a method draws.
public struct SyntheticCohort {
  /// How many images.
  public var count: Int
  /// The seed that all images' seeds follow from.
  public var seed: UInt64
  /// ψ; 1 draws with full variety.
  public var truncation: Double
  /// 8 or 16 bits a value.
  public var bitDepth: Int

  /// - Parameters:
  ///   - count: how many images.
  ///   - seed: all images' seeds follow from it.
  ///   - truncation: ψ in 0 … 1; 1 draws with full variety.
  ///   - bitDepth: 8 or 16.
  public init(count: Int, seed: UInt64 = 0, truncation: Double = 1, bitDepth: Int = 8) {
    (self.count, self.seed, self.truncation, self.bitDepth) = (count, seed, truncation, bitDepth)
  }

  /// The seed of one image; `limn generate --image-seed` draws that image alone.
  public func seed(of index: Int) -> UInt64 { Seed.derive(seed, UInt64(index)) }

  /// Draws the images into a new dataset, marked as synthetic.
  /// - Parameters:
  ///   - method: draws the images.
  ///   - shape: of the images.
  ///   - source: a word for where they come from, such as the run's name.
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - progress: called after each image with the number drawn.
  /// - Throws: `DatasetError` if the folder cannot be written; nothing is left then.
  public func write(
    _ method: any GenerativeMethod, shape: ImageShape, source: String, to url: URL,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    let writer = try DatasetWriter(description(method, shape, name: url.lastPathComponent), to: url)
    for index in 0..<count {
      let seed = seed(of: index)
      let drawn = method.generate(seed: seed, truncation: truncation)
      let item = DatasetItem(
        id: Self.identifier(index), patient: Self.identifier(index), source: source, seed: seed)
      try writer.append(
        item, image: drawn.image.quantized(bitDepth: bitDepth),
        companions: drawn.companions.mapValues { $0.quantized(bitDepth: bitDepth) })
      try progress(index + 1)
    }
    let options = ["--count \(count)", "--seed \(seed)", "--truncation \(truncation)", "--bits \(bitDepth)"]
    try writer.finish(
      provenance: Provenance(sources: 1, tool: "limn \(LimnVersion.current) generate", options: options))
  }

  private func description(
    _ method: any GenerativeMethod, _ shape: ImageShape, name: String
  ) -> DatasetDescription {
    let companions = type(of: method).companions.map {
      LayerDescriptor(
        name: $0, dtype: bitDepth == 8 ? .uint8 : .uint16, itemShape: [1, shape.height, shape.width])
    }
    return DatasetDescription(
      name: name, channels: shape.channels, height: shape.height, width: shape.width, bitDepth: bitDepth,
      synthetic: true, companions: companions)
  }

  private static func identifier(_ index: Int) -> String {
    let digits = String(index)
    return "synthetic-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}
