// Maps of a class's probability against the truth: how well they rank pixels, and whether they come true.

import Foundation
import LimnTorch

/// A true mask and the predicted probability of it.
public struct ProbabilityPair: Sendable {
  /// What tables call the pair, such as its file.
  public let name: String
  /// [H, W] or [D, H, W], not zero where the class is.
  public let truth: Tensor
  /// The same shape, 0...1.
  public let probability: Tensor
  /// Only pixels where it is not zero count, such as a field of view; the same shape. nil: all.
  public let mask: Tensor?
  /// What pairs belong together, such as a patient; intervals resample whole groups. nil: the pair alone.
  public let group: Int?

  public init(name: String, truth: Tensor, probability: Tensor, mask: Tensor? = nil, group: Int? = nil) {
    (self.name, self.truth, self.probability) = (name, truth, probability)
    (self.mask, self.group) = (mask, group)
  }
}

/// One measure of a map of probabilities; the raw value is its name.
public enum ProbabilityMeasure: String, Codable, Sendable, CaseIterable {
  case rocAUC = "roc_auc"
  case averagePrecision = "pr_auc_ap"
  case prAUCTrapezoid = "pr_auc_trapezoid"
  case sensitivityAtSpecificity = "sensitivity_at_specificity"
  case expectedCalibrationError = "ece_positive"
  case maximumCalibrationError = "mce_positive"
  case brier = "brier_positive"

  /// Where better values lie.
  public var direction: MetricDirection {
    switch self {
    case .rocAUC, .averagePrecision, .prAUCTrapezoid, .sensitivityAtSpecificity: .higherIsBetter
    case .expectedCalibrationError, .maximumCalibrationError, .brier: .lowerIsBetter
    }
  }

  /// One sentence that another person could repeat the measurement from.
  func sentence(specificity: Double) -> String {
    let inside = "pixels inside the mask where there is one"
    return switch self {
    case .rocAUC: "area under the ROC curve, trapezoids between distinct scores; \(inside)"
    case .averagePrecision: "sum of recall steps times precision over distinct scores; \(inside)"
    case .prAUCTrapezoid: "area under precision over recall, straight lines, from precision 1; \(inside)"
    case .sensitivityAtSpecificity:
      "TP / (TP + FN) where the ROC curve has a specificity of \(specificity), straight between scores; \(inside)"
    case .expectedCalibrationError: "mean gap of probability and frequency over 15 equal bins; \(inside)"
    case .maximumCalibrationError: "greatest gap of probability and frequency in 15 equal bins; \(inside)"
    case .brier: "mean squared difference of probability and truth; \(inside)"
    }
  }

  func value(_ curve: RankCurve, _ calibration: Calibration, specificity: Double) -> Double {
    switch self {
    case .rocAUC: curve.rocAUC
    case .averagePrecision: curve.averagePrecision
    case .prAUCTrapezoid: curve.trapezoidPRAUC
    case .sensitivityAtSpecificity: curve.sensitivity(atSpecificity: specificity)
    case .expectedCalibrationError: calibration.expectedError
    case .maximumCalibrationError: calibration.maximumError
    case .brier: calibration.brier
    }
  }
}

/// What an evaluation of maps of probabilities found.
public struct ProbabilityEvaluation: Codable, Sendable, Equatable {
  /// One measure over all images.
  public struct Result: Codable, Sendable, Equatable {
    public let measure: ProbabilityMeasure
    public let direction: MetricDirection
    /// Over images.
    public let perImage: ScoreSummary
    /// Of all images' pixels together.
    public let pooled: MeasuredValue
    /// One sentence that another person could repeat the measurement from.
    public let protocolSentence: String
  }

  /// One image's values, by the measures' names.
  public struct Image: Codable, Sendable, Equatable {
    public let name: String
    public let values: [String: MeasuredValue]
  }

  /// A point of the curves of all pixels together.
  public struct CurvePoint: Codable, Sendable, Equatable {
    /// A pixel is taken for the class where its probability is at least this.
    public let threshold: Double
    /// TP / (TP + FN), the true positive rate.
    public let recall: MeasuredValue
    /// FP / (FP + TN).
    public let falsePositiveRate: MeasuredValue
    /// TP / (TP + FP).
    public let precision: MeasuredValue
  }

