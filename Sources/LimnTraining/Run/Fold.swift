// Cross-validation: which items a fold trains on, and which it holds out.

import Foundation
import LimnDatasets
import LimnTorch

/// What is kept together when items are dealt to folds.
public enum FoldRule: String, Codable, Sendable, CaseIterable {
  /// All items of a patient.
  case patient
  /// Neighbouring items, in the dataset's order: sections of one block of tissue resemble their neighbours.
  case block
}

/// One fold of a cross-validation: its part of the items is held out, the others are trained on. The dataset's
/// test split takes no part.
public struct Fold: Codable, Equatable, Sendable {
  /// From 1.
  public var number: Int
  /// Folds in all.
  public var count: Int
  /// What is kept together.
  public var rule: FoldRule

  /// Fold `number` of `count`.
  public init(number: Int, count: Int, rule: FoldRule = .patient) {
    (self.number, self.count, self.rule) = (number, count, rule)
  }

  /// The items of a dataset that are trained on, and those held out.
  /// - Throws: ``RunError`` where there are fewer patients, or items, than folds.
  func split(_ dataset: Dataset) throws -> (training: [Int], heldOut: [Int]) {
    let items = dataset.indices(of: nil).filter { dataset.manifest.items[$0].split != .test }
    let folds = try rule == .patient ? byPatient(items, dataset) : byBlock(items, dataset)
    let pairs = zip(items, folds)
    return (pairs.filter { $0.1 != number }.map(\.0), pairs.filter { $0.1 == number }.map(\.0))
  }

  /// Patients in an order of chance, dealt in turn: the same for every fold, and whatever the run's seed.
  private func byPatient(_ items: [Int], _ dataset: Dataset) throws -> [Int] {
    let patients = items.map { dataset.manifest.items[$0].patient }
    var seen: Set<String> = []
    let all = patients.filter { seen.insert($0).inserted }
    guard all.count >= count else {
      throw RunError(
        "\(dataset.url.path): \(all.count) patients, expected at least \(count) for as many folds; "
          + "--folds-by block parts the items of one patient")
    }
    let order = Permutation.shuffled(all.count, seed: 0)
    let folds = Dictionary(uniqueKeysWithValues: order.enumerated().map { (all[$1], $0 % count + 1) })
    return patients.map { folds[$0] ?? 1 }
  }

  private func byBlock(_ items: [Int], _ dataset: Dataset) throws -> [Int] {
    guard items.count >= count else {
      throw RunError(
        "\(dataset.url.path): \(items.count) items, expected at least \(count) for as many folds")
    }
    return items.indices.map { $0 * count / items.count + 1 }
  }
}
