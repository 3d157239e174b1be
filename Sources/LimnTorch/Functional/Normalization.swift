// Normalisations.

/// Normalises each channel of [N, C, …] by the batch's statistics (training) or the running ones, and in
/// training moves the running ones by `momentum` (Ioffe & Szegedy 2015, algorithm 1).
public func batchNorm(
  _ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, runningMean: Tensor? = nil,
  runningVar: Tensor? = nil, training: Bool, momentum: Double = 0.1, epsilon: Double = 1e-5
) -> Tensor {
  torch(
    "batch_norm", .tensor(x), .tensor(weight), .tensor(bias), .tensor(runningMean), .tensor(runningVar),
    .bool(training), .double(momentum), .double(epsilon), .bool(true))
}

/// Normalises each channel of each sample of [N, C, …] (Ulyanov, Vedaldi & Lempitsky 2016).
public func instanceNorm(
  _ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
) -> Tensor {
  guard x.device == .cpu, x.isChannelsLast else {
    // Groups of one channel are the same statistics, and group_norm keeps the memory format.
    return groupNorm(x, groups: x.size(1), weight: weight, bias: bias, epsilon: epsilon)
  }
  // On the CPU group_norm's gradient takes ten times as long with the channels last as the batch norm of one sample,
  // which is the same.
  let samples = (0..<x.size(0)).map {
    batchNorm(x[$0..<$0 + 1], weight: weight, bias: bias, training: true, epsilon: epsilon)
  }
  return samples.count == 1 ? samples[0] : .cat(samples)
}

/// Normalises over the last axes, whose lengths are `shape` (Ba, Kiros & Hinton 2016).
public func layerNorm(
  _ x: Tensor, shape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
) -> Tensor {
  torch(
    "layer_norm", .tensor(x), .ints(shape), .tensor(weight), .tensor(bias), .double(epsilon), .bool(true))
}

/// Normalises groups of channels of each sample of [N, C, …] (Wu & He 2018).
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
) -> Tensor {
  torch(
    "group_norm", .tensor(x), .int(groups), .tensor(weight), .tensor(bias), .double(epsilon), .bool(true))
}

/// Divides each position's channel vector of [N, C, …] by its root mean square (Karras et al. 2018, §4.2).
public func pixelNorm(_ x: Tensor, epsilon: Double = 1e-8) -> Tensor {
  x * (x.square().mean(dims: [1], keepDim: true) + epsilon).rsqrt()
}
