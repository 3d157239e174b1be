// Pairs torn apart on purpose: the targets of each patient go to the images of another.

import Foundation
import LimnDatasets
import LimnTorch

/// Gives each training item the target of another patient, anew in every epoch, as far through that patient's items as
/// the item is through its own: slices of about the same level in the body.
///
/// A partner for good would be learned by heart: of a few patients each has its own looks.
struct TargetShuffle {
  private let seed: UInt64
  private var patients: [[Int]] = []
  /// Of each item its patient, and how many of that patient's items come before it.
  private var places: [Int: (patient: Int, number: Int)] = [:]

  /// - Parameters:
  ///   - dataset: of pairs.
  ///   - items: those that are trained on.
  ///   - seed: of the run; decides who gets whose.
  /// - Throws: ``RunError`` where there is but one patient.
  init(_ dataset: Dataset, _ items: [Int], _ seed: UInt64) throws {
    self.seed = seed
    var known: [String: Int] = [:]
    for item in items {
      let name = dataset.manifest.items[item].patient
      let patient = known[name] ?? patients.count
      if patient == patients.count {
        known[name] = patient
        patients.append([])
      }
      places[item] = (patient, patients[patient].count)
      patients[patient].append(item)
    }
    guard patients.count > 1 else {
      throw RunError(
        "\(dataset.url.path): one patient to train on, expected two or more for --shuffle-targets; leave it out"
      )
    }
  }

  /// The item whose target this one gets in an epoch.
  func partner(of item: Int, epoch: Int) -> Int {
    guard let place = places[item] else { return item }
    // Along one cycle nobody keeps his own.
    let cycle = Permutation.shuffled(patients.count, seed: Seed.derive(seed, 0x5F1E, UInt64(epoch)))
    let turn = (cycle.firstIndex(of: place.patient) ?? 0) + 1
    let (mine, theirs) = (patients[place.patient], patients[cycle[turn % cycle.count]])
    return theirs[(2 * place.number + 1) * theirs.count / (2 * mine.count)]
  }
}
