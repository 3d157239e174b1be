// Exporting pictures: a PNG or TIFF for each image and layer.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/LAYER/ID.png`.
final class PNGExport: FormatWriter {
  private let context: ExportContext

  init(_ context: ExportContext) { self.context = context }

  func write(_ stack: ExportStack) throws -> [String] {
    try stack.items.flatMap { index in
      try context.dataset.layerNames.map { layer in
        try context.write(
          context.png(layer, index), to: "\(stack.split.rawValue)/\(layer)/\(context.id(index)).png")
      }
    }
  }
}

/// `SPLIT/LAYER/ID.tif`.
final class TIFFExport: FormatWriter {
  private let context: ExportContext

  init(_ context: ExportContext) { self.context = context }

  func write(_ stack: ExportStack) throws -> [String] {
    try stack.items.flatMap { index in
      try context.dataset.layerNames.map { layer in
        let path = "\(stack.split.rawValue)/\(layer)/\(context.id(index)).tif"
        let pixels = try context.pixels(layer, index)
        let voxels = pixels.rank == 2 ? pixels.unsqueezed(0).unsqueezed(0) : pixels.unsqueezed(1)
        try TIFFFile.write(voxels: voxels, description: context.statement, to: context.place(path))
        return path
      }
    }
  }
}
