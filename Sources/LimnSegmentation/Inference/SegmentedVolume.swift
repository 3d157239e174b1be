// A labelled volume, and the files that it is written to: in the kind of its source, with its geometry.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A volume with a label for each voxel.
public struct SegmentedVolume {
  /// What was labelled.
  public let source: Volume
  /// Values of label maps, int32 [Z, H, W].
  public let labels: Tensor
  /// [K, Z, H, W]; nil where they were not to be kept.
  public let probabilities: Tensor?
  /// The probabilities' standard deviation over versions and runs, [K, Z, H, W]; nil where it was not to be kept.
  public let spread: Tensor?
  /// How slices were brought to the training images' spacing; nil where they were shown as they are.
  public let match: SpacingMatch?
  private let segmenter: Segmenter

  /// Labels a volume slice by slice, each as the training images lie in the patient and at their spacing.
  /// - Parameters:
  ///   - source: the volume.
  ///   - segmenter: the trained networks.
  ///   - keepsProbabilities: whether they are wanted, too.
  ///   - progress: told the slices that are done, after each tile; what it throws ends the work.
  /// - Throws: `RunError` where the volume does not fit the networks; what `progress` throws.
  public init(
    _ source: Volume, by segmenter: Segmenter, keepsProbabilities: Bool = false,
    progress: (_ slices: Int) throws -> Void = { _ in }
  ) throws {
    let turned = segmenter.intake.turned(source)
    match = try segmenter.intake.spacingMatch(of: turned)
    let images = try segmenter.intake.images(of: turned)
    var (labels, probabilities, spread) = ([Tensor](), [Tensor](), [Tensor]())
    for slice in 0..<turned.size[0] {
      let answer = try segmenter.answer(to: images[.all, slice], match: match) { _ in
        try progress(slice)
      }
      labels.append(segmenter.values(answer.probabilities))
      if keepsProbabilities { probabilities.append(answer.probabilities) }
      if let found = answer.spread { spread.append(found) }
      try progress(slice + 1)
    }
    /// In the source's own order.
    func upright(_ slices: [Tensor], dim: Int) -> Tensor? {
      slices.isEmpty ? nil : turned.turnedBack(.stack(slices, dim: dim), to: source)
    }
    (self.source, self.segmenter) = (source, segmenter)
    self.labels = turned.turnedBack(Tensor.stack(labels).unsqueezed(0), to: source).squeezed(0)
    self.probabilities = upright(probabilities, dim: 1)
    self.spread = upright(spread, dim: 1)
  }

  /// Whether the source is a picture, without a place in a patient.
  private var isPicture: Bool { source.isPicture }

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
  public func writeProbabilities(to folder: URL, name: String) throws {
    guard let probabilities else { return }
    for (number, label) in segmenter.labels.plainNames().enumerated().dropFirst() {
      let own = probabilities[number]
      let values = isPicture ? (own * 65535).round().to(.uint16) : own.to(.float32)
      _ = try write(values, folder, "\(name)_\(label)") { try PNGFile.encode(pixels: $0) }
    }
  }

  /// Writes the spread of each class but the background, `NAME_CLASS`: float32, of pictures TIFF, of volumes NIfTI.
  /// - Throws: where a file cannot be written.
  public func writeSpread(to folder: URL, name: String) throws {
    guard let spread else { return }
    for (number, label) in segmenter.labels.plainNames().enumerated().dropFirst() {
      let (values, name) = (spread[number].to(.float32), "\(name)_\(label)")
      guard isPicture else {
        _ = try write(values, folder, name) { try PNGFile.encode(pixels: $0) }
        continue
      }
      let file = folder.appendingPathComponent("\(name).tif")
      try AtomicFile.makeFolder(of: file)
      try TIFFFile.write(voxels: values.unsqueezed(0), description: segmenter.statement, to: file)
    }
  }

  /// Writes the labels as a DICOM segmentation object in the study of the images, a segment for each class.
  /// - Parameters:
  ///   - folder: where the file `NAME.dcm` goes; it is made.
  ///   - name: the file's name without extension.
  ///   - series: that of the source.
  /// - Returns: the file.
  /// - Throws: where it cannot be written.
  public func writeSegmentation(to folder: URL, name: String, of series: SegmentedSeries) throws -> URL {
    let segments = zip(segmenter.labels.values, segmenter.labels.names).dropFirst().map {
      SegmentationObject.Segment(value: $0, name: $1, colour: LabelColours.colour(of: $0))
    }
    let object = series.object(
      labels: labels, segments: Array(segments), algorithm: segmenter.statement)
    let file = folder.appendingPathComponent("\(name).dcm")
    try AtomicFile.makeFolder(of: file)
    try object.encoded().map { try AtomicFile.write($0, to: file) }
    return file
  }

  private func write(_ values: Tensor, _ folder: URL, _ name: String, png: (Tensor) throws -> Data) throws
    -> URL
  {
    let file = folder.appendingPathComponent(isPicture ? "\(name).png" : "\(name).nii.gz")
    try AtomicFile.makeFolder(of: file)
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
