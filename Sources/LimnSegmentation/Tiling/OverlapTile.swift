// "U-Net" (arXiv:1505.04597), figure 2: overlap-tile inference. Images of any size in constant memory, seamless.

import LimnImaging
import LimnTorch
import LimnTraining

/// How far tiles have come.
public struct TileProgress: Sendable, Equatable {
  /// Tiles that are done.
  public var finished: Int
  /// Tiles of the image.
  public var total: Int
}

/// Applies a network to an image tile by tile, as if it were applied to the whole image at once.
///
/// Each tile shows the network all that the pixels kept of it depend on; beyond the image's borders lies its
/// mirror image. The answer does not depend on the tiles' size: networks without statistics over the tile (as
/// instance normalisation has) give what they would give of the whole image, up to rounding.
public struct OverlapTile {
  /// Answers tiles [N, C, h + 2 · context, w + 2 · context] by [N, F, h, w] of any type.
  public typealias Answer = (_ tiles: Tensor) throws -> Tensor
  /// Told after each batch; throwing ends the work.
  public typealias Progress = (TileProgress) throws -> Void

  /// The network.
  public let predictor: any TilePredictor
  /// The largest side of a tile's kept part, in pixels.
  public let side: Int
  /// Tiles that the network takes together.
  public let batch: Int
  /// Where the network is.
  public let device: Device

  /// Prepares the tiles.
  /// - Parameters:
  ///   - predictor: the network.
  ///   - side: the largest side of a tile's kept part, in pixels, at least the network's alignment; see
  ///     ``TileGrid/side(memory:bytesPerPixel:batch:alignment:context:)``.
  ///   - batch: tiles that the network takes together.
  ///   - device: where the network is.
  public init(_ predictor: any TilePredictor, side: Int, batch: Int = 1, device: Device = .cpu) {
    precondition(batch > 0, "a batch holds at least one tile")
    (self.predictor, self.side, self.batch, self.device) = (predictor, side, batch, device)
  }

  /// The tiles of an image.
  public func grid(height: Int, width: Int) -> TileGrid {
    TileGrid(
      height: height, width: width, side: side, alignment: predictor.alignment, context: predictor.context)
  }

  /// Class probabilities of an image in memory.
  /// - Parameters:
  ///   - image: [C, H, W] in [−1, 1].
  ///   - progress: told after each batch.
  /// - Returns: [K, H, W] on the CPU.
  /// - Throws: what `progress` throws.
  public func probabilities(of image: Tensor, progress: Progress = { _ in }) throws -> Tensor {
    try answers(to: image, progress: progress, answer: predictor.probabilities)
  }

  /// Any answers to an image in memory.
  /// - Parameters:
  ///   - image: [C, H, W] in [−1, 1].
  ///   - progress: told after each batch.
  ///   - answer: answers tiles.
  /// - Returns: [F, H, W] on the CPU.
  /// - Throws: what `progress` or `answer` throws.
  public func answers(to image: Tensor, progress: Progress = { _ in }, answer: Answer) throws -> Tensor {
    let sink = TensorSink(height: image.size(1))
    try write(from: TensorSource(image), to: sink, progress: progress, answer: answer)
    return sink.answers ?? .zeros([0, image.size(1), image.size(2)])
  }

  /// Answers an image of any size, of which only a row of tiles is in memory at any time.
  /// - Parameters:
  ///   - source: where pixels are read, each once.
  ///   - sink: where answers go, a row of tiles at a time.
  ///   - progress: told after each batch.
  ///   - answer: answers tiles: by the predictor's probabilities, or by what is to be kept of them.
  /// - Throws: what the source, the sink, `progress` or `answer` throws.
  public func write(
    from source: any TileSource, to sink: any TileSink, progress: Progress = { _ in }, answer: Answer
  ) throws {
    precondition(
      source.channels == predictor.inputChannels,
      "the network takes \(predictor.inputChannels) channels, the image has \(source.channels)")
    let grid = grid(height: source.height, width: source.width)
    var window = RowWindow(source: source)
    for row in 0..<grid.rowCount {
      let strip = try window.shown(grid.shownRows(row))
      var finished = row * grid.columnCount
      let total = grid.rowCount * grid.columnCount
      let rows = try answers(toStrip: strip, row: row, grid: grid, answer: answer) { count in
        finished += count
        try progress(TileProgress(finished: finished, total: total))
      }
      try sink.append(rows)
    }
  }

  /// The rows [F, h, W] that a row of tiles answers for, of those it shows, [C, h + 2 · context, W].
  private func answers(
    toStrip strip: Tensor, row: Int, grid: TileGrid, answer: Answer, advance: (Int) throws -> Void
  ) throws -> Tensor {
    let height = grid.keptRows(row).count
    var kept: Tensor?
    for first in stride(from: 0, to: grid.columnCount, by: batch) {
      let columns = first..<min(first + batch, grid.columnCount)
      let tiles = Tensor.stack(
        columns.map { strip.mirrored(rows: 0..<strip.size(1), columns: grid.shownColumns($0)) })
      let found = try withoutGradients { try answer(tiles.to(device)).to(.cpu) }
      let rows = kept ?? .empty([found.size(1), height, grid.width], dtype: found.dtype)
      for (index, column) in columns.enumerated() {
        let place = grid.keptColumns(column)
        rows.narrowed(dim: 2, start: place.lowerBound, length: place.count).copy(
          from: found[index].narrowed(dim: 1, start: 0, length: height)
            .narrowed(dim: 2, start: 0, length: place.count))
      }
      kept = rows
      try advance(columns.count)
    }
    return kept ?? .zeros([0, height, grid.width])
  }
}

/// The rows in memory while a row of tiles goes down the image: each is read once.
private struct RowWindow {
  let source: any TileSource
  private var rows = 0..<0
  private var pixels: Tensor?

  init(source: any TileSource) { self.source = source }

  /// Rows of the image and its mirror images.
  mutating func shown(_ shown: Range<Int>) throws -> Tensor {
    let places = shown.map { MirroredAxis.place($0, of: source.height) }
    let wanted = (places.min() ?? 0)..<(places.max() ?? 0) + 1
    let pixels = try move(to: wanted)
    guard wanted != shown else { return pixels }
    return pixels.indexSelect(dim: 1, Tensor(places.map { $0 - wanted.lowerBound }).to(pixels.device))
  }

  private mutating func move(to wanted: Range<Int>) throws -> Tensor {
    let kept = rows.clamped(to: wanted)
    var parts: [Tensor] = []
    if let pixels, !kept.isEmpty, kept.lowerBound == wanted.lowerBound {
      parts.append(pixels.narrowed(dim: 1, start: kept.lowerBound - rows.lowerBound, length: kept.count))
    }
    let next = parts.isEmpty ? wanted : kept.upperBound..<wanted.upperBound
    if !next.isEmpty { parts.append(try source.read(rows: next, columns: 0..<source.width)) }
    let moved = parts.count == 1 ? parts[0] : Tensor.cat(parts, dim: 1)
    (rows, pixels) = (wanted, moved)
    return moved
  }
}
