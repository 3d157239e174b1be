// A translated volume or picture, and the file that it is written to: in the kind of its source, with its geometry.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A volume as the target's kind, or a picture, which is a volume of one slice.
public struct TranslatedVolume {
  /// What was translated.
  public let source: Volume
  /// [C′, Z, H, W] in [−1, 1], in the source's order.
  public let images: Tensor
  /// How slices were brought to the training images' spacing; nil where they were shown as they are.
  public let match: SpacingMatch?
  /// How slices were laid into a size that the networks take.
  public let frame: SizeFrame
  /// How alike neighbouring slices are; empty of pictures.
  public let consistency: SliceConsistency
  private let translator: Translator

  /// Translates a volume slice by slice, each as the training images lie in the patient and at their spacing.
  /// - Parameters:
  ///   - source: the volume.
  ///   - translator: the trained networks.
  ///   - style: that of all slices.
  ///   - truth: the target as `ImageIntake` shows it on the source's grid, to compare the consistency of its slices; nil
  ///     where it is not known.
  ///   - progress: told the slices that are done; what it throws ends the work.
  /// - Throws: `RunError` where the volume does not fit the networks; what `progress` throws.
  public init(
    _ source: Volume, by translator: Translator, style: TranslationStyle, truth: Volume? = nil,
    progress: (_ slices: Int) throws -> Void = { _ in }
  ) throws {
    let shown = try ShownVolume(source, translator.source)
    let truth = truth.map { ShownVolume(shown: $0, translator.target) }
    match = try translator.source.spacingMatch(of: shown.turned)
    let size = Array(shown.turned.size[1...])
    frame = translator.frame(size: match?.matched ?? size, isPlaced: source.info.hasGeometry)
    var (made, consistency) = ([Tensor](), SliceConsistency())
    let (count, batch) = (
      source.size.isEmpty ? 0 : shown.turned.size[0], translator.batchCount(size: frame.framed)
    )
    for first in stride(from: 0, to: count, by: batch) {
      let range = first..<min(first + batch, count)
      let images = try shown.slices(range)
      let own = translator.translate(images, match: match, isPlaced: source.info.hasGeometry, style: style)
      let truths = try truth?.slices(range)
      for place in count > 1 ? Array(0..<range.count) : [] {
        consistency.add(
          [.source: images[place], .translation: own[place], .target: truths?[place]].compactMapValues(\.self)
        )
      }
      made.append(own)
      try progress(range.upperBound)
    }
    (self.source, self.translator, self.consistency) = (source, translator, consistency)
    images = shown.turned.turnedBack(Tensor.cat(made).transposed(0, 1).contiguous(), to: source)
  }

  /// What was done to show the slices to the networks, for people to read; equal kinds have equal keys.
  public var notes: [(key: String, text: String)] {
    let fitted =
      "slices of \(frame.size[1])x\(frame.size[0]) pixels are scaled to fit the network's "
      + "\(frame.framed[1])x\(frame.framed[0]), and what it draws back; a method with residual generators takes any size"
    return (match.map { [("spacing", $0.statement)] } ?? []) + (frame.isScaled ? [("size", fitted)] : [])
  }

  /// Writes the translation, marked as synthetic: of pictures a PNG with the source's 8 bits, else 16, from the target's
  /// black to white; of volumes a NIfTI file with the source's affine in the target's numbers, int16 of Hounsfield
  /// units, float32 of others, from 0 to 1 where the target's window followed each image.
  /// - Parameters:
  ///   - folder: where the file goes; it is made.
  ///   - name: the file's name without extension.
  /// - Returns: the file.
  /// - Throws: where it cannot be written.
  @discardableResult
  public func write(to folder: URL, name: String) throws -> URL {
    let file = folder.appendingPathComponent(name + Self.ending(of: source))
    try AtomicFile.makeFolder(of: file)
    if source.isPicture {
      try PNGFile.write(
        pixels: images[.all, 0].quantized(bitDepth: source.storedBits == 8 ? 8 : 16),
        text: PNGFile.syntheticText(translator.statement), to: file)
    } else {
      try NIfTIFile.write(volume, description: "synthetic, \(translator.statement)", to: file)
    }
    return file
  }

  /// What the file's name ends in.
  static func ending(of source: Volume) -> String { source.isPicture ? ".png" : ".nii.gz" }

  /// In the target's numbers.
  var volume: Volume {
    let units = TargetUnits(translator.target, storedBits: source.storedBits)
    let values = units.values(of: images)
    let isWhole = units.unit == .hounsfield
    return Volume(
      voxels: isWhole ? values.round().clamped(min: -32768, max: 32767).to(.int16) : values.to(.float32),
      affine: source.affine, storedBits: isWhole ? 16 : 32, unit: units.unit, info: source.info)
  }
}

/// A volume as networks are shown it, slice by slice.
struct ShownVolume {
  /// Its slices lie as the training images do.
  let turned: Volume
  /// nil of voxels that are in [−1, 1].
  private let window: DisplayWindow?
  private let intake: ImageIntake

  /// A volume with its own values.
  init(_ volume: Volume, _ intake: ImageIntake) throws {
    turned = intake.turned(volume)
    window = try intake.display(of: turned)
    self.intake = intake
  }

  /// A volume whose voxels [C, Z, H, W] are in [−1, 1] already.
  init(shown volume: Volume, _ intake: ImageIntake) {
    (turned, window) = (intake.turned(volume), nil)
    self.intake = intake
  }

  /// [slices, C, H, W] in [−1, 1].
  func slices(_ range: Range<Int>) throws -> Tensor {
    let voxels = turned.voxels.narrowed(dim: 1, start: range.lowerBound, length: range.count)
    let images = try window.map { try intake.image($0.applied(to: voxels), path: turned.info.path) } ?? voxels
    return images.transposed(0, 1).contiguous()
  }
}
