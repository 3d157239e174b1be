// Which images s4GAN takes as labelled, and which as unlabelled.

import LimnDatasets
import LimnTorch
import LimnTraining

/// Parts training items into labelled and unlabelled ones.
struct LabelledSplit: Sendable {
  /// The value of a pixel without a label; nil: every pixel has one.
  let ignoreLabel: Int?
  /// How many labelled images are used as such, the first in an order of chance by patient that is the same for
  /// all runs; the labels of the others are never looked at. nil: all.
  let count: Int?

  /// - Returns: the labelled and the unlabelled items' positions; the labelled ones twice where no other is left, as
  ///   the authors' code has it.
  /// - Throws: `RecipeError` where there are fewer labelled images than asked for, or none.
  func callAsFunction(_ items: [TrainingItem]) throws -> [[Int]] {
    let all = items.indices.filter { isLabelled(items[$0]) }
    guard !all.isEmpty else {
      throw RecipeError(
        "no training image has labels; s4gan learns from a few labelled images and many others")
    }
    guard count ?? 1 <= all.count else {
      throw RecipeError(
        "recipe key 'labelled' is \(count ?? 0); expected at most \(all.count), the training images with labels"
      )
    }
    let labelled = Set(byPatient(all, items).prefix(count ?? all.count))
    let unlabelled = items.indices.filter { !labelled.contains($0) }
    return [labelled.sorted(), unlabelled.isEmpty ? labelled.sorted() : unlabelled]
  }

  private func isLabelled(_ item: TrainingItem) -> Bool {
    guard let ignoreLabel, let labels = item.layers["labels"] else { return true }
    return labels.isNotEqual(to: Double(ignoreLabel)).any().item() == 1
  }

  private func byPatient(_ chosen: [Int], _ items: [TrainingItem]) -> [Int] {
    let groups = Dictionary(grouping: chosen) { items[$0].patient }
    let patients = groups.keys.sorted()
    return Permutation.shuffled(patients.count, seed: 0).flatMap { groups[patients[$0]] ?? [] }
  }
}
