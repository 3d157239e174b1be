// Pairs torn apart on purpose: the targets of each patient go to the images of another.

import Foundation
import LimnDatasets
import LimnTorch

/// Gives each training item the target of another patient, as far through that patient's items as the item is through
/// its own: slices of about the same level in the body.
struct TargetShuffle {
  private var partners: [Int: Int] = [:]

  /// - Parameters:
  ///   - dataset: of pairs.
  ///   - items: those that are trained on.
  ///   - seed: of the run; decides who gets whose.
  /// - Throws: ``RunError`` where there is but one patient.
  init(_ dataset: Dataset, _ items: [Int], _ seed: UInt64) throws {
    var own: [String: [Int]] = [:]
    var patients: [String] = []
    for item in items {
      let patient = dataset.manifest.items[item].patient
      if own[patient] == nil { patients.append(patient) }
      own[patient, default: []].append(item)
    }
    guard patients.count > 1 else {
      throw RunError(
        "\(dataset.url.path): one patient to train on, expected two or more for --shuffle-targets; leave it out"
      )
    }
    // Along one cycle nobody keeps his own.
    let order = Permutation.shuffled(patients.count, seed: Seed.derive(seed, 0x5F1E)).map { patients[$0] }
    for (place, patient) in order.enumerated() {
      let (mine, theirs) = (own[patient] ?? [], own[order[(place + 1) % order.count]] ?? [])
      for (number, item) in mine.enumerated() {
        partners[item] = theirs[(2 * number + 1) * theirs.count / (2 * mine.count)]
      }
    }
  }

  /// The items whose targets these get.
  func partners(of items: [Int]) -> [Int] { items.map { partners[$0] ?? $0 } }
}
