// The files of Tests/Fixtures/imaging and what independent readers make of them.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch

enum Expected {
  private static let contents = Result {
    try Safetensors.read(fixture("imaging/expected.safetensors")).tensors
  }

  /// A tensor of expected.safetensors.
  static func tensor(_ name: String) throws -> Tensor {
    guard let tensor = try contents.get()[name] else { throw MissingFixture(name: name) }
    return tensor
  }

  static func affine(_ name: String) throws -> [Double] {
    try tensor(name).reshaped([-1]).array(of: Double.self)
  }
}

struct MissingFixture: Error { var name: String }

func file(_ name: String) -> URL { fixture("imaging/\(name)") }

/// The largest absolute difference; infinite where shapes differ.
func difference(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return (a.to(.float64) - b.to(.float64)).abs().max().item()
}

func difference(_ affine: Affine, _ expected: [Double]) -> Double {
  zip(affine.elements, expected).map { abs($0 - $1) }.max() ?? .infinity
}
