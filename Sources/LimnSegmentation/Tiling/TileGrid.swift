// Where the tiles of an image lie: their kept parts cover it without overlap, their context is mirrored.

/// The tiles of an image, all of one size.
///
/// The kept parts begin at multiples of the network's alignment and touch. Tiles are made as equal as that
/// allows, so that the last ones of a row or column show little beyond the image.
public struct TileGrid: Sendable, Equatable {
  /// Pixels of the image along y.
  public let height: Int
  /// Pixels of the image along x.
  public let width: Int
  /// Pixels around the kept part that a tile shows on every side.
  public let context: Int
  /// Pixels of a kept part along y.
  public let tileHeight: Int
  /// Pixels of a kept part along x.
  public let tileWidth: Int

  /// Lays tiles over an image.
  /// - Parameters:
  ///   - height: pixels of the image along y, at least 1.
  ///   - width: pixels of the image along x, at least 1.
  ///   - side: the largest side of a kept part, at least `alignment`.
  ///   - alignment: kept parts begin at multiples of this.
  ///   - context: pixels around the kept part on every side.
  public init(height: Int, width: Int, side: Int, alignment: Int, context: Int) {
    precondition(height > 0 && width > 0, "an image has pixels, \(height) x \(width) were given")
    precondition(
      side >= alignment, "kept parts of \(side) pixels are smaller than the alignment, \(alignment)")
    func kept(_ length: Int) -> Int {
      let count = (length - 1) / (side / alignment * alignment) + 1
      return ((length - 1) / count / alignment + 1) * alignment
    }
    (self.height, self.width, self.context) = (height, width, context)
    (tileHeight, tileWidth) = (kept(height), kept(width))
  }

  /// Tiles from top to bottom.
  public var rowCount: Int { (height - 1) / tileHeight + 1 }
  /// Tiles from left to right.
  public var columnCount: Int { (width - 1) / tileWidth + 1 }

  /// The image's rows that a row of tiles answers for.
  public func keptRows(_ row: Int) -> Range<Int> { row * tileHeight..<min(height, (row + 1) * tileHeight) }
  /// The image's columns that a column of tiles answers for.
  public func keptColumns(_ column: Int) -> Range<Int> {
    column * tileWidth..<min(width, (column + 1) * tileWidth)
  }

  /// The rows that a row of tiles shows, those beyond the image too.
  public func shownRows(_ row: Int) -> Range<Int> {
    row * tileHeight - context..<(row + 1) * tileHeight + context
  }

  /// The columns that a column of tiles shows, those beyond the image too.
  public func shownColumns(_ column: Int) -> Range<Int> {
    column * tileWidth - context..<(column + 1) * tileWidth + context
  }

  /// How large tiles may be.
  /// - Parameters:
  ///   - memory: for a batch of tiles, in bytes.
  ///   - bytesPerPixel: what the network holds at its peak for a pixel of a tile, context included.
  ///   - batch: tiles taken together.
  ///   - alignment: of the network.
  ///   - context: of the network.
  /// - Returns: the largest side of kept parts whose tiles fit, at least `alignment`.
  public static func side(
    memory: Int, bytesPerPixel: Int, batch: Int = 1, alignment: Int, context: Int
  ) -> Int {
    let pixels = Double(memory) / Double(max(1, bytesPerPixel * batch))
    let side = Int(pixels.squareRoot()) - 2 * context
    return max(1, side / alignment) * alignment
  }
}
