// How a new image is shown to a trained network: in the plane, through the window, at the spacing of its training
// images.

import LimnDatasets
import LimnImaging
import LimnTorch

/// Brings new images to where a network's training images were.
public struct ImageIntake: Sendable {
  /// 1 (gray) or 3 (RGB).
  public let channels: Int
  /// How the training images' intensities became pixels; nil where that is not known.
  public let intensity: IntensityRecord?
  /// Of the training images, [row, column] in mm; nil where new images are shown at their own.
  public let spacing: [Double]?
  /// The plane that the training images lie in; nil where they had no place in a patient.
  public let plane: SliceAxis?

  /// - Parameters:
  ///   - setting: of the run.
  ///   - resamples: whether images of another spacing than the training images' are brought to theirs.
  public init(_ setting: MethodSetting, resamples: Bool = true) {
    self.init(
      setting, channels: setting.shape.channels, intensity: setting.intensity, resamples: resamples)
  }

  /// For images that lie as the training images do and are of another kind, such as a translation's targets.
  /// - Parameters:
  ///   - setting: of the run.
  ///   - channels: of these images.
  ///   - intensity: how their intensities became pixels; nil where that is not known.
  ///   - resamples: whether images of another spacing are brought to the training images'.
  public init(_ setting: MethodSetting, channels: Int, intensity: IntensityRecord?, resamples: Bool = true) {
    (self.channels, self.intensity) = (channels, intensity)
    (spacing, plane) = (resamples ? setting.spacing : nil, setting.plane)
  }

  /// How images are brought to the training images' spacing.
  /// - Parameters:
  ///   - size: rows and columns.
  ///   - spacing: [row, column] in mm; nil where it is not known.
  ///   - path: names the image in the error.
  /// - Returns: nil where they are shown as they are.
  /// - Throws: `RunError` where the two spacings are too far apart.
  public func spacingMatch(size: [Int], spacing: [Double]?, path: String) throws -> SpacingMatch? {
    guard let spacing, let target = self.spacing else { return nil }
    return try SpacingMatch(size: size, from: spacing, to: target, path: path)
  }

  /// The same for the slices of a volume.
  /// - Parameter volume: turned as the training images lie.
  /// - Returns: nil where they are shown as they are.
  /// - Throws: `RunError` where the two spacings are too far apart.
  public func spacingMatch(of volume: Volume) throws -> SpacingMatch? {
    try spacingMatch(
      size: Array(volume.size[1...]), spacing: volume.pixelSpacing, path: volume.info.path)
  }

  /// A volume turned so that its slices lie as the training images do, where these have a place in the patient.
  public func turned(_ volume: Volume) -> Volume {
    guard let plane, volume.size[0] > 1, volume.info.hasGeometry else { return volume }
    return volume.turned(for: plane)
  }

  /// A volume's slices as the networks were shown images in training: through their window, in their channels.
  /// - Returns: [C, Z, H, W] in [−1, 1].
  /// - Throws: `RunError` where the networks take colour channels that the volume lacks.
  public func images(of volume: Volume) throws -> Tensor {
    try image(display(of: volume).applied(to: volume.voxels), path: volume.info.path)
  }

  /// A volume as it is shown, on another one's grid; its window is decided before.
  /// - Parameters:
  ///   - volume: any.
  ///   - grid: a volume that lies over it.
  /// - Returns: voxels float32 [C, Z, H, W] in [−1, 1] in the grid's order.
  /// - Throws: `RunError` where the two cannot be brought over one another.
  public func shown(_ volume: Volume, on grid: Volume) throws -> Volume {
    var shown = volume
    shown.voxels = try images(of: volume)
    return try shown.brought(onto: grid)
  }

  /// The window through which a volume is shown, with its limits decided over all of it.
  /// - Throws: `ImagingError` where its values cannot be read.
  public func display(of volume: Volume) throws -> DisplayWindow {
    try window(storedBits: volume.storedBits).display(of: VolumeSlabs(volume))
  }

  /// The training images' window; where that is not known, what an import would have taken.
  package func window(storedBits: Int) -> IntensityWindow {
    let recorded = intensity.flatMap { IntensityWindow(option: $0.window) }
    return recorded ?? (storedBits == 8 ? .full : .percentiles(0.5, 99.5))
  }

  /// Pixels [C, ...] in [0, 1] in the networks' channels and in [−1, 1].
  /// - Throws: `RunError` where the networks take colour channels that the pixels lack.
  public func image(_ shown: Tensor, path: String) throws -> Tensor {
    let image: Tensor
    switch (channels, shown.size(0)) {
    case (shown.size(0), _): image = shown
    case (1, 3): image = Filters.luminance(shown, dim: 0)
    case (3, 1): image = shown.expanded([3] + shown.shape.dropFirst())
    default:
      throw RunError("\(path): \(shown.size(0)) channels, expected \(channels) as in training")
    }
    return image * 2 - 1
  }
}

extension Volume {
  /// Between pixels of a slice, [row, column] in mm; nil where the file does not place them.
  package var pixelSpacing: [Double]? { info.hasGeometry ? [spacing.y, spacing.x] : nil }

  /// Whether this is a picture, without a place in a patient.
  package var isPicture: Bool { ["PNG", "JPEG", "TIFF"].contains(info.format) && size[0] == 1 }

  /// Values [F, Z, H, W] at this volume's voxels in the order of the volume that was turned to become it.
  package func turnedBack(_ values: Tensor, to source: Volume) -> Tensor {
    Volume(voxels: values, affine: affine, storedBits: storedBits, info: info)
      .reoriented(to: source.orientation).voxels
  }
}
