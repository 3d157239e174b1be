// What every room's tests share: fixtures, comparisons, numerical gradients, temporary folders.

import Foundation
import LimnTorch

/// The path of a committed fixture, such as `fixture("torch/layers.safetensors")`.
public func fixture(_ path: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures").appendingPathComponent(path)
}

/// The largest absolute difference, over the largest absolute value of `expected` (or 1e-8).
public func relativeError(_ actual: Tensor, _ expected: Tensor) -> Double {
  guard actual.shape == expected.shape else { return .infinity }
  guard actual.count > 0 else { return 0 }
  let (a, e) = (actual.detached().to(.float64), expected.detached().to(.float64))
  let difference = (a - e).abs().max().item()
  return difference.isNaN ? .infinity : difference / max(e.abs().max().item(), 1e-8)
}

/// The gradient of a scalar function by central differences, in float64; the shape of `x`.
public func numericalGradient(of function: (Tensor) -> Tensor, at x: Tensor, step: Double = 1e-6) -> Tensor {
  withoutGradients {
    let gradient = Tensor.zeros([x.count], dtype: .float64)
    for i in 0..<x.count {
      let delta = Tensor.zeros([x.count], dtype: .float64)
      delta[i] = Tensor(step)
      let moved = delta.reshaped(x.shape)
      gradient[i] = (function(x + moved) - function(x - moved)) / (2 * step)
    }
    return gradient.reshaped(x.shape)
  }
}

/// A fresh folder that goes when the last reference to it goes; a suite that holds one has it for each test.
public final class TemporaryFolder: Sendable {
  public let url = FileManager.default.temporaryDirectory.appendingPathComponent("limn-\(UUID().uuidString)")

  public init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// Runs `body` with a fresh folder that is removed afterwards.
public func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) { try body(folder.url) }
}
