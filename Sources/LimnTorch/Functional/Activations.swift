// Activations, softmax and dropout.

/// max(x, 0).
public func relu(_ x: Tensor) -> Tensor { torch("relu", .tensor(x)) }

/// x where positive, slope · x elsewhere.
public func leakyReLU(_ x: Tensor, _ slope: Double = 0.01) -> Tensor {
  torch("leaky_relu", .tensor(x), .double(slope))
}

/// x where positive, slope · x elsewhere; `slopes` holds one for all channels, or one for each of [N, C, …].
public func prelu(_ x: Tensor, _ slopes: Tensor) -> Tensor { torch("prelu", .tensor(x), .tensor(slopes)) }

/// x cut off below 0 and above 6.
public func relu6(_ x: Tensor) -> Tensor { x.clamped(min: 0, max: 6) }
/// x where positive, alpha · (eˣ − 1) elsewhere.
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor { torch("elu", .tensor(x), .double(alpha)) }
/// x · sigmoid(x).
public func silu(_ x: Tensor) -> Tensor { torch("silu", .tensor(x)) }
/// The exact GELU, by the error function.
public func gelu(_ x: Tensor) -> Tensor { torch("gelu", .tensor(x)) }
/// 1 / (1 + e⁻ˣ).
public func sigmoid(_ x: Tensor) -> Tensor { torch("sigmoid", .tensor(x)) }
/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { torch("tanh", .tensor(x)) }
/// log(1 + eˣ).
public func softplus(_ x: Tensor) -> Tensor { torch("softplus", .tensor(x)) }

/// Exponentials along an axis, divided by their sum.
public func softmax(_ x: Tensor, dim: Int) -> Tensor { torch("softmax.int", .tensor(x), .int(dim)) }
/// The logarithm of ``softmax(_:dim:)``, without overflow.
public func logSoftmax(_ x: Tensor, dim: Int) -> Tensor {
  torch("log_softmax.int", .tensor(x), .int(dim))
}

/// Zeroes elements with `probability` and scales the rest by 1 / (1 − probability); draws from the device's
/// default generator.
public func dropout(_ x: Tensor, probability: Double, training: Bool) -> Tensor {
  torch("dropout", .tensor(x), .double(probability), .bool(training))
}

/// ``dropout(_:probability:training:)`` of whole channels.
public func dropout2d(_ x: Tensor, probability: Double, training: Bool) -> Tensor {
  torch("feature_dropout", .tensor(x), .double(probability), .bool(training))
}

/// ``dropout(_:probability:training:)`` with a generator of the caller's, for networks whose dropout is their
/// noise.
public func dropout(_ x: Tensor, probability: Double, generator: Generator) -> Tensor {
  let kept = withoutGradients {
    torch("bernoulli.p", .tensor(x), .double(1 - probability), .generator(generator)) / (1 - probability)
  }
  return x * kept
}
