// What a segmenter minimises: the paper's weighted cross-entropy, and soft Dice.

import LimnTorch

/// Class scores against class numbers, pixels weighted.
enum SegmentationLosses {
  /// E = −Σ w(x) log p_l(x)(x) / pixels (the paper, equation 1, as a mean so that the rate does not depend on
  /// the tile).
  /// - Parameters:
  ///   - scores: [N, K, H, W].
  ///   - labels: class numbers, int64 [N, H, W].
  ///   - weights: float32 [N, H, W], 0 where a pixel does not count.
  /// - Returns: a scalar.
  static func crossEntropy(_ scores: Tensor, _ labels: Tensor, weights: Tensor) -> Tensor {
    let losses = LimnTorch.crossEntropy(scores, labels, reduction: .none)
    let counted = weights.isGreater(than: 0).to(.float32).sum().clamped(min: 1)
    return (losses * weights).sum() / counted
  }

  /// 1 − the mean over classes but the background of 2 Σ p t / (Σ p + Σ t), over the pixels that count of the
  /// whole batch (Drozdzal et al. 2016; a class that is nowhere has no part).
  static func dice(_ scores: Tensor, _ labels: Tensor, weights: Tensor) -> Tensor {
    let counts = weights.isGreater(than: 0).to(.float32).unsqueezed(1)
    let probabilities = softmax(scores.to(.float32), dim: 1) * counts
    let classes = Tensor.arange(scores.size(1)).to(labels.device).reshaped([1, -1, 1, 1])
    let truth = labels.unsqueezed(1).isEqual(to: classes).to(.float32) * counts
    func sums(_ x: Tensor) -> Tensor { x.sum(dims: [0, 2, 3])[1...] }
    let (overlap, both, present) = (
      sums(probabilities * truth), sums(probabilities) + sums(truth), sums(truth)
    )
    let isThere = present.isGreater(than: 0).to(.float32)
    let dice = 2 * overlap / both.clamped(min: 1e-6)
    return 1 - (dice * isThere).sum() / isThere.sum().clamped(min: 1)
  }

  static func value(
    _ loss: SegmentationLoss, _ scores: Tensor, _ labels: Tensor, weights: Tensor
  ) -> Tensor {
    switch loss {
    case .crossEntropy: crossEntropy(scores, labels, weights: weights)
    case .dice: dice(scores, labels, weights: weights)
    case .diceCrossEntropy:
      crossEntropy(scores, labels, weights: weights) + dice(scores, labels, weights: weights)
    }
  }
}
