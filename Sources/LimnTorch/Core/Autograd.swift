// Gradients, and the scopes that switch them and the precision.

import CTorch

extension Tensor {
  /// Whether autograd follows this tensor.
  public var requiresGrad: Bool {
    get { ct_tensor_requires_grad(handle) }
    set { Torch.check(ct_tensor_set_requires_grad(handle, newValue), "requires_grad", summary) }
  }

  /// What `backward()` has accumulated here.
  public var gradient: Tensor? {
    get { ct_tensor_gradient(handle).map { Tensor(owning: $0) } }
    set { Torch.check(ct_tensor_set_gradient(handle, newValue?.handle), "gradient", summary) }
  }

  /// Adds the gradients of this scalar to every leaf it depends on.
  /// - Parameters:
  ///   - gradient: weights of each element where this is not a scalar, same shape.
  ///   - retainGraph: keep the graph for another backward pass.
  ///   - createGraph: make the gradients differentiable in turn.
  public func backward(gradient: Tensor? = nil, retainGraph: Bool = false, createGraph: Bool = false) {
    var output: ct_tensor? = handle
    var weight: ct_tensor? = gradient?.handle
    Torch.check(
      ct_backward(&output, &weight, 1, retainGraph || createGraph, createGraph), "backward", summary)
  }

  /// The same data outside the graph.
  public func detached() -> Tensor { torch("detach", .tensor(self)) }
}

/// The gradients of `outputs` with respect to `inputs`, without touching what leaves have accumulated.
/// - Parameters:
///   - outputs: scalars, or tensors weighted by `outputGradients`.
///   - inputs: tensors that `outputs` depend on.
///   - outputGradients: one weight tensor for each output; ones where nil.
///   - retainGraph: keep the graph, to differentiate it again.
///   - createGraph: make the gradients differentiable in turn, as gradient penalties need.
/// - Returns: one tensor for each input, of its shape.
public func grad(
  of outputs: [Tensor], with inputs: [Tensor], outputGradients: [Tensor]? = nil,
  retainGraph: Bool = false, createGraph: Bool = false
) -> [Tensor] {
  let weights: [ct_tensor?] =
    outputGradients?.map { $0.handle } ?? Array(repeating: nil, count: outputs.count)
  var results = [ct_tensor?](repeating: nil, count: inputs.count)
  let succeeded = ct_gradient(
    outputs.map { $0.handle }, weights, Int32(outputs.count), inputs.map { $0.handle },
    Int32(inputs.count), retainGraph || createGraph, createGraph, false, &results)
  withExtendedLifetime((outputs, inputs, outputGradients)) {}
  Torch.check(succeeded, "grad", (outputs + inputs).map(\.summary).joined(separator: ", "))
  return results.compactMap { $0.map { Tensor(owning: $0) } }
}

/// Runs `body` without recording a graph.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
  try recordingGraph(false, body)
}

/// Runs `body` with a graph recorded, inside a scope that switched it off.
public func withGradients<R>(_ body: () throws -> R) rethrows -> R { try recordingGraph(true, body) }

private func recordingGraph<R>(_ enabled: Bool, _ body: () throws -> R) rethrows -> R {
  let previous = ct_gradients_enabled()
  ct_set_gradients_enabled(enabled)
  defer { ct_set_gradients_enabled(previous) }
  return try body()
}

/// Runs `body` with convolutions and matrix products in `dtype`; float32 switches autocast off.
///
/// Weights stay float32, and so do their gradients.
public func withAutocast<R>(_ dtype: DType, device: Device = .cpu, _ body: () throws -> R) rethrows -> R {
  var previousEnabled = false
  var previousDType: Int32 = 0
  ct_autocast_enter(device.kind.rawValue, dtype.rawValue, &previousEnabled, &previousDType)
  defer { ct_autocast_leave(device.kind.rawValue, previousEnabled, previousDType) }
  return try body()
}
