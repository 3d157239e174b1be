// The CSV files of evaluations of pairs: a line for each figure, and a line for each case.

import LimnTorch

extension PairEvaluation {
  /// One line for each measure over slices and over volumes, with counts and protocol.
  public var csv: String {
    let figures = results.flatMap { result in
      [("per_slice", result.perSlice), ("per_volume", result.perVolume)].map { kind, summary in
        Figure(
          "\(result.measure.rawValue).\(kind)", summary, result.direction, result.protocolSentence)
      }
    }
    return csvText([Figure.columns] + figures.map(\.cells))
  }

  /// One line for each pair, a column for each measure; what is undefined is empty.
  public var casesCSV: String {
    let names = results.map(\.measure.rawValue)
    let rows = volumes.map { [$0.name, "\($0.sliceCount)"] + cells($0.values, names) }
    return csvText([["name", "slices"] + names] + rows)
  }
}

extension LabelEvaluation {
  /// One line for each measure and class over images, and where there are such, over patients and of all together.
  public var csv: String { csvText([Figure.columns] + figures.map(\.cells)) }

  /// The lines of ``csv``.
  var figures: [Figure] {
    results.flatMap { result -> [Figure] in
      let name = "\(result.measure.rawValue).\(result.label)"
      let perImage = Figure("\(name).per_image", result.perImage, result.direction, result.protocolSentence)
      let pooled = result.pooled.map {
        Figure(
          pooled: $0, "\(name).pooled", images.count, result.direction, result.protocolSentence)
      }
      let perGroup = result.perGroup.map {
        Figure("\(name).per_patient", $0, result.direction, result.protocolSentence)
      }
      return [perImage] + [perGroup, pooled].compactMap(\.self)
    }
  }

  /// One line for each image and class, a column for each measure; what is undefined is empty.
  public var casesCSV: String {
    let measures = results.reduce(into: [LabelMeasure]()) { all, result in
      if !all.contains(result.measure) { all.append(result.measure) }
    }.map(\.rawValue)
    let rows = images.flatMap { image in
      image.values.sorted { $0.key < $1.key }.map { [image.name, $0.key] + cells($0.value, measures) }
    }
    return csvText([["name", "label"] + measures] + rows)
  }
}

extension ProbabilityEvaluation {
  /// The lines of a CSV file: each measure over images, and of all pixels together.
  var figures: [Figure] {
    results.flatMap { result in
      [
        Figure(
          "\(result.measure.rawValue).per_image", result.perImage, result.direction,
          result.protocolSentence),
        Figure(
          pooled: result.pooled, "\(result.measure.rawValue).pooled", images.count, result.direction,
          result.protocolSentence),
      ]
    }
  }

  /// One line for each image, a column for each measure.
  public var casesCSV: String {
    let names = results.map(\.measure.rawValue)
    return csvText([["name"] + names] + images.map { [$0.name] + cells($0.values, names) })
  }

  /// The lines of both: of the probabilities, and of the labels that a threshold makes of them.
  public func csv(with labels: LabelEvaluation) -> String {
    csvText([Figure.columns] + (labels.figures + figures).map(\.cells))
  }
}

extension BoundaryEvaluation {
  /// One line for each measure at its best threshold, and at 0.5.
  public var csv: String {
    let figures = results.flatMap { result in
      [
        Figure(
          "\(result.measure.rawValue).best", result.best, result.direction,
          "\(result.protocolSentence); threshold \(result.bestThreshold), the best of ten for the mean"),
        Figure(
          "\(result.measure.rawValue).at_half", result.atHalf, result.direction,
          "\(result.protocolSentence); threshold 0.5"),
      ]
    }
    return csvText([Figure.columns] + figures.map(\.cells))
  }

  /// One line for each section and threshold, a column for each measure.
  public var casesCSV: String {
    let rows = images.flatMap { image in
      image.scores.map { scores in
        [image.name, "\(scores.threshold)"] + BoundaryMeasure.allCases.map { "\($0.value(scores))" }
      }
    }
    return csvText([["name", "threshold"] + BoundaryMeasure.allCases.map(\.rawValue)] + rows)
  }
}

extension Figure {
  fileprivate init(
    _ name: String, _ summary: ScoreSummary, _ direction: MetricDirection, _ sentence: String
  ) {
    self.init(
      name: name, value: summary.mean ?? .nan, standardDeviation: summary.standardDeviation,
      interval: summary.low.flatMap { low in summary.high.map { (low, $0) } }, baseline: nil,
      realCount: summary.count, generatedCount: summary.count, direction: direction,
      protocolSentence: sentence, warnings: summary.leftOut.map { [$0] } ?? [])
  }

  fileprivate init(
    pooled value: MeasuredValue, _ name: String, _ count: Int, _ direction: MetricDirection,
    _ sentence: String
  ) {
    self.init(
      name: name, value: value.value, realCount: count, generatedCount: count, direction: direction,
      protocolSentence: "\(sentence); all images' pixels or objects together")
  }
}

extension ScoreSummary {
  fileprivate var leftOut: String? {
    infiniteCount + undefinedCount > 0
      ? "\(infiniteCount) infinite and \(undefinedCount) undefined values are not in the mean" : nil
  }
}

private func cells(_ values: [String: MeasuredValue], _ names: [String]) -> [String] {
  names.map { name in
    guard let value = values[name]?.value, !value.isNaN else { return "" }
    return "\(value)"
  }
}
