// Where overlap-tile inference reads pixels and where its answers go: tensors, or files too large for memory.

import LimnImaging
import LimnTorch

/// An image of which any part can be read.
public protocol TileSource: AnyObject {
  /// Channels of the image.
  var channels: Int { get }
  /// Pixels along y.
  var height: Int { get }
  /// Pixels along x.
  var width: Int { get }
  /// Reads a part of the image. Tiles ask for whole rows, from the top down, each row once.
  /// - Returns: [C, rows, columns], float32 in [−1, 1].
  /// - Throws: where it cannot be read.
  func read(rows: Range<Int>, columns: Range<Int>) throws -> Tensor
}

/// Takes what was found, from the top down.
public protocol TileSink: AnyObject {
  /// Takes the next rows.
  /// - Parameter rows: [F, h, W], on the CPU, of the type that the answer had; of W the image's width.
  /// - Throws: where they cannot be kept.
  func append(_ rows: Tensor) throws
}

/// An image in memory.
public final class TensorSource: TileSource {
  private let image: Tensor

  /// - Parameter image: [C, H, W] in [−1, 1].
  public init(_ image: Tensor) {
    precondition(image.rank == 3, "an image is [C, H, W], shape \(image.shape) was given")
    self.image = image
  }

  public var channels: Int { image.size(0) }
  public var height: Int { image.size(1) }
  public var width: Int { image.size(2) }

  public func read(rows: Range<Int>, columns: Range<Int>) -> Tensor {
    image.narrowed(dim: 1, start: rows.lowerBound, length: rows.count)
      .narrowed(dim: 2, start: columns.lowerBound, length: columns.count)
  }
}

/// Gathers answers in memory.
final class TensorSink: TileSink {
  private let height: Int
  private var row = 0
  private(set) var answers: Tensor?

  init(height: Int) { self.height = height }

  func append(_ rows: Tensor) {
    let answers = answers ?? .empty([rows.size(0), height, rows.size(2)], dtype: rows.dtype)
    answers.narrowed(dim: 1, start: row, length: rows.size(1)).copy(from: rows)
    self.answers = answers
    row += rows.size(1)
  }
}

/// A TIFF of any size, read part by part.
public final class TIFFTileSource: TileSource {
  private let reader: TIFFRegionReader
  private let limits: (low: Double, high: Double)

  /// - Parameters:
  ///   - reader: an open file.
  ///   - window: what becomes −1 and 1. `IntensityWindow.full`, from 0 to the largest number that the type
  ///     holds, is for integers only; percentiles are for no file, since they follow from all of its pixels.
  /// - Throws: `ImagingError` for a window that does not say its limits.
  public init(_ reader: TIFFRegionReader, window: IntensityWindow = .full) throws {
    let isWhole = window == .full && !reader.dtype.isFloatingPoint
    guard let limits = isWhole ? (0, Double(1 << reader.storedBits) - 1) : window.fixedLimits else {
      throw ImagingError(
        file: reader.path, found: "\(reader.dtype) pixels and a window that follows the whole image",
        expected: "a window from one value to another", advice: "give the values that are black and white")
    }
    (self.reader, self.limits) = (reader, limits)
  }

  public var channels: Int { reader.channels }
  public var height: Int { reader.height }
  public var width: Int { reader.width }

  public func read(rows: Range<Int>, columns: Range<Int>) throws -> Tensor {
    let pixels = try reader.read(rows: rows, columns: columns)
    return IntensityWindow.range(limits.low, limits.high).applied(to: pixels) * 2 - 1
  }
}

extension TIFFStripWriter: TileSink {}
