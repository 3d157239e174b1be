// How two partitions of an image into objects agree: Arganda-Carreras et al., "Crowdsourcing the creation of
// image segmentation algorithms for connectomics" (Frontiers in Neuroanatomy 2015), and Rand (JASA 1971).

import Foundation
import LimnTorch

/// The joint distribution of true and proposed objects, reduced to the sums that the scores need.
///
/// Restricted to the foreground, pixels of the truth's label 0 (borders) do not count, and a pixel of the
/// proposal's label 0 inside an object of the truth is an object of its own, as in the challenge's code.
/// Unrestricted, label 0 is one object like any other.
public struct PartitionOverlap: Sendable, Equatable {
  /// Pixels that count, n.
  public let count: Int
  /// Σ n², over pairs of objects, over proposed and over true objects: n the pixels they hold.
  private let squares: (joint: Double, proposal: Double, truth: Double)
  /// H in nats: joint, of the proposal, of the truth.
  private let entropy: (joint: Double, proposal: Double, truth: Double)

  /// Counts the pixels of two label maps.
  /// - Parameters:
  ///   - truth: object of each pixel, integers of any shape, 0 for borders.
  ///   - proposal: the same shape.
  ///   - isForegroundRestricted: whether the truth's borders are left out.
  /// - Throws: ``MetricError`` where shapes differ or a label is below 0.
  public init(truth: Tensor, proposal: Tensor, isForegroundRestricted: Bool = true) throws {
    try checkSameShape(truth, proposal)
    let (truth, proposal) = (truth.labelValues, proposal.labelValues)
    guard (truth.min() ?? 0) >= 0, (proposal.min() ?? 0) >= 0 else {
      throw MetricError("labels below 0; object numbers from 0 (border) on were expected")
    }
    self.init(truth: truth, proposal: proposal, isForegroundRestricted: isForegroundRestricted)
  }

  init(truth: [Int32], proposal: [Int32], isForegroundRestricted: Bool) {
    let tally = OverlapTally(truth: truth, proposal: proposal, skipsBorders: isForegroundRestricted)
    let count = tally.count
    self.count = count
    squares = (tally.joint.squares, tally.proposals.squares, tally.truths.squares)
    func entropy(_ tally: OverlapTally.Sums) -> Double {
      count == 0 ? 0 : log(Double(count)) - tally.logarithms / Double(count)
    }
    self.entropy = (entropy(tally.joint), entropy(tally.proposals), entropy(tally.truths))
  }

  public static func == (a: PartitionOverlap, b: PartitionOverlap) -> Bool {
    a.count == b.count && a.squares == b.squares && a.entropy == b.entropy
  }

  /// Σ p² / (α Σ s² + (1 − α) Σ t²), s of the proposal and t of the truth: V^Rand, in 0...1, 1 for equal
  /// partitions. NaN of no pixel.
  public func vRand(alpha: Double = 0.5) -> Double {
    count == 0 ? .nan : squares.joint / (alpha * squares.proposal + (1 - alpha) * squares.truth)
  }

  /// Σ p² / Σ t²: what share of the truth's pairs the proposal keeps together. NaN of no pixel.
  public var randSplitScore: Double { vRand(alpha: 0) }

  /// Σ p² / Σ s²: what share of the proposal's pairs belong together. NaN of no pixel.
  public var randMergeScore: Double { vRand(alpha: 1) }

  /// I(S; T) / (α H(S) + (1 − α) H(T)): V^Info, in 0...1. 1 where both are a single object, NaN of no pixel.
  public func vInfo(alpha: Double = 0.5) -> Double {
    guard count > 0 else { return .nan }
    let whole = alpha * entropy.proposal + (1 - alpha) * entropy.truth
    return whole > 0 ? mutualInformation / whole : 1
  }

  /// H(S | T) + H(T | S) in nats: the variation of information.
  public var variationOfInformation: Double { 2 * entropy.joint - entropy.proposal - entropy.truth }

  private var mutualInformation: Double { entropy.proposal + entropy.truth - entropy.joint }

  /// The share of pixel pairs that one partition joins and the other parts: 1 − Rand index. NaN of less than
  /// two pixels.
  public var randError: Double {
    let n = Double(count)
    guard count > 1 else { return .nan }
    return (squares.proposal + squares.truth - 2 * squares.joint) / (n * (n - 1))
  }
}

/// Counts of pixels for each pair of objects, in time linear in pixels: pixels are sorted by true object, and
/// the proposed objects that meet one are counted in one array that is cleared again.
private struct OverlapTally {
  /// Σ n² and Σ n log n over objects.
  struct Sums {
    var squares = 0.0
    var logarithms = 0.0

    mutating func add(_ pixels: Int, times: Int = 1) {
      guard pixels > 0 else { return }
      let n = Double(pixels)
      squares += n * n * Double(times)
      logarithms += n * log(n) * Double(times)
    }
  }

  private(set) var joint = Sums()
  private(set) var proposals = Sums()
  private(set) var truths = Sums()
  private(set) var count = 0

  init(truth: [Int32], proposal: [Int32], skipsBorders: Bool) {
    let (starts, sorted) = Self.proposalsByTruth(truth, proposal)
    var wholes = [Int](repeating: 0, count: Int(proposal.max() ?? 0) + 1)
    var parts = wholes
    for object in (skipsBorders ? 1 : 0)..<max(starts.count - 1, skipsBorders ? 1 : 0) {
      let met = sorted[starts[object]..<starts[object + 1]]
      truths.add(met.count)
      count += met.count
      for label in met { parts[Int(label)] += 1 }
      for label in met where parts[Int(label)] > 0 {
        let pixels = parts[Int(label)]
        parts[Int(label)] = 0
        wholes[Int(label)] += pixels
        if label == 0 && skipsBorders { joint.add(1, times: pixels) } else { joint.add(pixels) }
      }
    }
    for (label, pixels) in wholes.enumerated() {
      if label == 0 && skipsBorders { proposals.add(1, times: pixels) } else { proposals.add(pixels) }
    }
  }

  /// The proposal's labels in the order of the truth's, and where each of the truth's begins.
  private static func proposalsByTruth(
    _ truth: [Int32], _ proposal: [Int32]
  ) -> (starts: [Int], sorted: [Int32]) {
    var starts = [Int](repeating: 0, count: Int(truth.max() ?? 0) + 2)
    for label in truth { starts[Int(label) + 1] += 1 }
    for object in starts.indices.dropFirst() { starts[object] += starts[object - 1] }
    var next = starts
    var sorted = [Int32](repeating: 0, count: truth.count)
    for (label, other) in zip(truth, proposal) {
      sorted[next[Int(label)]] = other
      next[Int(label)] += 1
    }
    return (starts, sorted)
  }
}
