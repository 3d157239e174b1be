// Volumes that are read some slices at a time: a series of thousands need not fit into memory.

import Foundation
import LimnTorch

/// A volume in slabs of neighbouring slices, each read when it is asked for. Most volumes are one slab, already read.
public struct VolumeSlabs {
  /// The volume's size, place and description; its voxels mean something only where there is one slab.
  public let outline: Volume
  /// The slices of each slab, in the volume's order.
  public let ranges: [Range<Int>]
  private let read: (Range<Int>) throws -> Tensor

  /// A volume that has been read.
  public init(_ volume: Volume) {
    outline = volume
    ranges = [0..<volume.voxels.shape[1]]
    read = { _ in volume.voxels }
  }

  /// A volume that is not read yet.
  /// - Parameters:
  ///   - outline: everything but its voxels' values.
  ///   - length: slices in a slab.
  ///   - read: gives a range of slices [C, slices, Y, X].
  init(_ outline: Volume, length: Int, read: @escaping (Range<Int>) throws -> Tensor) {
    let count = outline.voxels.shape[1]
    self.outline = outline
    self.read = read
    ranges = stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
  }

  /// The volume as one slab.
  /// - Throws: `ImagingError` where a file cannot be decoded.
  public func whole() throws -> VolumeSlabs {
    guard ranges.count > 1 else { return self }
    return VolumeSlabs(try volume(0..<outline.voxels.shape[1]))
  }

  /// One slab, lying where it does in the volume.
  /// - Throws: `ImagingError` where a file cannot be decoded.
  public func slab(_ index: Int) throws -> Volume { try volume(ranges[index]) }

  private func volume(_ range: Range<Int>) throws -> Volume { outline.part(range, voxels: try read(range)) }
}

extension Volume {
  /// Some of the slices, in the same place.
  public func part(_ range: Range<Int>) -> Volume {
    part(range, voxels: voxels.narrowed(dim: 1, start: range.lowerBound, length: range.count))
  }

  fileprivate func part(_ range: Range<Int>, voxels: Tensor) -> Volume {
    var result = self
    result.voxels = voxels
    guard range.count < self.voxels.shape[1] else { return result }
    result.affine =
      affine
      * Affine(x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1], origin: [0, 0, Double(range.lowerBound)])
    result.info.stack?.origins = info.stack.map { Array($0.origins[range]) } ?? []
    return result
  }
}

extension DICOMSeries {
  /// Reads files as the volumes that they make up, as ``read(files:)`` does, large ones a slab at a time.
  /// - Parameters:
  ///   - files: DICOM files.
  ///   - bytes: of stored pixels that are held at once; a slab is one slice at least.
  /// - Returns: a volume for each series, orientation and repetition, in the order of their first files.
  /// - Throws: `ImagingError` where there is none, or where a file that is read now cannot be decoded.
  public static func slabs(files: [URL], bytes: Int = 128 << 20) throws -> [VolumeSlabs] {
    try groups(of: files.map(\.path), in: files.first?.path ?? "no file").flatMap { group in
      let size = group[0].rows * group[0].columns * group[0].channels * max(1, group[0].bitsAllocated / 8)
      guard group.count > 1, size * group.count > bytes else {
        return try volumes(of: group).map(VolumeSlabs.init)
      }
      let stack = SliceStack(group.map(Slice.init(only:)))
      return [stack.slabs(length: max(1, bytes / size))]
    }
  }
}

extension SliceStack {
  fileprivate func slabs(length: Int) -> VolumeSlabs {
    let first = slices[0].header
    let nothing = Tensor.zeros([1, 1, 1, 1]).expanded([
      first.channels, slices.count, first.rows, first.columns,
    ])
    return VolumeSlabs(volume(nothing, bits: first.bitsStored), length: length) {
      try DICOMSeries.decoded(slices[$0]).voxels
    }
  }
}
