// Membership inference: can one tell from the synthetic images which real images were trained on?

import Foundation
import LimnTorch

/// How well the distance to the nearest synthetic image tells training images from unseen ones.
public struct MembershipScore: Codable, Sendable, Equatable {
  /// The area under the ROC curve: the chance that a training image lies nearer to the synthetic set than an
  /// unseen one does. 0.5: nothing can be told.
  public let auc: Double
  /// The bounds of the 95 % bootstrap interval, patients drawn with replacement.
  public let interval: [Double]
  /// Training images that took part.
  public let training: Int
  /// Unseen images that took part.
  public let unseen: Int

  /// Whether chance is outside of the interval, on the side that gives members away.
  public var tellsMembers: Bool { interval[0] > 0.5 }
}

/// One image's distance to the synthetic set.
struct MembershipSample {
  let distance: Double
  let patient: Int
}

extension MembershipScore {
  /// The score with its interval.
  init(training: [MembershipSample], unseen: [MembershipSample], resamples: Int = 400, seed: UInt64) {
    let pooled = (training.map { ($0, true) } + unseen.map { ($0, false) }).sorted {
      $0.0.distance < $1.0.distance
    }
    let (samples, isMember) = (pooled.map(\.0), pooled.map(\.1))
    func area(_ weights: [Double]) -> Double { weightedArea(samples.map(\.distance), isMember, weights) }
    auc = area(Array(repeating: 1, count: samples.count))
    var random = SeedSequence(seed: seed)
    let areas = (0..<resamples).map { _ in area(Self.weights(samples, isMember, &random)) }.sorted()
    interval = [0.025, 0.975].map { areas[min(resamples - 1, Int($0 * Double(resamples)))] }
    (self.training, self.unseen) = (training.count, unseen.count)
  }

  /// How often each sample is in a resample: the patients of either side drawn with replacement.
  private static func weights(
    _ samples: [MembershipSample], _ isMember: [Bool], _ random: inout SeedSequence
  ) -> [Double] {
    var weights = [Double](repeating: 0, count: samples.count)
    for side in [true, false] {
      let members = samples.indices.filter { isMember[$0] == side }
      let byPatient = Dictionary(grouping: members) { samples[$0].patient }
      let patients = byPatient.keys.sorted()
      for _ in patients {
        for index in byPatient[patients[random.next(below: patients.count)]] ?? [] { weights[index] += 1 }
      }
    }
    return weights
  }
}

/// Σ w·w′ over pairs of a member and another with a greater value (half for equal ones), over all pairs.
/// `values` ascend.
func weightedArea(_ values: [Double], _ isMember: [Bool], _ weights: [Double]) -> Double {
  var (members, others, area) = (0.0, 0.0, 0.0)
  var start = 0
  while start < values.count {
    var (tiedMembers, tiedOthers) = (0.0, 0.0)
    var end = start
    while end < values.count, values[end] == values[start] {
      if isMember[end] { tiedMembers += weights[end] } else { tiedOthers += weights[end] }
      end += 1
    }
    area += tiedOthers * (members + tiedMembers / 2)
    members += tiedMembers
    others += tiedOthers
    start = end
  }
  return members > 0 && others > 0 ? area / (members * others) : 0.5
}

/// Meehan, Chaudhuri & Dasgupta (2020), "A Non-Parametric Test to Detect Data-Copying in Generative Models",
/// in one cell: the standardised Mann–Whitney statistic of the synthetic images' distances to training images
/// against the unseen ones'. Below −3 they count as copied, above 3 as underfitted.
func dataCopyingStatistic(synthetic: [Double], unseen: [Double]) -> Double {
  let pooled = (synthetic.map { ($0, false) } + unseen.map { ($0, true) }).sorted { $0.0 < $1.0 }
  let area = weightedArea(pooled.map(\.0), pooled.map(\.1), Array(repeating: 1, count: pooled.count))
  let (m, n) = (Double(synthetic.count), Double(unseen.count))
  return (area - 0.5) / ((m + n + 1) / (12 * m * n)).squareRoot()
}

/// Numbers that depend on a seed and their order alone.
struct SeedSequence {
  private let seed: UInt64
  private var position: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }

  /// A number in 0 ..< `bound`.
  mutating func next(below bound: Int) -> Int {
    position += 1
    return Int(Seed.derive(seed, position).multipliedFullWidth(by: UInt64(bound)).high)
  }
}
