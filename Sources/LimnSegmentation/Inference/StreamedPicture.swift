// Pictures too large to be held whole: read part by part, their labels written row by row.

import Foundation
import LimnImaging
import LimnTorch
import LimnTraining

/// A TIFF that is labelled without ever being whole in memory.
public struct StreamedPicture {
  /// Pictures of more pixels are labelled so.
  public static let threshold = 1 << 26

  private let file: URL
  /// Rows and columns.
  public let size: [Int]

  /// Nil for smaller pictures, and for other files than TIFFs of one page that can be read in parts.
  /// - Parameters:
  ///   - file: any file.
  ///   - limit: pictures of no more pixels are not taken.
  public init?(_ file: URL, over limit: Int = threshold) {
    guard FileKind(sniffing: file) == .tiff, let reader = try? TIFFRegionReader(file),
      reader.height * reader.width > limit
    else { return nil }
    (self.file, size) = (file, [reader.height, reader.width])
  }

  /// Writes the labels as a TIFF in the classes' colours, which appears whole or not at all.
  /// - Parameters:
  ///   - url: the file.
  ///   - segmenter: the trained networks.
  ///   - progress: told after each tile; what it throws ends the work.
  /// - Throws: `ImagingError` where the picture cannot be read or its labels cannot be written; `RunError` where it
  ///   does not fit the networks; what `progress` throws.
  public func writeLabels(
    to url: URL, by segmenter: Segmenter, progress: OverlapTile.Progress = { _ in }
  ) throws {
    let source = try ShownTIFF(TIFFRegionReader(file), as: segmenter)
    let format = TIFFFormat(
      height: size[0], width: size[1], dtype: .uint8, palette: LabelColours.palette,
      description: segmenter.statement)
    try AtomicFile.makeFolder(of: url)
    try TIFFStripWriter.write(format, to: url) { sink in
      try segmenter.tiles.write(from: source, to: sink, progress: progress) { tiles in
        segmenter.values(segmenter.tiles.predictor.probabilities(tiles)).to(.uint8).unsqueezed(1)
      }
    }
  }
}

/// A TIFF as a segmenter's networks were shown images.
private final class ShownTIFF: TileSource {
  private let reader: TIFFRegionReader
  private let segmenter: Segmenter
  private let window: DisplayWindow

  init(_ reader: TIFFRegionReader, as segmenter: Segmenter) throws {
    (self.reader, self.segmenter) = (reader, segmenter)
    window = try segmenter.intake.window(storedBits: reader.storedBits).display(of: reader)
    // Says now what does not fit.
    _ = try read(rows: 0..<1, columns: 0..<1)
  }

  var channels: Int { segmenter.setting.shape.channels }
  var height: Int { reader.height }
  var width: Int { reader.width }

  func read(rows: Range<Int>, columns: Range<Int>) throws -> Tensor {
    try segmenter.intake.image(
      window.applied(to: reader.read(rows: rows, columns: columns)), path: reader.path)
  }
}
