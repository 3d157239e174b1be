// All measures of translated images against their real counterparts, over slices and over volumes.

import Foundation
import LimnTorch

/// A real image or volume and what was made in its place.
public struct ImagePair: Sendable {
  /// What tables call the pair, such as its file.
  public let name: String
  /// [H, W] or [slices, H, W].
  public let real: Tensor
  /// The same shape.
  public let fake: Tensor
  /// What pairs belong together, such as a patient; intervals resample whole groups. nil: the pair alone.
  public let group: Int?

  public init(name: String, real: Tensor, fake: Tensor, group: Int? = nil) {
    (self.name, self.real, self.fake, self.group) = (name, real, fake, group)
  }
}

/// What an evaluation of pairs found, ready to be printed, stored as JSON, or put on a page.
public struct PairEvaluation: Codable, Sendable, Equatable {
  /// One measure over all pairs.
  public struct Result: Codable, Sendable, Equatable {
    public let measure: PairMeasure
    public let direction: MetricDirection
    /// Over slices, each counting once; its interval resamples volumes, or groups of them.
    public let perSlice: ScoreSummary
    /// Over volumes, the pixels of each pooled.
    public let perVolume: ScoreSummary
    /// One sentence that another person could repeat the measurement from.
    public let protocolSentence: String
  }

  /// One pair's values.
  public struct Volume: Codable, Sendable, Equatable {
    public let name: String
    public let sliceCount: Int
    /// By the measures' names, the pixels of all slices pooled.
    public let values: [String: MeasuredValue]
  }

  public let setting: PairProtocol
  /// Decided the bootstrap's resamples.
  public let seed: UInt64
  /// One for each measure, in the order in which they were asked for.
  public let results: [Result]
  /// One for each pair, in their order.
  public let volumes: [Volume]
  /// What sets values apart from published ones; a line each.
  public let warnings: [String]

  /// Measures pairs, several at a time.
  /// - Parameters:
  ///   - count: the number of pairs.
  ///   - measures: what to measure.
  ///   - setting: value range, foreground and unit.
  ///   - seed: decides the bootstrap's resamples.
  ///   - pair: gives a pair by its number; called on several threads.
  /// - Returns: results for each measure, values for each pair.
  /// - Throws: ``MetricError`` where a pair cannot be measured, with its name; what `pair` throws.
  public static func run(
    count: Int, measures: [PairMeasure] = PairMeasure.allCases, setting: PairProtocol = PairProtocol(),
    seed: UInt64 = 0, pair: @Sendable (Int) throws -> ImagePair
  ) throws -> PairEvaluation {
    guard count > 0 else { throw MetricError("no pairs; at least one was expected") }
    let measured = try concurrentMap(count) { place in
      try MeasuredPair(pair(place), measures: measures, setting)
    }
    // A pair without a group is a group of its own, below all numbers that pairs give.
    let groups = measured.indices.map { measured[$0].group ?? -1 - $0 }
    let sliceGroups = zip(measured, groups).flatMap { pair, group in pair.sums[0].map { _ in group } }
    let results = measures.indices.map { place in
      let measure = measures[place]
      let slices = measured.flatMap { $0.sums[place].map { measure.value($0, setting) } }
      return Result(
        measure: measure, direction: measure.direction,
        perSlice: ScoreSummary(slices, groups: sliceGroups, seed: seed),
        perVolume: ScoreSummary(measured.map { $0.pooled[place] }, groups: groups, seed: seed),
        protocolSentence: measure.sentence(setting))
    }
    return PairEvaluation(
      setting: setting, seed: seed, results: results, volumes: measured.map { $0.volume(measures) },
      warnings: warnings(results))
  }

  /// The same for pairs in memory.
  /// - Throws: ``MetricError`` where a pair cannot be measured, with its name.
  public static func run(
    _ pairs: [ImagePair], measures: [PairMeasure] = PairMeasure.allCases,
    setting: PairProtocol = PairProtocol(), seed: UInt64 = 0
  ) throws -> PairEvaluation {
    try run(count: pairs.count, measures: measures, setting: setting, seed: seed) { pairs[$0] }
  }

  private static func warnings(_ results: [Result]) -> [String] {
    results.flatMap { result -> [String] in
      let (name, summary) = (result.measure.rawValue, result.perSlice)
      var lines: [String] = []
      if summary.infiniteCount > 0 {
        lines.append(
          "\(name): \(summary.infiniteCount) slices equal their real ones; infinite, not in the mean")
      }
      if summary.undefinedCount > 0 {
        let kind = result.measure == .nmi ? "of one value" : "without foreground"
        lines.append("\(name): \(summary.undefinedCount) slices \(kind); not in the mean")
      }
      return lines
    }
  }

  /// Keys sorted, indented.
  public func json() throws -> Data { try JSONEncoder.readable.encode(self) }
}

extension PairEvaluation {
  /// The heads of ``rows``.
  public static let columns = [
    "metric", "per slice", "95% interval", "N", "per volume", "volumes", "protocol",
  ]

  /// One row of text for each measure, in the order of ``columns``.
  public var rows: [[String]] {
    results.map { result in
      [
        result.measure.rawValue, result.perSlice.text, result.perSlice.intervalText,
        result.perSlice.countText, result.perVolume.text, result.perVolume.countText,
        result.protocolSentence,
      ]
    }
  }

  /// The measures as aligned columns, protocols and warnings below.
  public var table: String {
    terminalTable(Self.columns, rows, measure: 0, warnings: warnings)
  }
}

/// The sums of one pair: for each measure, those of each slice.
private struct MeasuredPair: Sendable {
  let name: String
  let group: Int?
  let sums: [[PairSum]]
  let pooled: [Double]

  init(_ pair: ImagePair, measures: [PairMeasure], _ setting: PairProtocol) throws {
    (name, group) = (pair.name, pair.group)
    func slices(_ x: Tensor) -> Tensor { x.rank == 2 ? x.unsqueezed(0) : x }
    do {
      sums = try measures.map { try $0.sums(real: slices(pair.real), fake: slices(pair.fake), setting) }
    } catch let error as MetricError {
      throw MetricError("\(pair.name): \(error.description)")
    }
    pooled = zip(measures, sums).map { measure, sums in
      measure.value(sums.reduce(PairSum(sum: 0, count: 0), +), setting)
    }
  }

  func volume(_ measures: [PairMeasure]) -> PairEvaluation.Volume {
    PairEvaluation.Volume(
      name: name, sliceCount: sums.first?.count ?? 0,
      values: Dictionary(uniqueKeysWithValues: zip(measures.map(\.rawValue), pooled.map(MeasuredValue.init))))
  }
}
