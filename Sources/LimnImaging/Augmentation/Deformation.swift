// Elastic deformations: a displacement for each pixel, from a coarse grid or from smoothed noise.

import Foundation
import LimnTorch

/// What deformations must share to be computed together.
enum DeformationKind: Hashable, Sendable {
  case grid(nodes: Int)
  case smooth(sigma: Double)
}

extension DrawnTransform {
  /// Nil for what is no deformation.
  var deformationKind: DeformationKind? {
    switch self {
    case .gridDeformation(let x, _): .grid(nodes: gridSide(x))
    case .smoothDeformation(_, let sigma, _): .smooth(sigma: sigma)
    default: nil
    }
  }
}

/// Displacements in pixels, x before y.
enum DeformationField {
  /// The fields of deformations of one kind.
  /// - Returns: float32 [n, 2, H, W].
  static func fields(_ deformations: [SpatialPlan.Deformation], on device: Device) -> Tensor {
    let canvas = deformations[0].canvas
    return switch deformations[0].kind {
    case .grid(let nodes): grid(deformations.map(\.transform), nodes, canvas, device)
    case .smooth(let sigma): smooth(deformations.map(\.transform), sigma, canvas, device)
    }
  }

  /// The bicubic spline through the nodes, mirrored at the outer ones, which lie on the centres of the outermost
  /// pixels.
  private static func grid(
    _ transforms: [DrawnTransform], _ nodes: Int, _ canvas: Canvas, _ device: Device
  ) -> Tensor {
    let displacements = transforms.flatMap { transform -> [Float] in
      guard case .gridDeformation(let x, let y) = transform else { return [] }
      return (x + y).map(Float.init)
    }
    let coarse = Tensor(displacements, shape: [transforms.count, 2, nodes, nodes]).to(device)
    let down = spline(through: nodes, to: canvas.height).to(device)
    let across = spline(through: nodes, to: canvas.width).transposed(0, 1).to(device)
    return matmul(down, matmul(coarse, across))
  }

  /// Cubic spline interpolation as a matrix, [pixels, nodes] (Unser, Aldroubi & Eden 1993; SciPy's order 3 with the mode
  /// `mirror`): B-splines at the pixels, times the inverse of B-splines at the nodes.
  private static func spline(through nodes: Int, to pixels: Int) -> Tensor {
    let atNodes = (0..<nodes).map { splineWeights(at: Double($0), nodes) }
    let step = Double(nodes - 1) / Double(max(pixels - 1, 1))
    let atPixels = (0..<pixels).map { splineWeights(at: Double($0) * step, nodes) }
    let system = Tensor(Array(atNodes.joined()), shape: [nodes, nodes])
    return matmul(Tensor(Array(atPixels.joined()), shape: [pixels, nodes]), system.inverse()).to(.float32)
  }

  /// What each node's cubic B-spline counts at a place.
  private static func splineWeights(at place: Double, _ nodes: Int) -> [Double] {
    let below = place.rounded(.down)
    let (f, g) = (place - below, 1 - place + below)
    let near = [g * g * g, 4 - 6 * f * f + 3 * f * f * f, 4 - 6 * g * g + 3 * g * g * g, f * f * f]
    var weights = [Double](repeating: 0, count: nodes)
    for (offset, weight) in near.enumerated() {
      weights[MirroredAxis.place(Int(below) - 1 + offset, of: nodes)] += weight / 6
    }
    return weights
  }

  private static func smooth(
    _ transforms: [DrawnTransform], _ sigma: Double, _ canvas: Canvas, _ device: Device
  ) -> Tensor {
    let kernel = gaussian(sigma)
    let margin = kernel.count - 1
    // The noise is wider than the canvas, so that the field is as strong at the border as in the middle.
    let size = [2, canvas.height + margin, canvas.width + margin]
    let noise = transforms.map { transform in
      Tensor.rand(size, generator: Generator(seed: transform.seed, device: device)) * 2 - 1
    }
    let across = band(kernel, from: size[2], to: canvas.width).to(device)
    let down = band(kernel, from: size[1], to: canvas.height).transposed(0, 1).to(device)
    let smoothed = matmul(down, matmul(Tensor.stack(noise), across))
    let factors = transforms.map { Float(factor($0, kernel)) }
    return smoothed * Tensor(factors, shape: [transforms.count, 1, 1, 1]).to(device)
  }

  /// The convolution with a kernel as a matrix, [long, short]: several times faster than libtorch's
  /// convolution of one channel.
  private static func band(_ kernel: [Double], from long: Int, to short: Int) -> Tensor {
    var weights = [Float](repeating: 0, count: long * short)
    for column in 0..<short {
      for (offset, weight) in kernel.enumerated() {
        weights[(column + offset) * short + column] = Float(weight)
      }
    }
    return Tensor(weights, shape: [long, short])
  }

  /// Uniform noise in ±1 has variance 1/3, and smoothing multiplies that of a plane by (Σ k²)².
  private static func factor(_ transform: DrawnTransform, _ kernel: [Double]) -> Double {
    guard case .smoothDeformation(let magnitude, _, _) = transform else { return 0 }
    return magnitude * 3.0.squareRoot() / kernel.reduce(0) { $0 + $1 * $1 }
  }

  /// Samples up to three σ, of sum 1.
  private static func gaussian(_ sigma: Double) -> [Double] {
    let radius = Int((3 * sigma).rounded(.up))
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }
}

extension DrawnTransform {
  /// What stands for the noise; 0 for transforms that have none.
  var seed: UInt64 {
    switch self {
    case .smoothDeformation(_, _, let seed), .noise(_, let seed): seed
    default: 0
    }
  }
}
