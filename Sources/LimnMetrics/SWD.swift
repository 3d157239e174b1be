// Sliced Wasserstein distance between local patches of Laplacian pyramids: Karras, Aila, Laine, Lehtinen,
// "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (ICLR 2018, arXiv 1710.10196),
// section 5; the sliced distance is from Rabin et al. (2011).

import LimnTorch

/// How far the patches of generated images are from those of real ones, for each level of a Laplacian
/// pyramid.
public struct SWD: Sendable, Equatable {
  /// The distance at one level of the pyramid.
  public struct Level: Sendable, Equatable {
    /// Pixels.
    public let height: Int
    /// Pixels.
    public let width: Int
    /// Unscaled, in standard deviations of the level's patches; publications print it times 1000.
    public let value: Double
  }

  /// Finest level first.
  public let levels: [Level]
  /// For each half of the images, the mean over levels, unscaled.
  let halves: [Double]
  /// The mean over levels, unscaled.
  public var average: Double { levels.reduce(0) { $0 + $1.value } / Double(levels.count) }
}

extension SWD {
  static let patchSide = 7
  static let patchesPerImage = 128
  /// Karras et al. draw 4 times 128; equal shares, so the mean of the four means is the mean over all.
  static let directionCount = 4 * 128
  static let fullImageCount = 16_384

  /// All random choices of a measurement.
  public struct Plan: Sendable {
    /// Which images take part, and in which order they meet their centres; equally many of both sets.
    public var realImages: [Int]
    /// Positions in the generated set, as many as there are ``realImages``.
    public var generatedImages: [Int]
    /// For each level, the patches' centres in each image: [N, P, 2], (row, column), integers, at least 3 px
    /// from every border.
    public var realCenters: [Tensor]
    /// The same for ``generatedImages``.
    public var generatedCenters: [Tensor]
    /// For each level, unit vectors [D, 3 * 7 * 7] with components in the order (channel, row, column).
    public var directions: [Tensor]

    /// Choices made elsewhere, such as by a reference implementation; they are not checked.
    public init(
      realImages: [Int], generatedImages: [Int], realCenters: [Tensor], generatedCenters: [Tensor],
      directions: [Tensor]
    ) {
      self.realImages = realImages
      self.generatedImages = generatedImages
      self.realCenters = realCenters
      self.generatedCenters = generatedCenters
      self.directions = directions
    }

    /// Draws 128 patches an image and 512 directions, anew for each level.
    init(realImages: [Int], generatedImages: [Int], sizes: [(height: Int, width: Int)], seed: UInt64) {
      func generator(_ purpose: UInt64, _ level: Int) -> Generator {
        Generator(seed: Seed.derive(seed, purpose, UInt64(level)))
      }
      self.init(
        realImages: realImages, generatedImages: generatedImages,
        realCenters: sizes.indices.map {
          Self.centers(realImages.count, in: sizes[$0], generator: generator(1, $0))
        },
        generatedCenters: sizes.indices.map {
          Self.centers(generatedImages.count, in: sizes[$0], generator: generator(2, $0))
        },
        directions: sizes.indices.map { Self.directions(generator: generator(3, $0)) })
    }

    private static func centers(
      _ count: Int, in size: (height: Int, width: Int), generator: Generator
    ) -> Tensor {
      let margin = patchSide / 2
      let axes = [size.height, size.width].map {
        Tensor.randint(margin, $0 - margin, [count, patchesPerImage], generator: generator).to(.int16)
      }
      return Tensor.stack(axes, dim: -1)
    }

    private static func directions(generator: Generator) -> Tensor {
      let normal = Tensor.randn([directionCount, 3 * patchSide * patchSide], generator: generator)
      return normal / normal.norm(dims: [1], keepDim: true)
    }
  }

  /// Measures two sets with given choices.
  ///
  /// One level is in memory at a time, in two layouts: 2 * N * P * C * 49 floats for each set (16,384 RGB
  /// images: 2.5 GB, grey 0.8 GB); the images stream through in batches, once for each level.
  /// - Throws: ``MetricError`` where images are too small or have neither one nor three channels.
  public static func between(
    real: any ImageSource, generated: any ImageSource, plan: Plan, batchSize: Int = 64
  ) throws -> SWD {
    try between(
      real: real, generated: generated, plan: plan, batchSize: batchSize,
      halves: HalfSamples(count: 0, seed: 0))
  }

  /// The same with halves of the images beside.
  static func between(
    real: any ImageSource, generated: any ImageSource, plan: Plan, batchSize: Int, halves: HalfSamples
  ) throws -> SWD {
    guard real.channels == 1 || real.channels == 3 else {
      throw MetricError("\(real.name): \(real.channels) channels; SWD is defined for 1 (grey) and 3 (RGB)")
    }
    let sizes = try LaplacianPyramid.sizes(height: real.height, width: real.width, name: real.name)
    return try withoutGradients {
      let halfCount = halves.isPossible([plan.realImages.count]) ? halves.count : 0
      var halfSums = [Double](repeating: 0, count: halfCount)
      let levels = try sizes.indices.map { level in
        let realPatches = try normalizedPatches(
          real, plan.realImages, plan.realCenters[level], level: level, of: sizes.count,
          batchSize: batchSize)
        let generatedPatches = try normalizedPatches(
          generated, plan.generatedImages, plan.generatedCenters[level], level: level, of: sizes.count,
          batchSize: batchSize)
        let directions = foldedDirections(plan.directions[level], channels: real.channels)
        if !halfSums.isEmpty {
          let images = (plan.realImages.count, plan.generatedImages.count)
          let distances = halfDistances(realPatches, generatedPatches, directions, images: images, halves)
          halfSums = zip(halfSums, distances).map { $0 + $1 }
        }
        let value = distance(realPatches, generatedPatches, directions: directions)
        return Level(height: sizes[level].height, width: sizes[level].width, value: value)
      }
      return SWD(levels: levels, halves: halfSums.map { $0 / Double(sizes.count) })
    }
  }

