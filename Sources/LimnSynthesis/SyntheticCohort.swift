// Turning a generative method into a dataset: images with their companions, each from a seed of its own.

import Foundation
import LimnDatasets
import LimnTorch
import LimnTraining

/// Sketches taken for label maps: what is drawn in a sketch is a class (SkrGAN, section 3.3, where sketches are the
/// pseudo-labels of vessels).
public struct SketchLabel: Sendable, Equatable {
  /// The class, value 1.
  public let name: String
  /// From 0, black, to 1: what is brighter in a sketch belongs to the class.
  public let level: Double

  /// Reads `NAME=LEVEL`; nil for anything else.
  public init?(_ text: String) {
    let sides = text.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, !sides[0].isEmpty, let level = Double(sides[1]), (0..<1).contains(level) else {
      return nil
    }
    (name, self.level) = (String(sides[0]), level)
  }

  /// - Parameter sketch: [1, H, W] in [−1, 1].
  /// - Returns: uint8 [H, W], 1 where the class is.
  func labels(of sketch: Tensor) -> Tensor { sketch[0].isGreater(than: 2 * level - 1).to(.uint8) }
}

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
  /// How sketches become labels; nil: they do not.
  public var sketchLabel: SketchLabel?

  /// - Parameters:
  ///   - count: how many images.
  ///   - seed: all images' seeds follow from it.
  ///   - truncation: ψ in 0 … 1; 1 draws with full variety.
  ///   - bitDepth: 8 or 16.
  ///   - sketchLabel: how sketches become labels, of a method that draws sketches; nil: they do not.
  public init(
    count: Int, seed: UInt64 = 0, truncation: Double = 1, bitDepth: Int = 8, sketchLabel: SketchLabel? = nil
  ) {
    self.sketchLabel = sketchLabel
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
  /// - Throws: `DatasetError` if the folder cannot be written, or labels are wanted of a method without sketches;
  ///   nothing is left then.
  public func write(
    _ method: any GenerativeMethod, shape: ImageShape, source: String, to url: URL,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    guard sketchLabel == nil || type(of: method).companions.contains("sketches") else {
      throw DatasetError(url.path, "labels are made of sketches, and \(source) draws none; skrgan does")
    }
    let writer = try DatasetWriter(description(method, shape, name: url.lastPathComponent), to: url)
    for index in 0..<count {
      let seed = seed(of: index)
      let drawn = method.generate(seed: seed, truncation: truncation)
      let item = DatasetItem(
        id: Self.identifier(index), patient: Self.identifier(index), source: source, seed: seed)
      var companions = drawn.companions.mapValues { $0.quantized(bitDepth: bitDepth) }
      if let sketchLabel, let sketch = drawn.companions["sketches"] {
        companions["labels"] = sketchLabel.labels(of: sketch)
      }
      try writer.append(item, image: drawn.image.quantized(bitDepth: bitDepth), companions: companions)
      try progress(index + 1)
    }
    let options =
      ["--count \(count)", "--seed \(seed)", "--truncation \(truncation)", "--bits \(bitDepth)"]
      + (sketchLabel.map { ["--sketch-label \($0.name)=\($0.level)"] } ?? [])
    try writer.finish(
      provenance: Provenance(sources: 1, tool: "limn \(LimnVersion.current) generate", options: options))
  }

  private func description(
    _ method: any GenerativeMethod, _ shape: ImageShape, name: String
  ) -> DatasetDescription {
    var companions = type(of: method).companions.map {
      LayerDescriptor(
        name: $0, dtype: bitDepth == 8 ? .uint8 : .uint16, itemShape: [1, shape.height, shape.width])
    }
    if sketchLabel != nil {
      companions.append(
        LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [shape.height, shape.width]))
    }
    return DatasetDescription(
      name: name, channels: shape.channels, height: shape.height, width: shape.width, bitDepth: bitDepth,
      classes: sketchLabel.map { [LabelClass(name: $0.name, value: 1)] } ?? [], synthetic: true,
      companions: companions)
  }

  private static func identifier(_ index: Int) -> String {
    let digits = String(index)
    return "synthetic-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}
