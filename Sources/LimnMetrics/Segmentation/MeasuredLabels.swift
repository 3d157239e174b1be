// One image's part of a label evaluation: its values, and the counts that are pooled with those of others.

import LimnTorch

/// The values of one pair of label maps.
struct MeasuredLabels: Sendable {
  let name: String
  let group: Int?
  let labels: [String]
  let measures: [LabelMeasure]
  /// For each label, by measure.
  let values: [[LabelMeasure: Double]]
  let pool: LabelPool

  init(_ pair: LabelPair, _ setting: LabelEvaluation.Setting) throws {
    (name, group) = (pair.name, pair.group)
    do {
      switch setting.content {
      case .classes(let names):
        guard names.count > 1 else {
          throw MetricError("classes \(names); the background and at least one class were expected")
        }
        let measured = try Self.classes(pair.masked(), names.count, setting)
        (labels, measures) = (Array(names.dropFirst()), LabelMeasure.ofClasses)
        (values, pool) = (measured.values, measured.pool)
      case .objects:
        let measured = try Self.objects(pair.masked(), setting)
        (labels, measures) = (["objects"], LabelMeasure.ofObjects)
        (values, pool) = ([measured.values], measured.pool)
      }
    } catch let error as MetricError {
      throw MetricError("\(pair.name): \(error.description)")
    }
  }

  var image: LabelEvaluation.Image {
    let values = zip(labels, values).map { label, values in
      (label, Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, MeasuredValue($0.value)) }))
    }
    return LabelEvaluation.Image(name: name, values: Dictionary(uniqueKeysWithValues: values))
  }

  private static func classes(
    _ pair: LabelPair, _ count: Int, _ setting: LabelEvaluation.Setting
  ) throws -> (values: [[LabelMeasure: Double]], pool: LabelPool) {
    let matrix = try ConfusionMatrix(
      truth: pair.truth, prediction: pair.prediction, classCount: count, mask: pair.mask)
    let values = try (1..<count).map { label in
      let counts = matrix.counts(of: label)
      let ratios = LabelMeasure.ofClasses.compactMap { measure in
        counts.value(measure, setting.emptyRule).map { (measure, $0) }
      }
      return Dictionary(uniqueKeysWithValues: ratios)
        .merging(try distances(pair, label, setting)) { ratio, _ in ratio }
    }
    return (values, .pixels(matrix))
  }

  private static func distances(
    _ pair: LabelPair, _ label: Int, _ setting: LabelEvaluation.Setting
  ) throws -> [LabelMeasure: Double] {
    let (truth, prediction) = (
      pair.truth.isEqual(to: Double(label)), pair.prediction.isEqual(to: Double(label))
    )
    let surfaces = try SurfaceDistances(truth: truth, prediction: prediction, spacing: pair.spacing)
    let borders = try BorderDistances(truth: truth, prediction: prediction, spacing: pair.spacing)
    return [
      .hd95DeepMind: surfaces.hausdorff(), .hd95MedPy: borders.hausdorff(), .assdDeepMind: surfaces.average,
      .nsd: surfaces.surfaceDice(tolerance: setting.tolerance, rule: setting.emptyRule),
    ]
  }

  private static func objects(
    _ pair: LabelPair, _ setting: LabelEvaluation.Setting
  ) throws -> (values: [LabelMeasure: Double], pool: LabelPool) {
    let matching = try ObjectMatching(truth: pair.truth, prediction: pair.prediction)
    let overlap = try PartitionOverlap(truth: pair.truth, proposal: pair.prediction)
    let precisions = matching.precisions(setting.emptyRule)
    return (
      [
        .seg: matching.seg, .segTouching: matching.segOfTouching, .ap50: precisions[0],
        .mapDSB2018: matching.meanAveragePrecision(setting.emptyRule), .vRand: overlap.vRand(),
        .vInfo: overlap.vInfo(),
      ], .objects(matching.segScores, touching: matching.touchingScores)
    )
  }
}

/// What images' values are pooled from.
enum LabelPool: Sendable {
  case pixels(ConfusionMatrix)
  /// The SEG scores of true objects, and those of the ones that touch others.
  case objects([Double], touching: [Double])

  static func += (a: inout LabelPool, b: LabelPool) {
    switch (a, b) {
    case (.pixels(var first), .pixels(let second)):
      first += second
      a = .pixels(first)
    case (.objects(let first, let touching), .objects(let second, let others)):
      a = .objects(first + second, touching: touching + others)
    default: preconditionFailure("classes and objects are not pooled")
    }
  }

  var confusion: ConfusionMatrix? {
    if case .pixels(let matrix) = self { matrix } else { nil }
  }

  /// The value of all images together; nil where the measure has none. Label 0 is the first class after the
  /// background.
  func value(_ measure: LabelMeasure, label: Int, _ rule: EmptyRule) -> Double? {
    switch self {
    case .pixels(let matrix): matrix.counts(of: label + 1).value(measure, rule)
    case .objects(let scores, let touching):
      switch measure {
      case .seg: ObjectMatching.mean(scores)
      case .segTouching: ObjectMatching.mean(touching)
      default: nil
      }
    }
  }
}

extension BinaryCounts {
  fileprivate func value(_ measure: LabelMeasure, _ rule: EmptyRule) -> Double? {
    switch measure {
    case .dice: dice(rule)
    case .iou: iou(rule)
    case .sensitivity: sensitivity
    case .specificity: specificity
    case .precision: precision
    case .accuracy: accuracy
    default: nil
    }
  }
}

extension LabelPair {
  /// The pair with background outside its mask, so that surfaces and objects end there too.
  fileprivate func masked() throws -> LabelPair {
    try checkSameShape(truth, prediction, mask)
    guard let mask else { return self }
    let outside = mask.isEqual(to: 0)
    return LabelPair(
      name: name, truth: truth.to(.int32).filled(where: outside, with: 0),
      prediction: prediction.to(.int32).filled(where: outside, with: 0), spacing: spacing, mask: mask,
      group: group)
  }
}
