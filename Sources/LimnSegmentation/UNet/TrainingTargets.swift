// What a segmenter is trained towards: class numbers, and how much each pixel counts.

import LimnImaging
import LimnTorch
import LimnTraining

/// Turns a dataset's layers into class numbers and weights.
struct TrainingTargets: Sendable {
  let labels: LabelSetting
  /// How pixels are weighted; the border term is left out where its w0 is 0.
  let weights: BorderWeights
  let ignoreLabel: Int?

  /// Class numbers and weights of one image.
  /// - Parameter layers: `labels` int64 [H, W], and `instances` where objects are told apart.
  /// - Returns: `labels` int64 [H, W] and `weights` float32 [1, H, W].
  func callAsFunction(_ layers: [String: Tensor]) -> [String: Tensor] {
    guard let stored = layers["labels"] else { preconditionFailure("targets are made of labels") }
    var classes = labels.classNumbers(of: stored)
    var pixels: Tensor
    if weights.w0 > 0 {
      let objects = InstanceSeparation.separated(layers["instances"] ?? components(classes), gap: weights.gap)
      // What was taken from two objects to part them is background now.
      classes = classes.filled(where: objects.isEqual(to: 0), with: 0)
      var own = weights
      own.gap = 0  // They are apart already.
      pixels = own(objects, labels: classes)
    } else {
      pixels = weights.balance(of: classes)
    }
    if let ignoreLabel { pixels = pixels.filled(where: stored.isEqual(to: Double(ignoreLabel)), with: 0) }
    return ["labels": classes, "weights": pixels.unsqueezed(0)]
  }

  private func components(_ classes: Tensor) -> Tensor {
    let found = ConnectedComponents(
      of: classes.to(.int32).array(of: Int32.self), width: classes.size(1), connectivity: .four)
    return Tensor(found.labels, shape: classes.shape)
  }
}

extension BorderWeights {
  /// The term w_c alone, float32 of the labels' shape.
  fileprivate func balance(of classes: Tensor) -> Tensor {
    let weights = balance.weights(of: classes.to(.int32).array(of: Int32.self))
    return Tensor(weights.map(Float.init), shape: classes.shape)
  }
}
