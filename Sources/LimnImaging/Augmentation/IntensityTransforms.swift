// Changes of intensity, each for all images of a batch that it is drawn for.

import Foundation
import LimnTorch

extension DrawnTransform {
  /// Changes of intensity of one kind are computed together.
  enum IntensityKind: Sendable { case gamma, brightness, contrast, noise, biasField }

  /// Nil for what moves pixels.
  var intensityKind: IntensityKind? {
    switch self {
    case .gamma: .gamma
    case .brightness: .brightness
    case .contrast: .contrast
    case .noise: .noise
    case .biasField: .biasField
    default: nil
    }
  }
}

/// Applies what changes intensities among drawn transforms.
enum IntensityTransforms {
  /// Each image with its own transforms, in their order; others as they are.
  /// - Parameters:
  ///   - draws: the transforms of each image.
  ///   - images: [N, C, H, W], floating point.
  ///   - range: black and white; what leaves it is cut off.
  /// - Returns: [N, C, H, W] of the same type.
  static func applied(
    _ draws: [[DrawnTransform]], to images: Tensor, range: ClosedRange<Double>
  ) -> Tensor {
    var waiting = draws.map { $0.filter { $0.intensityKind != nil }[...] }
    let changed = waiting.indices.filter { !waiting[$0].isEmpty }
    guard !changed.isEmpty else { return images }
    let span = range.upperBound - range.lowerBound
    let precise = images.to(images.dtype == .float64 ? .float64 : .float32)
    var units = (precise - range.lowerBound) / span
    while let kind = waiting.lazy.compactMap(\.first?.intensityKind).first {
      let rows = waiting.indices.filter { waiting[$0].first?.intensityKind == kind }
      let transforms = rows.compactMap { waiting[$0].popFirst() }
      units = replacing(rows, of: units) { apply(kind, transforms, to: $0) }
    }
    let back = units.clamped(min: 0, max: 1) * span + range.lowerBound
    return replacing(changed, of: precise) { _ in selected(changed, of: back) }.to(images.dtype)
  }

  private static func selected(_ rows: [Int], of x: Tensor) -> Tensor {
    rows.count == x.shape[0] ? x : x.indexSelect(dim: 0, Tensor(rows).to(x.device))
  }

  /// A copy whose `rows` are what `change` makes of them.
  private static func replacing(_ rows: [Int], of x: Tensor, _ change: (Tensor) -> Tensor) -> Tensor {
    guard rows.count < x.shape[0] else { return change(x) }
    let copy = x.cloned()
    copy[Tensor(rows).to(x.device)] = change(selected(rows, of: x))
    return copy
  }

  /// u: [n, C, H, W], 0 at black and 1 at white.
  private static func apply(
    _ kind: DrawnTransform.IntensityKind, _ transforms: [DrawnTransform], to u: Tensor
  ) -> Tensor {
    let amounts = Tensor(transforms.map(\.amount), shape: [u.shape[0], 1, 1, 1]).to(u.dtype).to(u.device)
    switch kind {
    // Odd, so that values below black stay numbers.
    case .gamma: return u.sign() * u.abs().pow(amounts)
    case .brightness: return u + amounts
    case .contrast:
      let mean = u.mean(dims: [1, 2, 3], keepDim: true)
      return mean + amounts * (u - mean)
    case .noise: return u + amounts * noise(transforms, like: u)
    case .biasField: return u * BiasField.gains(transforms, like: u)
    }
  }

  private static func noise(_ transforms: [DrawnTransform], like u: Tensor) -> Tensor {
    let shape = Array(u.shape.dropFirst())
    return Tensor.stack(
      transforms.map { Tensor.randn(shape, generator: Generator(seed: $0.seed, device: u.device)) }
    ).to(u.dtype)
  }
}

extension DrawnTransform {
  /// The one number of a change of intensity; 0 where there are several.
  fileprivate var amount: Double {
    switch self {
    case .gamma(let exponent): exponent
    case .brightness(let offset): offset
    case .contrast(let factor): factor
    case .noise(let deviation, _): deviation
    default: 0
    }
  }
}

/// A gain that varies slowly over the image, the exponential of a polynomial without constant term.
enum BiasField {
  /// Powers of x and y: 1 0, 0 1, 2 0, 1 1, 0 2, …
  static func powers(order: Int) -> [(x: Int, y: Int)] {
    (1...order).flatMap { degree in (0...degree).map { (degree - $0, $0) } }
  }

  /// Coefficients of a polynomial.
  static func count(order: Int) -> Int { (order + 1) * (order + 2) / 2 - 1 }

  /// The order that so many coefficients belong to, 1 to 4.
  static func order(_ coefficients: Int) -> Int? { (1...4).first { count(order: $0) == coefficients } }

  /// [n, 1, H, W].
  fileprivate static func gains(_ transforms: [DrawnTransform], like u: Tensor) -> Tensor {
    let coefficients = transforms.map(\.coefficients)
    func axis(_ count: Int) -> Tensor { .linspace(-1, 1, count: count, dtype: u.dtype, device: u.device) }
    let (x, y) = (axis(u.shape[3]).reshaped([1, -1]), axis(u.shape[2]).reshaped([-1, 1]))
    var sum = Tensor.zeros([transforms.count, u.shape[2], u.shape[3]], dtype: u.dtype, device: u.device)
    let longest = coefficients.map(\.count).max() ?? 0
    for (place, power) in powers(order: order(longest) ?? 1).enumerated() {
      let factors = coefficients.map { place < $0.count ? $0[place] : 0 }
      let column = Tensor(factors, shape: [transforms.count, 1, 1]).to(u.dtype).to(u.device)
      sum = sum + column * (x.pow(Double(power.x)) * y.pow(Double(power.y)))
    }
    return sum.unsqueezed(1).exp()
  }
}

extension DrawnTransform {
  fileprivate var coefficients: [Double] {
    guard case .biasField(let coefficients) = self else { return [] }
    return coefficients
  }
}
