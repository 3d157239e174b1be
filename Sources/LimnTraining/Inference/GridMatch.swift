// One image brought onto another one's grid.

import LimnImaging
import LimnTorch

extension Volume {
  /// The volume on the grid of another one: itself where it has that grid or neither has a place in a patient, else its
  /// values there by the affines of both, linearly, its least value where it does not reach.
  /// - Throws: `RunError` where the two cannot be brought over one another.
  package func brought(onto grid: Volume) throws -> Volume {
    let isPlaced = info.hasGeometry && grid.info.hasGeometry
    guard size != grid.size || (isPlaced && !affine.placesAlike(grid.affine, size: size)) else { return self }
    guard isPlaced else {
      throw RunError("\(info.path): \(extents), expected \(grid.extents) as in \(grid.info.path)")
    }
    var result = try resampledLinearly(onto: grid)
    let isKnown = result.voxels.isEqual(to: result.voxels)
    guard isKnown.any().item() == 1 else {
      throw RunError("\(info.path): lies nowhere over \(grid.info.path); expected images of one place")
    }
    let least = voxels.to(.float32).min().item()
    let values = Tensor.where(isKnown, result.voxels, Tensor.full([], least))
    result.voxels = voxels.dtype.isFloatingPoint ? values.to(voxels.dtype) : values.round().to(voxels.dtype)
    return result
  }

  private var extents: String {
    (size[0] > 1 ? "\(size[0]) slices of " : "") + "\(size[2])x\(size[1]) pixels"
  }
}
