// Files beside their sketches on one sheet, for choosing the extractor's settings.

import Foundation
import LimnTorch

/// Draws originals and their sketches, row above row.
public struct SketchSheet: Sendable {
  /// The settings to show.
  public var extractor: SketchExtractor
  /// Pixels per side of each image.
  public var size: Int

  /// Creates a sheet of `size` × `size` images.
  public init(extractor: SketchExtractor, size: Int) {
    self.extractor = extractor
    self.size = size
  }

  /// The sheet of one image, or of `count` images evenly chosen from a folder. Of a volume the middle axial
  /// slice is shown, from its 0.5th to its 99.5th percentile.
  /// - Returns: uint8 [C, H, W].
  /// - Throws: `ImagingError` where there is no image, or where one cannot be read.
  public func image(of source: URL, count: Int) throws -> Tensor {
    let images = try chosen(from: source, count: count).map(original)
    let channels = images.map { $0.shape[0] }.max() ?? 1
    let batch = Tensor.stack(images.map { $0.expanded([channels, size, size]) })
    return ContactSheet(padding: 4).image(ofRows: [batch, extractor(batch)])
  }

  private func chosen(from source: URL, count: Int) throws -> [URL] {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder)
    guard exists, isFolder.boolValue else { return [source] }
    let names = FileManager.default.enumerator(atPath: source.path)?.compactMap { $0 as? String } ?? []
    let files = names.sorted().map(source.appendingPathComponent).filter(ImageReader.isReadable)
    guard !files.isEmpty else {
      throw ImagingError(
        file: source.path, found: "a folder without images",
        expected: "PNG, JPEG, TIFF, NIfTI or DICOM files",
        advice: "check the path")
    }
    let shown = min(count, files.count)
    return (0..<shown).map { files[$0 * files.count / shown] }
  }

  /// The middle slice as [C, size, size] in [−1, 1].
  private func original(_ url: URL) throws -> Tensor {
    let volume = try ImageReader.read(url)
    let middle = volume.sliceCount(axis: .axial) / 2
    let slice = volume.slices(axis: .axial, range: middle..<middle + 1)[0]
    let window: IntensityWindow = slice.dtype == .uint8 ? .full : .percentiles(0.5, 99.5)
    // Beyond three channels (a series of volumes) the first stands for all.
    let shown = slice.shape[0] == 3 ? slice : slice.narrowed(dim: 0, start: 0, length: 1)
    return ImageResize.fit(window.applied(to: shown), size: size, mode: .pad) * 2 - 1
  }
}
