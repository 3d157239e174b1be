// Exporting volumes: the slices of each source stacked again, in the place that they came from.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/LAYER/NAME.nii.gz`.
final class NIfTIExport: FormatWriter {
  private let context: ExportContext

  init(_ context: ExportContext) { self.context = context }

  func write(_ stack: ExportStack) throws -> [String] {
    try context.dataset.layerNames.map { layer in
      let path = "\(stack.split.rawValue)/\(layer)/\(stack.name).nii.gz"
      let volume = Volume(
        voxels: try voxels(layer, of: stack),
        affine: stack.affine ?? .picture(spacing: spacing(of: stack.items[0])),
        storedBits: context.dataset.bitDepth,
        info: SourceInfo(path: path, format: FileKind.nifti.rawValue, hasGeometry: stack.affine != nil))
      try NIfTIFile.write(
        volume, scale: context.scale(layer), description: context.statement, to: context.place(path))
      return path
    }
  }

  /// [C, Z, Y, X]; slices that the dataset does not have are 0.
  private func voxels(_ layer: String, of stack: ExportStack) throws -> Tensor {
    let stored = Pixels.rows(stack.items, of: try context.dataset.layer(layer))
    let slices = stored.rank == 3 ? stored.unsqueezed(1) : stored
    guard stack.depth > stack.items.count else { return slices.permuted([1, 0, 2, 3]).contiguous() }
    let blank = Tensor.zeros(Array(slices.shape.dropFirst()), dtype: slices.dtype)
    var placed = [Tensor](repeating: blank, count: stack.depth)
    for (row, position) in stack.positions.enumerated() { placed[position] = slices[row] }
    return Tensor.stack(placed, dim: 1)
  }

  private func spacing(of index: Int) -> SIMD3<Double> {
    context.spacing(index).map { [$0[1], $0[0], 1] } ?? [1, 1, 1]
  }
}
