// A labelled volume, and the files that it is written to: in the kind of its source, with its geometry.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch

/// A volume with a label for each voxel.
public struct SegmentedVolume {
  /// What was labelled.
  public let source: Volume
  /// Values of label maps, int32 [Z, H, W].
  public let labels: Tensor
  /// [K, Z, H, W]; nil where they were not to be kept.
  public let probabilities: Tensor?

  /// Labels a volume slice by slice.
  /// - Parameters:
  ///   - source: the volume.
  ///   - segmenter: the trained networks.
  ///   - keepsProbabilities: whether they are wanted, too.
  ///   - progress: told the slices that are done; what it throws ends the work.
  /// - Throws: `RunError` where the volume does not fit the networks; what `progress` throws.
  public init(
    _ source: Volume, by segmenter: Segmenter, keepsProbabilities: Bool = false,
    progress: (_ slices: Int) throws -> Void = { _ in }
  ) throws {
    let images = try segmenter.images(of: source)
    var (labels, probabilities) = ([Tensor](), [Tensor]())
    for slice in 0..<source.size[0] {
      let found = try segmenter.probabilities(of: images[.all, slice])
      labels.append(segmenter.values(found))
      if keepsProbabilities { probabilities.append(found) }
      try progress(slice + 1)
    }
    self.source = source
    self.labels = .stack(labels)
    self.probabilities = probabilities.isEmpty ? nil : .stack(probabilities, dim: 1)
  }

  /// Whether the source is a picture, without a place in a patient.
  private var isPicture: Bool { ["PNG", "JPEG", "TIFF"].contains(source.info.format) && source.size[0] == 1 }

  /// Writes the labels: of pictures as an indexed PNG in the classes' colours, of volumes as NIfTI with the
  /// source's affine.
  /// - Parameters:
  ///   - folder: where the file goes; it is made.
  ///   - name: the file's name without extension.
  /// - Returns: the file.
  /// - Throws: where it cannot be written.
  public func write(to folder: URL, name: String) throws -> URL {
    try write(labels.to(.uint8), folder, name) { try PNGFile.encode(labels: $0[0]) }
  }

  /// Writes an instance map [Z, H, W]: 16-bit PNG or NIfTI.
  /// - Throws: where it cannot be written.
  public func write(instances: Tensor, to folder: URL, name: String) throws -> URL {
    try write(instances.to(.uint16), folder, name) { try PNGFile.encode(pixels: $0) }
  }

  /// Writes the probability of each class but the background, `NAME_CLASS`: 16-bit PNG, 65,535 being 1, or
  /// float32 NIfTI.
  /// - Throws: where a file cannot be written.
  public func writeProbabilities(to folder: URL, name: String, classes: [String]) throws {
    guard let probabilities else { return }
    for (number, label) in classes.enumerated().dropFirst() {
      let own = probabilities[number]
      let values = isPicture ? (own * 65535).round().to(.uint16) : own.to(.float32)
      _ = try write(values, folder, "\(name)_\(label.fileName)") { try PNGFile.encode(pixels: $0) }
    }
  }

  private func write(_ values: Tensor, _ folder: URL, _ name: String, png: (Tensor) throws -> Data) throws
    -> URL
  {
    let file = folder.appendingPathComponent(isPicture ? "\(name).png" : "\(name).nii.gz")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    if isPicture {
      try AtomicFile.write(png(values), to: file)
    } else {
      let volume = Volume(
        voxels: values.unsqueezed(0), affine: source.affine, storedBits: 8 * values.dtype.size,
        info: source.info)
      try NIfTIFile.write(volume, to: file)
    }
    return file
  }
}

extension String {
  /// Letters, digits and hyphens.
  fileprivate var fileName: String {
    String(map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "-" })
  }
}
