// The datasets of a run: one, or two whose images are not pairs.

import Foundation
import LimnDatasets
import LimnTorch

/// What a run learns from, open.
struct TrainingSources {
  let dataset: Dataset
  /// Whose images are the targets; nil: they are the dataset's own layer, or there are none.
  let target: Dataset?

  /// Those of a new run.
  /// - Throws: `DatasetError`; ``RunError`` where the two do not go together.
  init(_ request: TrainingRequest) throws {
    dataset = try Dataset.open(request.dataset)
    target = try request.target.map(Dataset.open)
    if let target, target.size != dataset.size {
      throw RunError(
        "\(target.url.path): images of \(target.size[0])×\(target.size[1]) pixels, expected "
          + "\(dataset.size[0])×\(dataset.size[1]) as in \(dataset.url.path); import one again with --size")
    }
    guard request.options.shufflesTargets == true else { return }
    guard target == nil else {
      throw RunError("--shuffle-targets: those of --target are in no order to shuffle; leave one out")
    }
    guard dataset.layerNames.contains(DatasetStream.targetLayer) else {
      throw RunError(
        "\(dataset.url.path): has no pairs for --shuffle-targets (no layer 'targets'); 'limn import --pair' makes them"
      )
    }
  }

  /// Those that a run was begun with.
  /// - Parameters:
  ///   - info: where they were.
  ///   - plan: what they were.
  ///   - dataset: where the first one is now, if it has moved.
  ///   - target: where the second one is now, if it has moved.
  /// - Throws: `DatasetError`; ``RunError`` where one is gone, or is another.
  init(of info: RunInfo, _ plan: RunFolder.Plan, dataset: URL?, target: URL?) throws {
    let first = try Self.reopened(info.dataset, movedTo: dataset, hash: plan.dataset, option: "--data") {
      guard $0.shape == plan.setting.shape else {
        throw RunError(
          "\($0.url.path): its images are \($0.shape), the run was begun with \(plan.setting.shape); "
            + "give the run's own dataset with --data")
      }
    }
    guard info.target != nil || target == nil else {
      throw RunError("--target: the run was begun without a second dataset; leave it out")
    }
    self.dataset = first
    self.target = try info.target.map {
      try Self.reopened($0, movedTo: target, hash: plan.target, option: "--target")
    }
  }

  private static func reopened(
    _ place: String, movedTo moved: URL?, hash: String?, option: String,
    check: (Dataset) throws -> Void = { _ in }
  ) throws -> Dataset {
    let url = moved ?? URL(fileURLWithPath: place)
    guard moved != nil || FileManager.default.fileExists(atPath: url.path) else {
      throw RunError(
        "\(url.path): the dataset that the run was begun with is not there; give its new place with \(option)"
      )
    }
    let dataset = try Dataset.open(url)
    try check(dataset)
    guard hash == nil || hash == dataset.manifest.contentHash else {
      throw RunError(
        "\(url.path): not the dataset that the run was begun with (other pixels); give that one with \(option)"
      )
    }
    return dataset
  }

  /// What a method that learns from them is built for.
  func setting(totalImages: Int, _ options: TrainingOptions) throws -> MethodSetting {
    let manifest = dataset.manifest
    let targets = targetSetting(options)
    var layers = dataset.layerNames
    if targets != nil, !layers.contains(DatasetStream.targetLayer) {
      layers.append(DatasetStream.targetLayer)
    }
    return try MethodSetting(
      shape: dataset.shape, totalImages: totalImages, labels: dataset.labelSetting, layers: layers,
      targets: targets, intensity: manifest.intensity, spacing: manifest.commonSpacing,
      plane: manifest.commonPlane)
  }

  private func targetSetting(_ options: TrainingOptions) -> TargetSetting? {
    if let target {
      return TargetSetting(channels: target.channels, intensity: target.manifest.intensity, isPaired: false)
    }
    guard let record = dataset.manifest.layers.first(where: { $0.name == DatasetStream.targetLayer }),
      record.shape.count == 4
    else { return nil }
    return TargetSetting(
      channels: record.shape[1], intensity: record.intensity, isPaired: options.shufflesTargets != true)
  }
}
