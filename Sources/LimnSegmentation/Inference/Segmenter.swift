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
    /// Whether the spread of several answers is kept beside their mean.
    public var spread = false
    /// Whether images of another spacing than the training images' are brought to theirs.
    public var resamples = true
    /// Where the networks are.
    public var device = "cpu"

    /// The defaults.
    public init() {}
  }

  /// What the networks say of an image.
  public struct Answer {
    /// [K, H, W] on the CPU, adding up to 1 over K.
    public var probabilities: Tensor
    /// The standard deviation over versions and runs, of the same shape; nil where it is not kept.
    public var spread: Tensor?
  }

  /// The classes, by number.
  public let labels: LabelSetting
  /// What the networks were trained on.
  public let setting: MethodSetting
  /// The names of the runs.
  public let runs: [String]
  /// How images are shown to the networks.
  public let intake: ImageIntake
  let tiles: OverlapTile
  private let options: Options

  /// Whether answers tell their spread.
  public var keepsSpread: Bool { options.spread }
  /// What labelled, for people to read.
  public var statement: String { "Limn \(LimnVersion.current), \(runs.joined(separator: ", "))" }

  /// Opens runs, or a folder of folds, whose members are asked together.
  /// - Parameters:
  ///   - urls: folders of runs of segmentation methods, or of their folds.
  ///   - options: how images are labelled.
  /// - Throws: `RunError` where a folder holds no trained segmenter, or where members do not fit together.
  public init(_ urls: [URL], options: Options = Options()) throws {
    let folders = urls.flatMap(RunFolder.members(of:))
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
    let predictors = opened.map(\.method.predictor).map { network in
      options.versions.map { TestTimeAugmentation(network, versions: $0) } ?? network
    }
    guard !options.spread || options.versions != nil || predictors.count > 1 else {
      throw RunError(
        "--spread is that of several answers; it goes with --test-time, or with a folder of folds")
    }
    guard let device = Device(options.device) else { throw RunError("unknown device '\(options.device)'") }
    tiles = OverlapTile(
      predictors.count == 1 ? predictors[0] : EnsemblePredictor(predictors), side: options.side,
      device: device)
    intake = ImageIntake(first.setting, resamples: options.resamples)
    self.options = options
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

  /// What the networks say of an image, at its own pixels.
  /// - Parameters:
  ///   - image: [C, H, W] in [−1, 1], of the networks' channels.
  ///   - match: brings it to the training images' spacing; nil where it is shown as it is.
  ///   - progress: told after each tile; what it throws ends the work.
  /// - Returns: class probabilities, and their spread where options ask for it.
  /// - Throws: what `progress` throws.
  public func answer(
    to image: Tensor, match: SpacingMatch? = nil, progress: OverlapTile.Progress = { _ in }
  ) throws -> Answer {
    let shown = match?.applied(to: image) ?? image
    let found = try withoutGradients { try tiles.answers(to: shown, progress: progress, answer: ask) }
    let parts = match?.undone(found) ?? found
    let count = tiles.predictor.classCount
    return Answer(probabilities: parts[0..<count], spread: options.spread ? parts[count...] : nil)
  }

  /// [N, K, h, w], or twice as many where the spread is kept.
  private func ask(_ tiles: Tensor) -> Tensor {
    guard options.spread, let several = self.tiles.predictor as? any SpreadPredictor else {
      return self.tiles.predictor.probabilities(tiles)
    }
    let (mean, spread) = several.meanAndSpread(tiles)
    return .cat([mean, spread], dim: 1)
  }

  /// The most probable class of each pixel, as the value that stands for it in label maps.
  /// - Parameter probabilities: [..., K, H, W].
  /// - Returns: int32 [..., H, W].
  public func values(_ probabilities: Tensor) -> Tensor {
    let table = Tensor(labels.values.map(Int32.init))
    let classes = probabilities.argmax(dim: probabilities.rank - 3)
    return table.indexSelect(dim: 0, classes.flattened()).reshaped(classes.shape)
  }
}
