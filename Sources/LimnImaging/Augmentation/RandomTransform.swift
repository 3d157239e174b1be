// Random transforms: ranges that parameters are drawn from. Drawing is all they do.

import Foundation
import LimnTorch

/// A transform whose parameters are drawn anew for each image, uniformly from ranges unless said otherwise.
public enum RandomTransform: Sendable, Codable, Equatable {
  /// Always flips; the step's probability decides whether.
  case flip(FlipAxis)
  /// 0 to 3 quarter turns, equally likely.
  case quarterTurns
  /// Degrees, counter-clockwise.
  case rotation(degrees: ClosedRange<Double>)
  /// A factor above 0, both axes alike, uniform in its logarithm; above 1 enlarges.
  case scale(factor: ClosedRange<Double>)
  /// Pixels, along each axis of its own.
  case shift(pixels: ClosedRange<Double>)
  /// Degrees by which vertical lines lean.
  case shear(degrees: ClosedRange<Double>)
  /// Normal displacements of standard deviation `sigma` pixels at the nodes of a `nodes`×`nodes` grid,
  /// interpolated bicubically (U-Net, arXiv 1505.04597, section 3.1: 3×3, σ 10).
  case gridDeformation(sigma: Double, nodes: Int = 3)
  /// Uniform noise smoothed by a Gaussian of `sigma` pixels, scaled to displacements of a root mean square in
  /// `magnitude` pixels (Simard, Steinkraus, Platt 2003, whose α 34, σ 4 is a magnitude of 1.4).
  case smoothDeformation(magnitude: ClosedRange<Double>, sigma: Double)
  /// A window anywhere in the image.
  case crop(height: Int, width: Int)
  /// The window in the middle.
  case centreCrop(height: Int, width: Int)
  /// `margin` more pixels on each side, which the border fills: mirrored with `reflect`.
  case padding(margin: Int)
  /// An exponent above 0, uniform in its logarithm.
  case gamma(exponent: ClosedRange<Double>)
  /// A fraction of the range from black to white.
  case brightness(offset: ClosedRange<Double>)
  /// A factor of the distance to the image's mean, uniform in its logarithm.
  case contrast(factor: ClosedRange<Double>)
  /// The standard deviation as a fraction of the range from black to white.
  case noise(deviation: ClosedRange<Double>)
  /// Polynomial coefficients in ±`magnitude` of a logarithmic gain (Van Leemput et al. 1999).
  case biasField(magnitude: Double, order: Int = 3)
}

extension RandomTransform {
  /// Whether it gives the batch another size, so that it must happen to all its images.
  var isSizing: Bool {
    switch self {
    case .crop, .centreCrop, .padding: true
    default: false
    }
  }

  /// Draws the parameters for an image on `canvas`.
  func draw(on canvas: Canvas, from random: RandomSource) -> DrawnTransform {
    switch self {
    case .flip(let axis): .flip(axis: axis)
    case .quarterTurns: .quarterTurns(count: random.integer(in: 0...3))
    case .rotation(let degrees): .rotation(degrees: random.uniform(in: degrees))
    case .scale(let factor): .scale(factor: random.logUniform(in: factor))
    case .shift(let pixels): .shift(x: random.uniform(in: pixels), y: random.uniform(in: pixels))
    case .shear(let degrees): .shear(degrees: random.uniform(in: degrees))
    case .gridDeformation(let sigma, let nodes):
      .gridDeformation(
        x: random.normal(nodes * nodes, deviation: sigma), y: random.normal(nodes * nodes, deviation: sigma))
    case .smoothDeformation(let magnitude, let sigma):
      .smoothDeformation(magnitude: random.uniform(in: magnitude), sigma: sigma, seed: random.seed())
    case .crop(let height, let width):
      .window(
        top: random.offset(of: height, in: canvas.height), left: random.offset(of: width, in: canvas.width),
        height: height, width: width)
    case .centreCrop(let height, let width):
      .window(
        top: middle(of: height, in: canvas.height), left: middle(of: width, in: canvas.width),
        height: height, width: width)
    case .padding(let margin):
      .window(
        top: -margin, left: -margin, height: canvas.height + 2 * margin, width: canvas.width + 2 * margin)
    case .gamma(let exponent): .gamma(exponent: random.logUniform(in: exponent))
    case .brightness(let offset): .brightness(offset: random.uniform(in: offset))
    case .contrast(let factor): .contrast(factor: random.logUniform(in: factor))
    case .noise(let deviation): .noise(deviation: random.uniform(in: deviation), seed: random.seed())
    case .biasField(let magnitude, let order):
      .biasField(
        coefficients: (0..<BiasField.count(order: order)).map { _ in
          random.uniform(in: -magnitude...magnitude)
        })
    }
  }
}

/// Rows or columns before a centred window; the far side has one more where odd.
private func middle(of window: Int, in extent: Int) -> Int {
  Int((Double(extent - window) / 2).rounded(.down))
}

/// Numbers from a generator, one after the other.
struct RandomSource {
  let generator: Generator

  /// In [0, 1).
  func fraction() -> Double { Tensor.rand([1], dtype: .float64, generator: generator).item() }

  func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * fraction()
  }

  /// Uniform in the logarithm, so that halving is as likely as doubling.
  func logUniform(in range: ClosedRange<Double>) -> Double {
    exp(uniform(in: log(range.lowerBound)...log(range.upperBound)))
  }

  func normal(_ count: Int, deviation: Double) -> [Double] {
    (Tensor.randn([count], dtype: .float64, generator: generator) * deviation).array(of: Double.self)
  }

  func integer(in range: ClosedRange<Int>) -> Int {
    Int(Tensor.randint(range.lowerBound, range.upperBound + 1, [1], generator: generator).item())
  }

  /// Where a window begins; before the extent where it is the larger one.
  func offset(of window: Int, in extent: Int) -> Int {
    integer(in: min(0, extent - window)...max(0, extent - window))
  }

  /// Below 2⁵³, which every reader of JSON keeps.
  func seed() -> UInt64 { UInt64(integer(in: 0...(1 << 53) - 1)) }
}
