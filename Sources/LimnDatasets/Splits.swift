// Setting patients apart for training, validation and testing.

import LimnTorch

/// Fractions of the patients for each split, and the seed that shuffles them.
public struct Splits: Sendable, Equatable {
  /// Above 0, up to 1; the three add up to 1.
  public let train: Double
  /// From 0, which leaves the split empty, to below 1.
  public let validation: Double
  /// From 0, which leaves the split empty, to below 1.
  public let test: Double
  /// Decides which patients go where.
  public let seed: UInt64

  /// Nil unless one to three fractions are given, none is negative and one is above zero.
  /// - Parameters:
  ///   - fractions: for training, validation and testing; they are divided by their sum.
  ///   - seed: decides who goes where.
  public init?(fractions: [Double], seed: UInt64 = 0) {
    let total = fractions.reduce(0, +)
    guard (1...3).contains(fractions.count), total > 0, total.isFinite,
      fractions.allSatisfy({ $0 >= 0 })
    else { return nil }
    let padded = fractions + [0, 0]
    (train, validation, test) = (padded[0] / total, padded[1] / total, padded[2] / total)
    self.seed = seed
  }

  /// The split of each patient: a function of the patients' order of first appearance and the seed alone.
  ///
  /// Every split with a fraction above zero gets a patient as long as there are enough of them, training
  /// first.
  /// - Parameters:
  ///   - patients: of every image, in order.
  ///   - together: groups of patients that count as one.
  /// - Returns: each patient's split.
  public func assign(_ patients: [String], together: [[String]] = []) -> [String: Split] {
    var representative: [String: String] = [:]
    for group in together { for patient in group { representative[patient] = group[0] } }
    let assigned = assign(distinct: patients.map { representative[$0] ?? $0 })
    return Dictionary(
      patients.map { ($0, assigned[representative[$0] ?? $0] ?? .train) },
      uniquingKeysWith: { first, _ in first })
  }

  private func assign(distinct patients: [String]) -> [String: Split] {
    var seen = Set<String>()
    let distinct = patients.filter { seen.insert($0).inserted }
    let order = Permutation.shuffled(distinct.count, seed: seed)
    let (validationCount, testCount) = counts(of: distinct.count)
    var assigned: [String: Split] = [:]
    for (rank, position) in order.enumerated() {
      let isTest = rank < testCount
      let isValidation = rank < testCount + validationCount
      assigned[distinct[position]] = isTest ? .test : isValidation ? .validation : .train
    }
    return assigned
  }

  private func counts(of patients: Int) -> (validation: Int, test: Int) {
    func share(_ fraction: Double, of available: Int) -> Int {
      guard fraction > 0 else { return 0 }
      return min(max(1, Int((fraction * Double(patients)).rounded())), max(0, available))
    }
    guard train > 0 else {
      let test = share(test, of: validation > 0 ? patients - 1 : patients)
      return (patients - test, test)
    }
    let test = share(test, of: patients - 1)
    return (share(validation, of: patients - 1 - test), test)
  }
}

/// Random orders that depend on nothing but a seed.
package enum Permutation {
  /// 0 ..< count in random order (Fisher–Yates over derived seeds).
  package static func shuffled(_ count: Int, seed: UInt64) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      // The product's high word maps 64 random bits to 0 ... last without division.
      let other = Seed.derive(seed, UInt64(last)).multipliedFullWidth(by: UInt64(last + 1)).high
      order.swapAt(last, Int(other))
    }
    return order
  }
}
