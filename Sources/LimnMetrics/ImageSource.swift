// Where metrics get images from: 8-bit batches on demand, from memory or from whatever a caller adapts.

import LimnTorch

/// Images of one size that can be fetched by position.
public protocol ImageSource: Sendable {
  /// What messages call the set, such as its folder.
  var name: String { get }
  var count: Int { get }
  /// 1 (grey) or 3 (RGB).
  var channels: Int { get }
  var height: Int { get }
  var width: Int { get }

  /// The images at positions in `0 ..< count`, in that order: uint8 [N, C, H, W], 0...255.
  func images(at indices: [Int]) throws -> Tensor
}

/// Images that are in memory already.
public struct TensorImages: ImageSource {
  public let name: String
  private let tensor: Tensor

  /// Takes uint8 [N, C, H, W].
  /// - Throws: ``MetricError`` for another type or another number of axes.
  public init(_ images: Tensor, name: String) throws {
    guard images.dtype == .uint8, images.rank == 4 else {
      throw MetricError("\(name): \(images.summary) where uint8 [N, C, H, W] was expected; quantise first")
    }
    self.name = name
    tensor = images
  }

  /// Images in memory, N.
  public var count: Int { tensor.size(0) }
  public var channels: Int { tensor.size(1) }
  /// Pixels.
  public var height: Int { tensor.size(2) }
  /// Pixels.
  public var width: Int { tensor.size(3) }
  public func images(at indices: [Int]) -> Tensor { tensor.indexSelect(dim: 0, Tensor(indices)) }
}

/// Turns what networks give, [-1, 1], into 8 bits: (x + 1) * 127.5, rounded (half to even), clipped to
/// 0...255.
/// - Returns: uint8 of the same shape.
/// - Throws: ``MetricError`` where a value is not finite.
public func quantized(_ images: Tensor) throws -> Tensor {
  guard images.isFinite().all().item() == 1 else {
    throw MetricError("images hold NaN or infinite values; numbers in [-1, 1] were expected")
  }
  return images.quantized(bitDepth: 8)
}

/// The two sets a metric compares, which of their images it may use, and the seed of its random choices.
public struct ImageSets: Sendable {
  /// The set to measure against.
  public let real: any ImageSource
  /// The set to measure; its size and channels are those of the real one.
  public let generated: any ImageSource
  /// At most this many images of each set take part.
  public let limit: Int
  /// Decides every random choice of the metrics.
  public let seed: UInt64
  /// Images fetched at a time; no value depends on it.
  public let batchSize: Int
  /// Half-samples that confidence intervals are estimated from; 0 for none.
  public let resamples: Int
  /// Where features are kept; nil: nowhere.
  public let cache: FeatureCache?
  /// What metrics of these sets have worked out already.
  let store = FeatureStore()

  /// - Throws: ``MetricError`` where a set is empty or the sets differ in size or channels.
  public init(
    real: any ImageSource, generated: any ImageSource, limit: Int? = nil, seed: UInt64 = 0,
    batchSize: Int = 64, resamples: Int = 100, cache: FeatureCache? = nil
  ) throws {
    for set in [real, generated] where set.count == 0 {
      throw MetricError("\(set.name): no images; at least two were expected")
    }
    guard real.format == generated.format else {
      throw MetricError(
        "\(real.name) has \(real.format) and \(generated.name) \(generated.format); "
          + "bring both to one size and one number of channels")
    }
    guard limit ?? 2 >= 2, batchSize > 0 else {
      throw MetricError("a count of \(limit ?? 0) images was asked for; metrics need at least two")
    }
    self.real = real
    self.generated = generated
    self.limit = limit ?? .max
    self.seed = seed
    self.batchSize = batchSize
    self.resamples = max(0, resamples)
    self.cache = cache
  }

  /// Positions of the first `count` real images of a seeded permutation. Neighbours in a folder are often
  /// slices of one patient; shuffled, they seldom meet in a pair, and a subset covers the whole folder.
  func shuffledReals(_ count: Int) -> [Int] {
    let order = Tensor.randperm(real.count, generator: Generator(seed: Seed.derive(seed, 0x5245_414C)))
    return Array(order.array(of: Int.self).prefix(count))
  }

  /// Positions of the first `count` generated images, in their order.
  func firstGenerated(_ count: Int) -> [Int] { Array(0..<count) }

  var realCount: Int { min(real.count, limit) }
  var generatedCount: Int { min(generated.count, limit) }
}

extension ImageSource {
  /// Size and colour in words.
  public var format: String { "\(width)x\(height) px with \(channels) channel\(channels == 1 ? "" : "s")" }

  /// Calls `body` with one batch after the other and the place of its first image in `indices`.
  public func forEachBatch(
    of size: Int, at indices: [Int], _ body: (_ start: Int, _ images: Tensor) throws -> Void
  ) throws {
    for start in stride(from: 0, to: indices.count, by: size) {
      try body(start, images(at: Array(indices[start..<min(start + size, indices.count)])))
    }
  }
}
