// Areas under the receiver operating characteristic and under precision over recall, exact, ties included.

import LimnTorch

/// Positives and negatives that score at least each of the distinct scores.
public struct RankCurve: Sendable {
  /// The distinct scores, greatest first.
  public let thresholds: [Double]
  /// Positives of at least each threshold.
  public let truePositives: [Int]
  /// Negatives of at least each threshold.
  public let falsePositives: [Int]

  /// Ranks the pixels.
  /// - Parameters:
  ///   - scores: a number for each pixel that grows with the belief in the class; any shape.
  ///   - truth: the same shape, not zero where the class is.
  ///   - mask: the same shape; only pixels where it is not zero count, such as a field of view. nil: all.
  /// - Throws: ``MetricError`` where shapes differ or a score is NaN.
  public init(scores: Tensor, truth: Tensor, mask: Tensor? = nil) throws {
    try checkSameShape(truth, scores, mask)
    var (scores, truth) = (scores.to(.float64).flattened(), truth.isNotEqual(to: 0).flattened())
    if let mask {
      let inside = mask.isNotEqual(to: 0).flattened()
      (scores, truth) = (scores[inside], truth[inside])
    }
    guard scores.isEqual(to: scores).all().item() == 1 else {
      throw MetricError("scores hold NaN; a number for each pixel was expected")
    }
    let order = scores.sorted(descending: true)
    self.init(
      sorted: order.values.array(of: Double.self),
      isPositive: truth.indexSelect(dim: 0, order.indices).array(of: Bool.self))
  }

  private init(sorted scores: [Double], isPositive: [Bool]) {
    var (thresholds, truePositives, falsePositives) = ([Double](), [Int](), [Int]())
    var (positives, negatives) = (0, 0)
    for place in scores.indices {
      if isPositive[place] { positives += 1 } else { negatives += 1 }
      guard place + 1 == scores.count || scores[place + 1] != scores[place] else { continue }
      thresholds.append(scores[place])
      truePositives.append(positives)
      falsePositives.append(negatives)
    }
    (self.thresholds, self.truePositives, self.falsePositives) = (thresholds, truePositives, falsePositives)
  }

  /// The curve of several images' pixels together.
  init(pooling curves: [RankCurve]) {
    let steps = curves.flatMap { curve in
      curve.thresholds.indices.map { place -> (threshold: Double, hits: Int, alarms: Int) in
        let last = place - 1
        return (
          curve.thresholds[place], curve.truePositives[place] - (last < 0 ? 0 : curve.truePositives[last]),
          curve.falsePositives[place] - (last < 0 ? 0 : curve.falsePositives[last])
        )
      }
    }.sorted { $0.threshold > $1.threshold }
    var (thresholds, truePositives, falsePositives) = ([Double](), [Int](), [Int]())
    var (hits, alarms) = (0, 0)
    for place in steps.indices {
      hits += steps[place].hits
      alarms += steps[place].alarms
      guard place + 1 == steps.count || steps[place + 1].threshold != steps[place].threshold else { continue }
      thresholds.append(steps[place].threshold)
      truePositives.append(hits)
      falsePositives.append(alarms)
    }
    (self.thresholds, self.truePositives, self.falsePositives) = (thresholds, truePositives, falsePositives)
  }

  var positives: Int { truePositives.last ?? 0 }
  var negatives: Int { falsePositives.last ?? 0 }

  /// The area under the true positive rate over the false positive rate, trapezoids between distinct scores:
  /// the chance that a positive scores above a negative, ties half. NaN where a class is missing.
  public var rocAUC: Double {
    guard positives > 0, negatives > 0 else { return .nan }
    var (area, lastTrue, lastFalse) = (0.0, 0, 0)
    for (hits, alarms) in zip(truePositives, falsePositives) {
      area += Double(alarms - lastFalse) * Double(hits + lastTrue) / 2
      (lastTrue, lastFalse) = (hits, alarms)
    }
    return area / (Double(positives) * Double(negatives))
  }

  /// The true positive rate where the false positive rate is 1 − `specificity`, on the straight lines that
  /// ``rocAUC`` is taken of; of an upright line its upper end. NaN where a class is missing.
  public func sensitivity(atSpecificity specificity: Double) -> Double {
    guard positives > 0, negatives > 0 else { return .nan }
    let allowed = (1 - specificity) * Double(negatives)
    guard let next = falsePositives.firstIndex(where: { Double($0) > allowed }) else { return 1 }
    let (hits, alarms) = next > 0 ? (truePositives[next - 1], falsePositives[next - 1]) : (0, 0)
    let share = (allowed - Double(alarms)) / Double(falsePositives[next] - alarms)
    return (Double(hits) + share * Double(truePositives[next] - hits)) / Double(positives)
  }

  /// Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores: the area under precision over recall without interpolation, as
  /// scikit-learn's `average_precision_score`. NaN without positives.
  public var averagePrecision: Double {
    guard positives > 0 else { return .nan }
    var (sum, last) = (0.0, 0)
    for (hits, alarms) in zip(truePositives, falsePositives) {
      sum += Double(hits - last) * Double(hits) / Double(hits + alarms)
      last = hits
    }
    return sum / Double(positives)
  }

  /// The same area with straight lines between the points, from precision 1 at recall 0. Optimistic (Davis
  /// and Goadrich 2006), but what many vessel papers print. NaN without positives.
  public var trapezoidPRAUC: Double {
    guard positives > 0 else { return .nan }
    var (area, lastRecall, lastPrecision) = (0.0, 0.0, 1.0)
    for (hits, alarms) in zip(truePositives, falsePositives) {
      let (recall, precision) = (Double(hits) / Double(positives), Double(hits) / Double(hits + alarms))
      area += (recall - lastRecall) * (precision + lastPrecision) / 2
      (lastRecall, lastPrecision) = (recall, precision)
    }
    return area
  }
}
