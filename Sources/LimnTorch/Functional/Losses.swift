// Losses. Each takes a prediction and a target of one shape and gives a scalar, unless stated otherwise.

/// How a loss joins its elements.
public enum LossReduction: Int, Sendable { case none = 0, mean = 1, sum = 2 }

/// |prediction − target|.
public func l1Loss(_ prediction: Tensor, _ target: Tensor, reduction: LossReduction = .mean) -> Tensor {
  torch("l1_loss", .tensor(prediction), .tensor(target), .int(reduction.rawValue))
}

/// (prediction − target)².
public func mseLoss(_ prediction: Tensor, _ target: Tensor, reduction: LossReduction = .mean) -> Tensor {
  torch("mse_loss", .tensor(prediction), .tensor(target), .int(reduction.rawValue))
}

/// Quadratic below `beta`, linear above.
public func smoothL1Loss(
  _ prediction: Tensor, _ target: Tensor, beta: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  torch("smooth_l1_loss", .tensor(prediction), .tensor(target), .int(reduction.rawValue), .double(beta))
}

/// Quadratic below `delta`, linear above, with slope `delta` there (Huber 1964).
public func huberLoss(
  _ prediction: Tensor, _ target: Tensor, delta: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  torch("huber_loss", .tensor(prediction), .tensor(target), .int(reduction.rawValue), .double(delta))
}

/// Binary cross-entropy of probabilities in [0, 1].
public func binaryCrossEntropy(
  _ probability: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: LossReduction = .mean
) -> Tensor {
  torch(
    "binary_cross_entropy", .tensor(probability), .tensor(target), .tensor(weight), .int(reduction.rawValue))
}

/// Binary cross-entropy of logits.
public func binaryCrossEntropyWithLogits(
  _ logits: Tensor, _ target: Tensor, weight: Tensor? = nil, positiveWeight: Tensor? = nil,
  reduction: LossReduction = .mean
) -> Tensor {
  torch(
    "binary_cross_entropy_with_logits", .tensor(logits), .tensor(target), .tensor(weight),
    .tensor(positiveWeight), .int(reduction.rawValue))
}

/// Softmax cross-entropy.
/// - Parameters:
///   - logits: [N, K, …].
///   - target: class numbers, int64 [N, …].
///   - weight: a weight for each class, [K].
///   - reduction: how the losses of the places become one.
///   - ignoreIndex: a class number that does not count.
///   - labelSmoothing: the share of each target that is spread over all classes.
/// - Returns: a scalar, or [N, …] without reduction.
public func crossEntropy(
  _ logits: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: LossReduction = .mean,
  ignoreIndex: Int = -100, labelSmoothing: Double = 0
) -> Tensor {
  torch(
    "cross_entropy_loss", .tensor(logits), .tensor(target), .tensor(weight), .int(reduction.rawValue),
    .int(ignoreIndex), .double(labelSmoothing))
}

/// The negative log-likelihood of log-probabilities [N, K, …].
public func nllLoss(
  _ logProbabilities: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: LossReduction = .mean,
  ignoreIndex: Int = -100
) -> Tensor {
  torch(
    "nll_loss_nd", .tensor(logProbabilities), .tensor(target), .tensor(weight), .int(reduction.rawValue),
    .int(ignoreIndex))
}

/// The Kullback–Leibler divergence, target · (log target − logProbability).
public func klDivergence(
  _ logProbability: Tensor, _ target: Tensor, reduction: LossReduction = .mean, logTarget: Bool = false
) -> Tensor {
  torch(
    "kl_div", .tensor(logProbability), .tensor(target), .int(reduction.rawValue), .bool(logTarget))
}
