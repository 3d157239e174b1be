// Comparing with PyTorch: a case is a function whose outputs and gradients on random input lie in a fixture.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

/// The bar for float32: the largest difference, over the largest value expected.
let tolerance = 1e-5

struct ParityCase: Sendable, CustomTestStringConvertible {
  let name: String
  let function: @Sendable ([Tensor]) -> [Tensor]
  var testDescription: String { name }
}

/// Cases, added one statement at a time so that the compiler checks each closure alone.
struct CaseList {
  private(set) var cases: [ParityCase] = []

  mutating func one(_ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) {
    many(name) { [function($0[0])] }
  }

  mutating func two(_ name: String, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
    many(name) { [function($0[0], $0[1])] }
  }

  mutating func three(_ name: String, _ function: @escaping @Sendable (Tensor, Tensor, Tensor) -> Tensor) {
    many(name) { [function($0[0], $0[1], $0[2])] }
  }

  mutating func many(_ name: String, _ function: @escaping @Sendable ([Tensor]) -> [Tensor]) {
    cases.append(ParityCase(name: name, function: function))
  }
}

/// A fixture file; its tensors are named CASE/in.0, CASE/out.0, CASE/grad.0.
struct ParityFixture: Sendable {
  let tensors: [String: Tensor]

  init(_ file: String) throws { tensors = try Safetensors.read(fixture("torch/\(file).safetensors")).tensors }

  var caseNames: Set<String> {
    Set(tensors.keys.compactMap { $0.hasSuffix("/out.0") ? String($0.dropLast(6)) : nil })
  }

  subscript(_ name: String) -> Tensor {
    get throws { try #require(tensors[name], "the fixture has no \(name)") }
  }

  func list(_ name: String, _ kind: String) -> [Tensor] {
    (0...).lazy.map { tensors["\(name)/\(kind).\($0)"] }.prefix { $0 != nil }.compactMap { $0 }
  }

  /// The tensors below `prefix`, without it.
  func group(_ prefix: String) -> [String: Tensor] {
    let inside = tensors.filter { $0.key.hasPrefix(prefix) }
    return Dictionary(uniqueKeysWithValues: inside.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
  }

  /// Runs a case forwards and backwards and compares both.
  func check(_ parity: ParityCase) throws {
    let inputs = list(parity.name, "in").map(leaf)
    let outputs = parity.function(inputs)
    let expected = list(parity.name, "out")
    try #require(outputs.count == expected.count)
    for (output, expected) in zip(outputs, expected) {
      #expect(output.dtype == expected.dtype)
      #expect(relativeError(output, expected) <= tolerance)
    }
    differentiate(outputs)
    for (i, input) in inputs.enumerated() {
      guard let expected = tensors["\(parity.name)/grad.\(i)"] else { continue }
      let gradient = try #require(input.gradient, "input \(i) got no gradient")
      #expect(relativeError(gradient, expected) <= tolerance, "gradient of input \(i)")
    }
  }
}

/// A copy that autograd follows where the type allows it.
func leaf(_ tensor: Tensor) -> Tensor {
  let copy = tensor.cloned()
  if copy.dtype.isFloatingPoint { copy.requiresGrad = true }
  return copy
}

/// Differentiates the sum of the elements weighted by the cosine of their numbers, as the fixtures' script
/// does.
func differentiate(_ outputs: [Tensor]) {
  let terms = outputs.filter(\.requiresGrad).map { output in
    (output * Tensor.arange(output.count, dtype: .float32).cos().reshaped(output.shape)).sum()
  }
  guard let first = terms.first else { return }
  terms.dropFirst().reduce(first, +).backward()
}
