// A training step by plain PyTorch (Benchmarks/reference): weights, inputs, losses and samples of the gradients.

import LimnTestSupport
import LimnTorch
import Testing

/// What differs at most: of each tensor's largest value.
let tolerance = 1e-4

struct StepFixture {
  let tensors: [String: Tensor]

  init(_ name: String) throws {
    tensors = try Safetensors.read(fixture("translation/\(name).safetensors")).tensors
  }

  subscript(_ name: String) -> Tensor {
    get throws { try #require(tensors[name], "the fixture has no \(name)").to(.float32) }
  }

  /// A loss of the fixture is what it is here.
  func expectEqual(
    _ actual: Tensor?, _ name: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let actual = try #require(actual, "\(name) is missing", sourceLocation: location)
    let error = relativeError(actual, try self[name])
    #expect(error < tolerance, "\(name)", sourceLocation: location)
  }

  /// Samples of the gradients of a network's weights, in the order of their names.
  func expectGradients(
    of module: Module, _ name: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let samples = module.namedParameters.sorted { $0.key < $1.key }.map { _, weight in
      sampled(weight.gradient ?? weight.zerosLike(), 32)
    }
    try expectEqual(.cat(samples), name, location)
  }
}

/// At most `most` values, evenly spread, as the fixtures' script takes them.
func sampled(_ values: Tensor, _ most: Int) -> Tensor {
  let flat = values.detached().contiguous().flattened()
  return flat.unfolded(dim: 0, size: 1, step: (flat.count + most - 1) / most).flattened()
}
