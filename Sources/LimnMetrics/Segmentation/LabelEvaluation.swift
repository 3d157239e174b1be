// All measures of predicted labels against true ones, for each class and each image.

import Foundation
import LimnTorch

/// A true label map and the predicted one.
public struct LabelPair: Sendable {
  /// What tables call the pair, such as its file.
  public let name: String
  /// [H, W] or [D, H, W], whole numbers, 0 the background.
  public let truth: Tensor
  /// The same shape.
  public let prediction: Tensor
  /// The distance of neighbours along each axis, such as millimetres; nil: 1 everywhere.
  public let spacing: [Double]?
  /// Only pixels where it is not zero count, such as a field of view; the same shape. nil: all.
  public let mask: Tensor?
  /// What pairs belong together, such as a patient; intervals resample whole groups. nil: the pair alone.
  public let group: Int?

  public init(
    name: String, truth: Tensor, prediction: Tensor, spacing: [Double]? = nil, mask: Tensor? = nil,
    group: Int? = nil
  ) {
    (self.name, self.truth, self.prediction) = (name, truth, prediction)
    (self.spacing, self.mask, self.group) = (spacing, mask, group)
  }
}

/// What an evaluation of label maps found, ready to be printed, stored as JSON, or put on a page.
public struct LabelEvaluation: Codable, Sendable, Equatable {
  /// How label maps are read and measured.
  public struct Setting: Codable, Sendable, Equatable {
    /// What the numbers in a label map stand for.
    public enum Content: Codable, Sendable, Equatable {
      /// Classes; their names by number, the background (0) first.
      case classes([String])
      /// Single objects, such as cells, numbered from 1 in any order.
      case objects
    }

    public var content: Content
    /// The value of Dice, IoU and surface Dice where neither side has the class.
    public var emptyRule: EmptyRule
    /// How far apart surfaces may lie to count as one (`nsd`), in the unit of the spacing.
    public var tolerance: Double
    /// Decides the bootstrap's resamples.
    public var seed: UInt64

    public init(
      content: Content, emptyRule: EmptyRule = .undefined, tolerance: Double = 1, seed: UInt64 = 0
    ) {
      (self.content, self.emptyRule, self.tolerance, self.seed) = (content, emptyRule, tolerance, seed)
    }
  }

  /// One measure of one class over all images.
  public struct Result: Codable, Sendable, Equatable {
    public let measure: LabelMeasure
    /// The class, or `objects`.
    public let label: String
    public let direction: MetricDirection
    /// Over images.
    public let perImage: ScoreSummary
    /// Over groups such as patients, the pixels (or objects) of each counted together: the Dice of a volume whose
    /// slices are the images. nil where every image is alone, or the measure has no such value.
    public let perGroup: ScoreSummary?
    /// Of all images' pixels (or objects) counted together, nil where the measure has no such value.
    public let pooled: MeasuredValue?
    /// One sentence that another person could repeat the measurement from.
    public let protocolSentence: String
  }

  /// One image's values.
  public struct Image: Codable, Sendable, Equatable {
    public let name: String
    /// By the label's name, then by the measure's.
    public let values: [String: [String: MeasuredValue]]
  }

  public let setting: Setting
  /// One for each measure and class.
  public let results: [Result]
  /// One for each pair, in their order.
  public let images: [Image]
  /// All pixels, where the maps hold classes.
  public let confusion: ConfusionMatrix?
  /// What a reader should know before believing a figure; a line each.
  public let warnings: [String]

  /// Measures pairs, several at a time.
  /// - Parameters:
  ///   - count: the number of pairs.
  ///   - setting: what labels stand for, and the rules.
  ///   - pair: gives a pair by its number; called on several threads.
  /// - Returns: results for each measure and class, values for each image.
  /// - Throws: ``MetricError`` where a pair cannot be measured, with its name; what `pair` throws.
  public static func run(
    count: Int, setting: Setting, pair: @Sendable (Int) throws -> LabelPair
  ) throws -> LabelEvaluation {
    guard count > 0 else { throw MetricError("no label maps; at least one pair was expected") }
    let measured = try concurrentMap(count) { try MeasuredLabels(pair($0), setting) }
    return LabelEvaluation(measured, setting)
  }

  /// The same for pairs in memory.
  /// - Throws: ``MetricError`` where a pair cannot be measured, with its name.
  public static func run(_ pairs: [LabelPair], setting: Setting) throws -> LabelEvaluation {
    try run(count: pairs.count, setting: setting) { pairs[$0] }
  }

  private init(_ measured: [MeasuredLabels], _ setting: Setting) {
    let pooled = measured.dropFirst().reduce(into: measured[0].pool) { $0 += $1.pool }
    // A pair without a group is a group of its own, below all numbers that pairs give.
    let groups = measured.indices.map { measured[$0].group ?? -1 - $0 }
    let labels = measured[0].labels
    let ofGroups = Self.pools(measured, groups)
    results = labels.indices.flatMap { label in
      measured[0].measures.map { measure in
        let all = pooled.value(measure, label: label, setting.emptyRule)
        return Result(
          measure: measure, label: labels[label], direction: measure.direction,
          perImage: ScoreSummary(
            measured.map { $0.values[label][measure] ?? .nan }, groups: groups, seed: setting.seed),
          perGroup: all == nil || ofGroups.isEmpty
            ? nil
            : ScoreSummary(
              ofGroups.map { $0.value(measure, label: label, setting.emptyRule) ?? .nan }, seed: setting.seed),
          pooled: all.map(MeasuredValue.init),
          protocolSentence: measure.sentence(setting))
      }
    }
    self.setting = setting
    images = measured.map(\.image)
    confusion = pooled.confusion
    let infinite = results.filter { $0.perImage.infiniteCount > 0 && $0.measure == .hd95DeepMind }
    warnings =
      infinite.isEmpty
      ? []
      : [
        "one side has the class and the other does not, so that distances are infinite and not in the means: "
          + infinite.map { "\($0.label) in \($0.perImage.infiniteCount) images" }.joined(separator: ", ")
      ]
  }

  /// What each group's images come to together; none where every image is alone.
  private static func pools(_ measured: [MeasuredLabels], _ groups: [Int]) -> [LabelPool] {
    let members = Dictionary(grouping: measured.indices) { groups[$0] }
    guard members.count < measured.count else { return [] }
    return members.sorted { $0.key < $1.key }.map { _, places in
      places.dropFirst().reduce(into: measured[places[0]].pool) { $0 += measured[$1].pool }
    }
  }

  /// Keys sorted, indented.
  public func json() throws -> Data { try JSONEncoder.readable.encode(self) }
}

extension LabelEvaluation {
  /// The heads of ``rows``.
  public static let columns = [
    "label", "metric", "per image", "95% interval", "N", "per patient", "pooled", "protocol",
  ]

  /// One row of text for each measure and class, in the order of ``columns``.
  public var rows: [[String]] {
    results.map { result in
      [
        result.label, result.measure.rawValue, result.perImage.text, result.perImage.intervalText,
        result.perImage.countText, result.perGroup?.text ?? "", ScoreSummary.text(of: result.pooled),
        result.protocolSentence,
      ]
    }
  }

  /// The measures as aligned columns, protocols and warnings below.
  public var table: String {
    terminalTable(Self.columns, rows, measure: 1, warnings: warnings)
  }
}
