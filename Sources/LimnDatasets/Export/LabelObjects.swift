// Objects of an image: the regions of its label map, or its instances, with their classes.

import LimnImaging
import LimnTorch

/// Something in an image that has a class.
struct LabelObject {
  /// The class's value.
  let label: Int
  /// The value in the instance map; nil where objects are the regions of the label map.
  let instance: Int?
  /// Its connected parts.
  let regions: [LabelRegion]

  var area: Int { regions.reduce(0) { $0 + $1.area } }

  /// Left, top, width, height.
  var box: [Int] {
    let left = regions.map(\.left).min() ?? 0
    let top = regions.map(\.top).min() ?? 0
    let right = regions.map { $0.left + $0.width }.max() ?? 0
    let bottom = regions.map { $0.top + $0.height }.max() ?? 0
    return [left, top, right - left, bottom - top]
  }

  /// Lengths of runs outside and inside in turn, column by column from the upper left pixel, beginning outside.
  func runLengths(height: Int, width: Int) -> [Int] {
    var isInside = [Bool](repeating: false, count: height * width)
    for region in regions {
      for place in region.places(imageWidth: width) {
        isInside[place % width * height + place / width] = true
      }
    }
    var (runs, current) = ([0], false)
    for inside in isInside {
      if inside != current {
        runs.append(0)
        current = inside
      }
      runs[runs.count - 1] += 1
    }
    return runs
  }
}

extension ExportContext {
  /// The objects of an image: one for each value of the `instances` layer; where there is none, one for each
  /// connected region of `labels`.
  func objects(_ index: Int) throws -> [LabelObject] {
    let classes = labelLayers.contains("labels") ? try pixels("labels", index) : nil
    guard labelLayers.contains("instances") else {
      return classes.map { LabelRegion.all(in: $0) }?
        .map { LabelObject(label: $0.value, instance: nil, regions: [$0]) } ?? []
    }
    let labels = classes?.to(.int32).array(of: Int32.self)
    let regions = LabelRegion.all(in: try pixels("instances", index))
    return Dictionary(grouping: regions, by: \.value).sorted { $0.key < $1.key }.map { value, regions in
      let label = labels.map { commonest(in: $0, of: regions) } ?? 1
      return LabelObject(label: label, instance: value, regions: regions)
    }
  }

  /// The class of most pixels that have one; 1 where none has.
  private func commonest(in labels: [Int32], of regions: [LabelRegion]) -> Int {
    var counts: [Int32: Int] = [:]
    for region in regions {
      for place in region.places(imageWidth: manifest.width) where labels[place] > 0 {
        counts[labels[place], default: 0] += 1
      }
    }
    return Int(counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 1)
  }

  /// - Throws: ``DatasetError`` if the dataset has neither labels nor instances.
  func requireLabels(for format: String) throws {
    guard labelLayers.contains("labels") || labelLayers.contains("instances") else {
      throw DatasetError(dataset.url, "has no labels, which \(format) is for; choose another format")
    }
  }
}
