// Trained runs, ready to label images of any size.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// One or more trained segmenters, asked together.
public struct Segmenter {
  /// How images are labelled.
  public struct Options: Sendable {
    /// The versions of an image that the network is asked about; nil: the image alone.
    public var versions: TestTimeVersions?
    /// The largest side of a tile's kept part, in pixels.
    public var side = 512
    /// Where the networks are.
    public var device = "cpu"

    /// The defaults.
    public init() {}
  }

  /// The classes, by number.
  public let labels: LabelSetting
  /// What the networks were trained on.
  public let setting: MethodSetting
  /// The names of the runs.
  public let runs: [String]
  private let tiles: OverlapTile

  /// Opens runs, or a folder of folds, whose members are asked together.
  /// - Parameters:
  ///   - urls: folders of runs of segmentation methods, or of their folds.
  ///   - options: how images are labelled.
  /// - Throws: `RunError` where a folder holds no trained segmenter, or where members do not fit together.
  public init(_ urls: [URL], options: Options = Options()) throws {
    let folders = urls.flatMap(Self.members(of:))
    let opened = try folders.map { try Self.open($0, device: options.device) }
    guard let first = opened.first else { throw RunError("no run was named") }
    for (folder, member) in zip(folders, opened)
    where member.method.labels != first.method.labels
      || member.setting.shape.channels != first.setting.shape.channels
    {
      throw RunError(
        "\(folder.path): its classes or channels are not those of \(folders[0].path); an ensemble needs runs of "
          + "one task")
    }
    (labels, setting, runs) = (first.method.labels, first.setting, folders.map(\.lastPathComponent))
    let predictors = opened.map(\.method.predictor)
    let whole = predictors.count == 1 ? predictors[0] : EnsemblePredictor(predictors)
    guard let device = Device(options.device) else { throw RunError("unknown device '\(options.device)'") }
    tiles = OverlapTile(
      options.versions.map { TestTimeAugmentation(whole, versions: $0) } ?? whole, side: options.side,
      device: device)
  }

  /// A run's folder itself, or those of the folds within.
  public static func members(of url: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    let folds = names.filter { $0.hasPrefix("fold-") }.sorted()
    return folds.isEmpty ? [url] : folds.map(url.appendingPathComponent)
  }

  private static func open(
    _ url: URL, device: String
  ) throws -> (method: any SegmentationMethod, setting: MethodSetting) {
    let known = SegmentationMethods.all.map { $0 as any Method.Type }
    let trained = try TrainingSession.trained(url, among: known, device: device)
    guard let method = trained.method as? any SegmentationMethod else {
      throw RunError("\(url.path): its method does not label pixels")
    }
    return (method, trained.checkpoint.info.setting)
  }

  // MARK: - Images

  /// Class probabilities.
  /// - Parameters:
  ///   - image: [C, H, W] in [−1, 1], of the networks' channels.
  ///   - progress: told after each tile; what it throws ends the work.
  /// - Returns: [K, H, W] on the CPU, adding up to 1 over K.
  /// - Throws: what `progress` throws.
  public func probabilities(
    of image: Tensor, progress: OverlapTile.Progress = { _ in }
  ) throws -> Tensor {
    try withoutGradients { try tiles.probabilities(of: image, progress: progress) }
  }

  /// The most probable class of each pixel, as the value that stands for it in label maps.
  /// - Parameter probabilities: [K, H, W].
  /// - Returns: int32 [H, W].
  public func values(_ probabilities: Tensor) -> Tensor {
    let table = Tensor(labels.values.map(Int32.init))
    let classes = probabilities.argmax(dim: 0)
    return table.indexSelect(dim: 0, classes.flattened()).reshaped(classes.shape)
  }

  // MARK: - Volumes

  /// A volume's slices as the networks were shown images in training: through their window, in their channels.
  /// - Returns: [C, Z, H, W] in [−1, 1].
  /// - Throws: `RunError` where the networks take colour channels that the volume lacks.
  public func images(of volume: Volume) throws -> Tensor {
    let shown = try window(for: volume).display(of: VolumeSlabs(volume)).applied(to: volume.voxels)
    return try channels(shown, volume) * 2 - 1
  }

  /// The training images' window; for files whose bits it does not fit, what an import would have taken.
  private func window(for volume: Volume) -> IntensityWindow {
    let recorded = setting.intensity.flatMap { IntensityWindow(option: $0.window) }
    return recorded ?? (volume.storedBits == 8 ? .full : .percentiles(0.5, 99.5))
  }

  private func channels(_ shown: Tensor, _ volume: Volume) throws -> Tensor {
    let wanted = setting.shape.channels
    switch (wanted, volume.channels) {
    case (volume.channels, _): return shown
    case (1, 3):
      return 0.299 * shown[0..<1] + 0.587 * shown[1..<2] + 0.114 * shown[2..<3]
    case (3, 1): return shown.expanded([3] + volume.size)
    default:
      throw RunError(
        "\(volume.info.path): \(volume.channels) channels, expected \(wanted) as in training")
    }
  }
}
