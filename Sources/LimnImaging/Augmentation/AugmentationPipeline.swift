// A list of random transforms, each with its probability: draws for a batch, and applies what it drew.

import Foundation
import LimnTorch

/// Augments batches by a list of random transforms, drawn for each image of its own.
///
/// ```swift
/// let pipeline = try AugmentationPipeline(
///   parsing: "flip@0.5, rotation:-15..15, elastic:10/3@0.5, gamma:0.7..1.4")
/// let batch = AlignedBatch(["images": .image(images), "labels": .labels(labels)])
/// let (augmented, draw) = pipeline(batch, generator: Generator(seed: 7))
/// print(draw)
/// ```
public struct AugmentationPipeline: Sendable, Equatable {
  /// A transform of the list.
  public struct Step: Sendable, Codable, Equatable {
    /// What is drawn.
    public let transform: RandomTransform
    /// How likely it happens to an image, 0 to 1.
    public let probability: Double

    /// Creates a step.
    public init(_ transform: RandomTransform, probability: Double = 1) {
      self.transform = transform
      self.probability = probability
    }
  }

  /// In the order of application; see ``AugmentationDraw/callAsFunction(_:)`` for what that means.
  public let steps: [Step]
  /// What lies beyond the images.
  public let border: AugmentationBorder

  /// Creates a list; ranges and probabilities must be possible ones, which ``init(parsing:)`` checks for text.
  public init(_ steps: [Step], border: AugmentationBorder = .reflect) {
    if let flaw = steps.lazy.compactMap(\.flaw).first { preconditionFailure("augmentation: \(flaw)") }
    self.steps = steps
    self.border = border
  }

  /// Draws and applies: one call for a batch.
  /// - Parameters:
  ///   - batch: what to augment; stays as it is.
  ///   - generator: on the CPU; decides everything.
  /// - Returns: the augmented layers, and what was drawn.
  public func callAsFunction(
    _ batch: AlignedBatch, generator: Generator
  ) -> (batch: AlignedBatch, draw: AugmentationDraw) {
    let draw = draw(count: batch.count, height: batch.height, width: batch.width, generator: generator)
    return (draw(batch), draw)
  }

  /// As above, each image by a seed of its own, so that its draw does not depend on its neighbours.
  /// - Parameters:
  ///   - batch: what to augment; stays as it is.
  ///   - seeds: one for each image.
  /// - Returns: the augmented layers, and what was drawn.
  public func callAsFunction(
    _ batch: AlignedBatch, seeds: [UInt64]
  ) -> (batch: AlignedBatch, draw: AugmentationDraw) {
    let draw = draw(seeds: seeds, height: batch.height, width: batch.width)
    return (draw(batch), draw)
  }

  /// Draws for `count` images of `height` × `width` pixels, one after the other.
  public func draw(count: Int, height: Int, width: Int, generator: Generator) -> AugmentationDraw {
    let random = RandomSource(generator: generator)
    let canvas = Canvas(height: height, width: width)
    return AugmentationDraw(images: (0..<count).map { _ in draw(canvas, random) }, border: border)
  }

  /// Draws for an image of each seed.
  public func draw(seeds: [UInt64], height: Int, width: Int) -> AugmentationDraw {
    let canvas = Canvas(height: height, width: width)
    let images = seeds.map { draw(canvas, RandomSource(generator: Generator(seed: $0))) }
    return AugmentationDraw(images: images, border: border)
  }

  /// What becomes of the size of images: [height, width] after all steps.
  public func resultSize(height: Int, width: Int) -> [Int] {
    let canvas = Canvas(height: height, width: width)
    let drawn = draw(canvas, RandomSource(generator: Generator(seed: 0)))
    let result = SpatialPlan(drawn, source: canvas).result
    return [result.height, result.width]
  }

  private func draw(_ canvas: Canvas, _ random: RandomSource) -> [DrawnTransform] {
    var canvas = canvas
    return steps.compactMap { step in
      guard step.probability == 1 || random.fraction() < step.probability else { return nil }
      let drawn = step.transform.draw(on: canvas, from: random)
      canvas = drawn.sourceMap(on: canvas)?.canvas ?? canvas
      return drawn
    }
  }
}

extension AugmentationPipeline.Step {
  /// What is impossible about it, if anything.
  var flaw: String? {
    guard (0...1).contains(probability) else {
      return "a probability of \(probability), which is not in 0...1"
    }
    guard probability == 1 || !transform.isSizing else {
      return "\(transform) with a probability, which would give the images of a batch different sizes"
    }
    return transform.flaw
  }
}

extension RandomTransform {
  /// What is impossible about the ranges, if anything.
  fileprivate var flaw: String? {
    switch self {
    case .scale(let range), .gamma(let range), .contrast(let range):
      range.lowerBound > 0 ? nil : "\(self), which is not above 0"
    case .noise(let range): range.lowerBound >= 0 ? nil : "\(self), which is below 0"
    case .shear(let range):
      range.lowerBound > -90 && range.upperBound < 90
        ? nil : "\(self), which is not between −90 and 90 degrees"
    case .gridDeformation(let sigma, let nodes):
      sigma >= 0 && (2...64).contains(nodes) ? nil : "\(self), which needs σ ≥ 0 and 2 to 64 nodes"
    case .smoothDeformation(let magnitude, let sigma):
      magnitude.lowerBound >= 0 && sigma > 0 && sigma <= 1000
        ? nil : "\(self), which needs a magnitude ≥ 0 and σ in 0...1000"
    case .biasField(let magnitude, let order):
      magnitude >= 0 && (1...4).contains(order)
        ? nil : "\(self), which needs a magnitude ≥ 0 and order 1 to 4"
    case .crop(let height, let width), .centreCrop(let height, let width):
      Canvas.sides.contains(height) && Canvas.sides.contains(width)
        ? nil : "\(self), which needs sides in \(Canvas.sides)"
    case .padding(let margin):
      margin == 0 || Canvas.sides.contains(margin)
        ? nil : "\(self), which is not in 0...\(Canvas.sides.upperBound)"
    case .flip, .quarterTurns, .rotation, .shift, .brightness: nil
    }
  }
}

extension AugmentationPipeline: Codable {
  private enum CodingKeys: CodingKey { case steps, border }

  /// Reads what `encode(to:)` wrote.
  /// - Throws: `DecodingError` where a range or a probability is impossible.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    steps = try container.decode([Step].self, forKey: .steps)
    border = try container.decode(AugmentationBorder.self, forKey: .border)
    if let flaw = steps.lazy.compactMap(\.flaw).first {
      throw DecodingError.dataCorruptedError(forKey: .steps, in: container, debugDescription: "found \(flaw)")
    }
  }
}