  /// One for each measure.
  public let results: [Result]
  /// One for each pair, in their order.
  public let images: [Image]
  /// At most 200 points of the pooled curves, the greatest threshold first.
  public let curve: [CurvePoint]
  /// The reliability of all pixels together.
  public let calibration: Calibration

  /// Measures pairs, several at a time.
  /// - Parameters:
  ///   - count: the number of pairs.
  ///   - seed: decides the bootstrap's resamples.
  ///   - specificity: where on the ROC curve the sensitivity is read, 0...1.
  ///   - pair: gives a pair by its number; called on several threads.
  /// - Returns: results for each measure, values for each image.
  /// - Throws: ``MetricError`` where a pair cannot be measured, with its name; what `pair` throws.
  public static func run(
    count: Int, seed: UInt64 = 0, specificity: Double = 0.95, pair: @Sendable (Int) throws -> ProbabilityPair
  ) throws -> ProbabilityEvaluation {
    guard count > 0 else { throw MetricError("no maps of probabilities; at least one pair was expected") }
    return ProbabilityEvaluation(
      try concurrentMap(count) { try MeasuredProbabilities(pair($0)) }, seed, specificity)
  }

  private init(_ measured: [MeasuredProbabilities], _ seed: UInt64, _ specificity: Double) {
    let pooled = RankCurve(pooling: measured.map(\.curve))
    let calibration = Calibration(pooling: measured.map(\.calibration))
    let groups = measured.indices.map { measured[$0].group ?? -1 - $0 }
    results = ProbabilityMeasure.allCases.map { measure in
      Result(
        measure: measure, direction: measure.direction,
        perImage: ScoreSummary(
          measured.map { measure.value($0.curve, $0.calibration, specificity: specificity) }, groups: groups,
          seed: seed),
        pooled: MeasuredValue(measure.value(pooled, calibration, specificity: specificity)),
        protocolSentence: measure.sentence(specificity: specificity))
    }
    images = measured.map { $0.image(specificity) }
    curve = pooled.points(200)
    self.calibration = calibration
  }
}

extension ProbabilityEvaluation {
  /// The heads of ``rows``.
  public static let columns = ["metric", "per image", "95% interval", "N", "pooled", "protocol"]

  /// One row of text for each measure, in the order of ``columns``.
  public var rows: [[String]] {
    results.map { result in
      [
        result.measure.rawValue, result.perImage.text, result.perImage.intervalText,
        result.perImage.countText, ScoreSummary.text(of: result.pooled), result.protocolSentence,
      ]
    }
  }
}

extension ProbabilityEvaluation {
  /// The measures as aligned columns, protocols below.
  public var table: String { terminalTable(Self.columns, rows, measure: 0, warnings: []) }
}

/// One image's part of the evaluation.
private struct MeasuredProbabilities: Sendable {
  let name: String
  let group: Int?
  let curve: RankCurve
  let calibration: Calibration

  init(_ pair: ProbabilityPair) throws {
    (name, group) = (pair.name, pair.group)
    do {
      curve = try RankCurve(scores: pair.probability, truth: pair.truth, mask: pair.mask)
      calibration = try Calibration.positive(
        probabilities: pair.probability, truth: pair.truth, mask: pair.mask)
    } catch let error as MetricError {
      throw MetricError("\(pair.name): \(error.description)")
    }
  }

  func image(_ specificity: Double) -> ProbabilityEvaluation.Image {
    let values = ProbabilityMeasure.allCases.map {
      ($0.rawValue, MeasuredValue($0.value(curve, calibration, specificity: specificity)))
    }
    return .init(name: name, values: Dictionary(uniqueKeysWithValues: values))
  }
}

extension RankCurve {
  /// At most `count` points, evenly chosen among the distinct scores, the first and the last among them.
  fileprivate func points(_ count: Int) -> [ProbabilityEvaluation.CurvePoint] {
    let last = thresholds.count - 1
    let places = last < count ? Array(0...max(last, 0)) : (0..<count).map { $0 * last / (count - 1) }
    return places.filter { thresholds.indices.contains($0) }.map { place in
      let (hits, alarms) = (Double(truePositives[place]), Double(falsePositives[place]))
      return .init(
        threshold: thresholds[place], recall: MeasuredValue(hits / Double(positives)),
        falsePositiveRate: MeasuredValue(alarms / Double(negatives)),
        precision: MeasuredValue(hits / (hits + alarms)))
    }
  }
}
