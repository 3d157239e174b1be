// Optimisers over libtorch's fused kernels. Each keeps its state by parameter name, so that it can be saved.

/// Changes parameters by their gradients.
public protocol Optimizer: AnyObject {
  /// The learning rate of the next step.
  var learningRate: Double { get set }
  /// The parameters, by name, in a fixed order.
  var parameters: [(key: String, parameter: Parameter)] { get }
  /// Changes every parameter that has a gradient.
  func step()
  /// Moments and step counts, by name; empty before the first step.
  var state: [String: Tensor] { get }
  /// Takes over a saved state.
  /// - Throws: ``StateDictError`` if a tensor's shape does not fit.
  func load(state: [String: Tensor]) throws
  /// Forgets moments and step counts, as if just made.
  func reset()
}

extension Optimizer {
  /// Forgets the parameters' gradients.
  public func zeroGradients() { parameters.forEach { $0.parameter.gradient = nil } }
}

/// Named tensors for each parameter: `weight/exp_avg`.
final class OptimizerState {
  private(set) var slots: [String: [String: Tensor]] = [:]

  /// The slot of a parameter, made on first use.
  func slot(_ slot: String, of key: String, make: () -> Tensor) -> Tensor {
    if let found = slots[key]?[slot] { return found }
    let made = make()
    slots[key, default: [:]][slot] = made
    return made
  }

  var flattened: [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (key, tensors) in slots { for (slot, tensor) in tensors { result["\(key)/\(slot)"] = tensor } }
    return result
  }

  func load(_ state: [String: Tensor], for parameters: [(key: String, parameter: Parameter)]) throws {
    let known = Dictionary(uniqueKeysWithValues: parameters.map { ($0.key, $0.parameter) })
    var loaded: [String: [String: Tensor]] = [:]
    for (name, tensor) in state {
      let parts = name.split(separator: "/").map(String.init)
      guard parts.count == 2, let parameter = known[parts[0]],
        tensor.rank == 0 || tensor.shape == parameter.shape
      else {
        throw StateDictError(description: "optimiser state '\(name)' \(tensor.summary) fits no parameter")
      }
      // A step count stays where the fused kernels look for it; a moment lies as its parameter does.
      let place = tensor.rank == 0 ? tensor.cloned().to(parameter.device) : parameter.zerosLike().detached()
      if tensor.rank > 0 { place.copy(from: tensor) }
      loaded[parts[0], default: [:]][parts[1]] = place
    }
    slots = loaded
  }

  func reset() { slots = [:] }
}

extension [(key: String, parameter: Parameter)] {
  /// Those that have a gradient, with it.
  func withGradients() -> [(key: String, parameter: Parameter, gradient: Tensor)] {
    compactMap { entry in entry.parameter.gradient.map { (entry.key, entry.parameter, $0) } }
  }
}

/// Scales gradients so that their joint Euclidean norm is at most `maximum` (Pascanu, Mikolov & Bengio 2013).
/// - Returns: the norm before scaling, a scalar tensor.
@discardableResult
public func clipGradients(of parameters: [Parameter], maximumNorm: Double) -> Tensor {
  let gradients = parameters.compactMap(\.gradient)
  guard !gradients.isEmpty else { return Tensor(Float(0)) }
  return withoutGradients {
    let norms = torchTensors("_foreach_norm.Scalar", .tensors(gradients), .double(2))
    let total = Tensor.stack(norms).norm()
    let scale = (maximumNorm / (total + 1e-6)).clamped(max: 1)
    torchEffect("_foreach_mul_.Tensor", .tensors(gradients), .tensor(scale))
    return total
  }
}

/// Limits each gradient element to ±`maximum`.
public func clipGradients(of parameters: [Parameter], maximumValue: Double) {
  withoutGradients {
    for gradient in parameters.compactMap(\.gradient) {
      torchEffect("clamp_", .tensor(gradient), .double(-maximumValue), .double(maximumValue))
    }
  }
}
