// What s4GAN minimises besides the cross-entropy on labelled images (the paper, section 3).

import LimnTorch

enum S4GANLosses {
  /// The L1 distance of the mean features of true pairs and of predicted ones, each [N, F].
  static func featureMatching(real: Tensor, predicted: Tensor) -> Tensor {
    (real.mean(dims: [0]) - predicted.mean(dims: [0])).abs().mean()
  }

  /// The cross-entropy with the network's own most probable classes, over the images that deceive the
  /// discriminator.
  /// - Parameters:
  ///   - scores: [N, K, H, W].
  ///   - isChosen: whether an image takes part, [N].
  ///   - pixels: 1 where a pixel counts, [N, H, W].
  /// - Returns: a scalar; 0 where no image takes part.
  static func selfTraining(_ scores: Tensor, isChosen: Tensor, pixels: Tensor) -> Tensor {
    let weights = pixels * isChosen.to(.float32).reshaped([-1, 1, 1])
    return SegmentationLosses.crossEntropy(scores, scores.detached().argmax(dim: 1), weights: weights)
  }

  /// The binary cross-entropy of logits [N], the mean of both kinds.
  static func discriminator(real: Tensor, predicted: Tensor) -> Tensor {
    (binaryCrossEntropyWithLogits(real, real.onesLike())
      + binaryCrossEntropyWithLogits(predicted, predicted.zerosLike())) / 2
  }
}
