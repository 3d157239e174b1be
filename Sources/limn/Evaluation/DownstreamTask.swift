// What a dataset gives a segmenter to learn, for `limn evaluate --downstream`.

import LimnDatasets
import LimnMetrics
import LimnSegmentation
import LimnTorch
import LimnTraining

/// The usefulness of a synthetic dataset with labels.
enum DownstreamTask {
  /// What came of it: a report, or the line that says why there is none.
  enum Outcome {
    case measured(UsefulnessReport)
    case impossible(String)
  }

  /// Trains on the training set, the synthetic one and both; measures on the held-out patients.
  /// - Throws: what the trainings throw.
  static func measure(_ sets: EvaluationSets, options: Usefulness.Options) throws -> Outcome {
    guard let heldOut = sets.heldOut as? DatasetImages else {
      return .impossible("usefulness: no held-out dataset to measure on; import with --split 0.8,0.2")
    }
    guard let training = sets.training as? DatasetImages, let fake = sets.fake as? DatasetImages else {
      return .impossible(
        "usefulness: training and synthetic images must be datasets, not folders of pictures")
    }
    for set in [training, fake, heldOut] where !set.dataset.layerNames.contains("labels") {
      return .impossible(
        "usefulness: \(set.name) has no labels, so nothing can be learned from it (the manifest knows no "
          + "classes of whole images)")
    }
    let known = Set(training.patients)
    guard let kept = heldOut.filtered({ !known.contains($0) }) else {
      return .impossible("usefulness: every held-out image is of a patient in training")
    }
    guard let classes = try training.dataset.labelSetting else { preconditionFailure("it has labels") }
    return .measured(
      try Usefulness.measure(
        real: LabelledDatasetImages(training), synthetic: LabelledDatasetImages(fake),
        heldOut: LabelledDatasetImages(kept), patients: kept.patients, classes: classes, options: options))
  }
}
