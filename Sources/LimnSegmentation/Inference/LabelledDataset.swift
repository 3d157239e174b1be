// A dataset labelled by a segmenter: the same images, with labels.

import Foundation
import LimnDatasets
import LimnTorch
import LimnTraining

/// A dataset that gets labels.
public struct LabelledDataset {
  /// Whose images are labelled.
  public let source: Dataset
  /// The new dataset's name.
  public let name: String
  /// Whether it gets a layer `probability-CLASS` for each class but the background, 65,535 being 1; and
  /// `spread-CLASS` where the segmenter keeps the spread.
  public let keepsProbabilities: Bool

  /// Labels for `source`.
  public init(source: Dataset, name: String, keepsProbabilities: Bool = false) {
    (self.source, self.name, self.keepsProbabilities) = (source, name, keepsProbabilities)
  }

  /// Labels the images into a new dataset of equal items.
  /// - Parameters:
  ///   - url: the dataset's folder, which must not be there yet.
  ///   - segmenter: the trained networks.
  ///   - progress: called with the number of images labelled, after each tile; what it throws ends the work.
  /// - Throws: `DatasetError` if the folder cannot be written; what `progress` throws. Nothing is left then.
  public func write(
    to url: URL, by segmenter: Segmenter, progress: (Int) throws -> Void = { _ in }
  ) throws {
    guard source.channels == segmenter.setting.shape.channels else {
      throw DatasetError(
        source.url.path,
        "images of \(source.channels) channels, expected \(segmenter.setting.shape.channels) as in training")
    }
    let writer = try DatasetWriter(description(segmenter), to: url)
    let images = try source.layer("images")
    for place in source.manifest.items.indices {
      var item = source.manifest.items[place]
      item.spacing = item.spacing ?? source.manifest.spacing
      let match = try segmenter.spacingMatch(
        size: source.size, spacing: item.spacing, path: "\(source.url.path), item \(item.id)")
      let answer = try segmenter.answer(to: source.images(at: [place])[0], match: match) { _ in
        try progress(place)
      }
      try writer.append(item, image: images[place], companions: layers(answer, segmenter))
      try progress(place + 1)
    }
    try writer.finish(
      provenance: Provenance(
        sources: 1, tool: "limn \(LimnVersion.current) segment", options: segmenter.runs.map { "run \($0)" }))
  }

  private func description(_ segmenter: Segmenter) -> DatasetDescription {
    let manifest = source.manifest
    let classes = zip(segmenter.labels.names, segmenter.labels.values).dropFirst().map {
      LabelClass(name: $0, value: $1)
    }
    let size = [manifest.height, manifest.width]
    let maps = kinds(segmenter).flatMap { $0.layerNames(segmenter.labels) }
    return DatasetDescription(
      name: name, modality: manifest.modality, channels: manifest.channels, height: manifest.height,
      width: manifest.width, bitDepth: manifest.bitDepth, intensity: manifest.intensity,
      classes: Array(classes), synthetic: manifest.synthetic,
      companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: size)]
        + maps.map { LayerDescriptor(name: $0, dtype: .uint16, itemShape: [1] + size) })
  }

  private func layers(_ answer: Segmenter.Answer, _ segmenter: Segmenter) -> [String: Tensor] {
    var layers = ["labels": segmenter.values(answer.probabilities).to(.uint8)]
    for kind in kinds(segmenter) {
      guard let values = answer[keyPath: kind.values] else { continue }
      for (place, name) in kind.layerNames(segmenter.labels).enumerated() {
        layers[name] = (values[place + 1].unsqueezed(0) * 65535).round().to(.uint16)
      }
    }
    return layers
  }

  private func kinds(_ segmenter: Segmenter) -> [MapKind] {
    (keepsProbabilities ? [.probability] : []) + (segmenter.keepsSpread ? [.spread] : [])
  }
}

extension Segmenter.Answer {
  fileprivate var mean: Tensor? { probabilities }
}

/// What is kept of each class beside the labels.
private enum MapKind: String {
  case probability, spread

  var values: KeyPath<Segmenter.Answer, Tensor?> {
    switch self {
    case .probability: \.mean
    case .spread: \.spread
    }
  }

  /// Layers for the classes but the background: different names, each of which can name a file.
  func layerNames(_ labels: LabelSetting) -> [String] {
    let plain = labels.names.map { name in
      String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(18))
    }
    let isClear = Set(plain).count == plain.count && !plain.contains("")
    return zip(plain, labels.values).dropFirst().map { name, value in
      "\(rawValue)-\(isClear ? name : "\(value)")"
    }
  }
}
