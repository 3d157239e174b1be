// SGD, Adam, AdamW and RMSprop, equal to PyTorch's.

/// Stochastic gradient descent with momentum, in PyTorch's form: v ← μ·v + (1 − dampening)·g, θ ← θ − lr·v.
public final class SGD: Optimizer {
  public var learningRate: Double
  public let parameters: [(key: String, parameter: Parameter)]
  let momentum: Double
  let dampening: Double
  let weightDecay: Double
  let nesterov: Bool
  private let memory = OptimizerState()

  /// PyTorch's defaults, except that a learning rate must be given.
  public init(
    _ parameters: [(key: String, parameter: Parameter)], learningRate: Double, momentum: Double = 0,
    dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false
  ) {
    self.parameters = parameters
    (self.learningRate, self.momentum, self.dampening) = (learningRate, momentum, dampening)
    (self.weightDecay, self.nesterov) = (weightDecay, nesterov)
  }

  public func step() {
    withoutGradients {
      let active = parameters.withGradients()
      let fresh = active.filter { memory.slots[$0.key] == nil }
      update(fresh, isFirstStep: true)
      let freshKeys = Set(fresh.map(\.key))
      update(active.filter { !freshKeys.contains($0.key) }, isFirstStep: false)
    }
  }

  private func update(_ active: [(key: String, parameter: Parameter, gradient: Tensor)], isFirstStep: Bool) {
    guard !active.isEmpty else { return }
    let buffers =
      momentum == 0
      ? []
      : active.map { entry in
        memory.slot("momentum_buffer", of: entry.key) { entry.parameter.zerosLike().detached() }
      }
    torchEffect(
      "_fused_sgd_", .tensors(active.map(\.parameter)), .tensors(active.map(\.gradient)), .tensors(buffers),
      .double(weightDecay), .double(momentum), .double(learningRate), .double(dampening), .bool(nesterov),
      .bool(false), .bool(isFirstStep))
  }

  public var state: [String: Tensor] { memory.flattened }
  public func load(state: [String: Tensor]) throws { try memory.load(state, for: parameters) }
  public func reset() { memory.reset() }
}

/// Adam (Kingma & Ba 2015), and AdamW (Loshchilov & Hutter 2019) where `decoupledWeightDecay`.
public final class Adam: Optimizer {
  public var learningRate: Double
  public let parameters: [(key: String, parameter: Parameter)]
  let beta1: Double
  let beta2: Double
  let epsilon: Double
  let weightDecay: Double
  let decoupledWeightDecay: Bool
  private let memory = OptimizerState()

  /// PyTorch's defaults; `weightDecay` adds to the gradient unless it is decoupled.
  public init(
    _ parameters: [(key: String, parameter: Parameter)], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupledWeightDecay: Bool = false
  ) {
    self.parameters = parameters
    self.learningRate = learningRate
    (beta1, beta2) = betas
    (self.epsilon, self.weightDecay) = (epsilon, weightDecay)
    self.decoupledWeightDecay = decoupledWeightDecay
  }

  /// AdamW with PyTorch's default decay.
  public static func adamW(
    _ parameters: [(key: String, parameter: Parameter)], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, weightDecay: Double = 1e-2
  ) -> Adam {
    Adam(
      parameters, learningRate: learningRate, betas: betas, epsilon: epsilon, weightDecay: weightDecay,
      decoupledWeightDecay: true)
  }

  public func step() {
    let active = parameters.withGradients()
    guard !active.isEmpty else { return }
    withoutGradients {
      let slots = { (slot: String) in
        active.map { entry in
          self.memory.slot(slot, of: entry.key) { entry.parameter.zerosLike().detached() }
        }
      }
      let steps = active.map { entry in
        memory.slot("step", of: entry.key) { .zeros([], device: entry.parameter.device) }
      }
      torchEffect("_foreach_add_.Scalar", .tensors(steps), .double(1))
      let arguments: (OperatorArgument, OperatorArgument, OperatorArgument, OperatorArgument) = (
        .tensors(active.map(\.parameter)), .tensors(active.map(\.gradient)), .tensors(slots("exp_avg")),
        .tensors(slots("exp_avg_sq"))
      )
      let name: StaticString = decoupledWeightDecay ? "_fused_adamw_" : "_fused_adam_"
      torchEffect(
        name, arguments.0, arguments.1, arguments.2, arguments.3, .tensors([]), .tensors(steps),
        .double(learningRate), .double(beta1), .double(beta2), .double(weightDecay), .double(epsilon),
        .bool(false), .bool(false))
    }
  }

  public var state: [String: Tensor] { memory.flattened }
  public func load(state: [String: Tensor]) throws { try memory.load(state, for: parameters) }
  public func reset() { memory.reset() }
}

/// RMSprop (Tieleman & Hinton 2012) in PyTorch's form: v ← α·v + (1 − α)·g², θ ← θ − lr·g / (√v + ε).
public final class RMSprop: Optimizer {
  public var learningRate: Double
  public let parameters: [(key: String, parameter: Parameter)]
  let alpha: Double
  let epsilon: Double
  let weightDecay: Double
  private let memory = OptimizerState()

  /// PyTorch's defaults, uncentred and without momentum.
  public init(
    _ parameters: [(key: String, parameter: Parameter)], learningRate: Double = 1e-2, alpha: Double = 0.99,
    epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    self.parameters = parameters
    (self.learningRate, self.alpha) = (learningRate, alpha)
    (self.epsilon, self.weightDecay) = (epsilon, weightDecay)
  }

  public func step() {
    let active = parameters.withGradients()
    guard !active.isEmpty else { return }
    withoutGradients {
      let weights = OperatorArgument.tensors(active.map(\.parameter))
      var gradients = active.map(\.gradient)
      if weightDecay != 0 {
        gradients = torchTensors("_foreach_add.List", .tensors(gradients), weights, .double(weightDecay))
      }
      let squares = OperatorArgument.tensors(
        active.map { entry in
          memory.slot("square_avg", of: entry.key) { entry.parameter.zerosLike().detached() }
        })
      torchEffect("_foreach_mul_.Scalar", squares, .double(alpha))
      torchEffect(
        "_foreach_addcmul_.Scalar", squares, .tensors(gradients), .tensors(gradients), .double(1 - alpha))
      let denominators = torchTensors("_foreach_sqrt", squares)
      torchEffect("_foreach_add_.Scalar", .tensors(denominators), .double(epsilon))
      torchEffect(
        "_foreach_addcdiv_.Scalar", weights, .tensors(gradients), .tensors(denominators),
        .double(-learningRate))
    }
  }

  public var state: [String: Tensor] { memory.flattened }
  public func load(state: [String: Tensor]) throws { try memory.load(state, for: parameters) }
  public func reset() { memory.reset() }
}
