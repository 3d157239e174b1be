// Multi-frame DICOM: the frames of one file put into volumes by where and when they were taken.

import Foundation
import LimnTorch

/// A file of several frames.
struct MultiFrame {
  let pixels: DICOMPixels
  let frames: [DICOMFrame]

  init(reading path: String) throws {
    let file = try DICOMFile(reading: path)
    pixels = DICOMPixels(file)
    let most = min(file.data.bytes.count, 200_000)
    guard pixels.header.frameCount <= most else {
      throw ImagingError(
        file: path, found: "\(pixels.header.frameCount) frames", expected: "at most \(most) in such a file",
        advice: ImageReader.damagedAdvice)
    }
    frames = DICOMFrame.all(of: file, count: pixels.header.frameCount)
  }

  /// Every volume of the file.
  func volumes() throws -> [Volume] {
    let (voxels, bits) = try pixels.values(frames)
    return stacks().map { $0.volume(Self.picked($0, from: voxels), bits: bits) }
  }

  /// The file as one volume: times, echoes and the like of one place become channels; frames that lie in
  /// different planes stay a pile of pictures.
  func volume() throws -> Volume {
    let (voxels, bits) = try pixels.values(frames)
    let stacks = stacks()
    let first = stacks[0]
    if stacks.count == 1 { return first.volume(Self.picked(first, from: voxels), bits: bits) }
    let corners = first.slices.map(\.corner)
    if voxels.shape[0] == 1, stacks.allSatisfy({ $0.isPlaced && $0.slices.map(\.corner) == corners }) {
      let channels = stacks.map { Self.picked($0, from: voxels) }
      return first.volume(Tensor.cat(channels, dim: 0), bits: bits)
    }
    var info = SourceInfo(pixels.header)
    info.hasGeometry = false
    info.warnings.append(
      "\(frames.count) frames in \(stacks.count) stacks of different places: kept as pictures")
    return Volume(
      voxels: voxels, affine: .picture(spacing: pixels.header.spacing), storedBits: bits,
      unit: pixels.header.unit, info: info)
  }

  /// Frames of one orientation, spacing and repetition together.
  func stacks() -> [SliceStack] {
    let slices = frames.map { Slice(pixels.header, $0) }
    guard slices.allSatisfy({ $0.place != nil }), !Self.areCopies(slices) else {
      return [SliceStack(unplaced: slices)]
    }
    var order: [String] = []
    var groups: [String: [Slice]] = [:]
    for slice in slices {
      let key = "\(slice.header.groupKey)|\(slice.header.spacing)"
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(slice)
    }
    return order.flatMap { SliceRepetition.split(groups[$0] ?? []).map { SliceStack($0) } }
  }

  /// A cine or a plain multi-frame file has one place for all its frames, and nothing tells them apart.
  private static func areCopies(_ slices: [Slice]) -> Bool {
    Set(slices.map(\.place)).count == 1 && SliceRepetition.split(slices).count == 1
  }

  private static func picked(_ stack: SliceStack, from voxels: Tensor) -> Tensor {
    let order = stack.slices.map(\.frame)
    guard order != Array(0..<voxels.shape[1]) else { return voxels }
    return voxels.indexSelect(dim: 1, Tensor(order))
  }
}
