// Exporting pictures: a PNG or TIFF for each image and layer.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/LAYER/ID.png` or `.tif`.
class PictureExport: FormatWriter {
  fileprivate let context: ExportContext

  required init(_ context: ExportContext) { self.context = context }

  func write(_ stack: ExportStack) throws -> [String] {
    try stack.items.flatMap { index in
      try context.dataset.layerNames.map { layer in
        try write(layer, index, to: "\(stack.split.rawValue)/\(layer)/\(context.id(index))")
      }
    }
  }

  /// Writes one image of a layer to a path without its ending, and gives the path with it.
  fileprivate func write(_ layer: String, _ index: Int, to path: String) throws -> String {
    try context.write(context.png(layer, index), to: "\(path).png")
  }
}

/// The same as TIFF.
final class TIFFExport: PictureExport {
  override fileprivate func write(_ layer: String, _ index: Int, to path: String) throws -> String {
    let pixels = try context.pixels(layer, index)
    let voxels = pixels.rank == 2 ? pixels.unsqueezed(0).unsqueezed(0) : pixels.unsqueezed(1)
    try TIFFFile.write(voxels: voxels, description: context.statement, to: context.place("\(path).tif"))
    return "\(path).tif"
  }
}