  // MARK: Features

  private static func normalizedPatches(
    _ source: any ImageSource, _ indices: [Int], _ centers: Tensor, level: Int, of levels: Int, batchSize: Int
  ) throws -> Tensor {
    let perImage = centers.size(1)
    let all = Tensor.empty([indices.count * perImage, source.channels, patchSide * patchSide])
    try source.forEachBatch(of: batchSize, at: indices) { start, images in
      let end = start + images.size(0)
      let band = LaplacianPyramid.level(level, of: levels, images)
      all[start * perImage..<end * perImage] = patches(band, at: centers[start..<end])
    }
    normalize(all)
    return all
  }

  /// The patches of `band` [N, C, H, W] about `centers` [N, P, 2]: [N * P, C, 49].
  static func patches(_ band: Tensor, at centers: Tensor) -> Tensor {
    let windows = band.unfolded(dim: 2, size: patchSide, step: 1).unfolded(dim: 3, size: patchSide, step: 1)
      .permuted([0, 2, 3, 1, 4, 5])  // [N, H - 6, W - 6, C, 7, 7]
    let corners = centers.to(.int64) - Tensor(patchSide / 2)
    let image = Tensor.arange(band.size(0)).unsqueezed(1)  // [N, 1]
    return windows[image, corners[.ellipsis, 0], corners[.ellipsis, 1]]  // [N, P, C, 7, 7]
      .reshaped([-1, band.size(1), patchSide * patchSide])
  }

  /// Brings each channel of `patches` [M, C, 49] to mean 0 and population deviation 1 over all patches, in
  /// place. A channel without any variation becomes 0.
  private static func normalize(_ patches: Tensor) {
    for channel in 0..<patches.size(1) {
      let values = patches[.all, channel]
      values.add(values.mean(), scaledBy: -1)
      let deviation = values.variance(unbiased: false).sqrt().item()
      values.multiply(by: deviation > 0 ? 1 / deviation : 0)
    }
  }

  // MARK: Statistics

  /// Directions [D, 147] for patches of one or three channels: [D, C * 49].
  private static func foldedDirections(_ directions: Tensor, channels: Int) -> Tensor {
    let parts = directions.reshaped([-1, 3, patchSide * patchSide])
    // Grey stands for three equal channels: their projections add up, so the directions' parts may.
    return (channels == 1 ? parts.sum(dims: [1]) : parts).reshaped([parts.size(0), -1])
  }

  /// The mean over directions [D, C * 49] of the Wasserstein-1 distance between projections of [M, C, 49]
  /// patches.
  private static func distance(_ a: Tensor, _ b: Tensor, directions: Tensor) -> Double {
    // Laid out once, or every product would lay them out anew.
    let columnsA = a.flattened(from: 1).transposed(0, 1).contiguous()
    let columnsB = b.flattened(from: 1).transposed(0, 1).contiguous()
    let rowsAtOnce = min(directions.size(0), max(2, projectionsInMemory / a.size(0)))
    // The same memory for all: fresh pages would cost as much as the products.
    let memory = [a, b].map { Tensor.empty([rowsAtOnce, $0.size(0)]) }
    let distances = directions.split(size: rowsAtOnce).flatMap { rows in
      let projections = zip(memory, [columnsA, columnsB]).map { memory, columns in
        let part = memory[0..<rows.size(0)]
        part.addProduct(of: rows, columns, keeping: 0)
        return part
      }
      return meanSortedDifferences(projections[0], projections[1])
    }
    return distances.reduce(0, +) / Double(distances.count)
  }

  /// The distance between halves of the images along the first directions, one for each half.
  private static func halfDistances(
    _ a: Tensor, _ b: Tensor, _ directions: Tensor, images: (Int, Int), _ halves: HalfSamples
  ) -> [Double] {
    let rows = directions[0..<min(halfDirectionCount, directions.size(0))]
    func projections(_ patches: Tensor, _ count: Int) -> Tensor {
      matmul(rows, patches.flattened(from: 1).transposed(0, 1)).reshaped([rows.size(0), count, -1])
    }
    let (all, others) = (projections(a, images.0), projections(b, images.1))
    let (first, second) = (halves.halves(of: images.0, stream: 1), halves.halves(of: images.1, stream: 2))
    return (0..<halves.count).map { half in
      let distances = meanSortedDifferences(
        all.indexSelect(dim: 1, first[half]).flattened(from: 1),
        others.indexSelect(dim: 1, second[half]).flattened(from: 1))
      return distances.reduce(0, +) / Double(distances.count)
    }
  }

  /// Directions that halves are compared along; more would take longer than the distance itself.
  private static let halfDirectionCount = 16

  /// 128 MB of projections for each set.
  private static let projectionsInMemory = 1 << 25
}
