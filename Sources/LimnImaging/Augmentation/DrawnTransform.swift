// What an augmentation does to one image, as plain numbers: printed, stored, and done again.

/// A transform with all its parameters drawn.
///
/// Lengths are pixels; x grows to the right, y downwards; rotation, scale and shear leave the image's centre
/// where it is.
public enum DrawnTransform: Sendable, Codable, Equatable {
  /// Left to right (`horizontal`) or top to bottom.
  case flip(axis: FlipAxis)
  /// `count` quarter turns counter-clockwise, on the canvas as it is: corners of an image that is not square
  /// leave it.
  case quarterTurns(count: Int)
  /// Counter-clockwise.
  case rotation(degrees: Double)
  /// Above 1 enlarges.
  case scale(factor: Double)
  /// To the right by x and down by y.
  case shift(x: Double, y: Double)
  /// x grows by y · tan(degrees).
  case shear(degrees: Double)
  /// The part of the canvas that becomes the new canvas; what lies beyond the old one is the border's.
  case window(top: Int, left: Int, height: Int, width: Int)
  /// Displacements at the nodes of a square grid that spans the canvas, row by row: pixel p takes the value
  /// at p + d(p), d interpolated bicubically.
  case gridDeformation(x: [Double], y: [Double])
  /// A smooth random field with displacements of root mean square `magnitude`, noise smoothed by a Gaussian
  /// of `sigma`; the seed stands for the noise.
  case smoothDeformation(magnitude: Double, sigma: Double, seed: UInt64)
  /// u ↦ u^exponent, where u is 0 at black and 1 at white.
  case gamma(exponent: Double)
  /// Adds a fraction of the range from black to white.
  case brightness(offset: Double)
  /// Multiplies the distance to the image's mean.
  case contrast(factor: Double)
  /// Adds Gaussian noise; `deviation` is a fraction of the range, the seed stands for the noise.
  case noise(deviation: Double, seed: UInt64)
  /// u ↦ u · exp(Σ cᵢⱼ xⁱ yʲ), where x and y go from −1 to 1 over the canvas: x, y, x², xy, y², x³, …
  case biasField(coefficients: [Double])
}

/// Which way an image is mirrored.
public enum FlipAxis: String, Sendable, Codable, CaseIterable {
  /// Left becomes right.
  case horizontal
  /// Top becomes bottom.
  case vertical
}

extension DrawnTransform: CustomStringConvertible {
  /// One phrase, numbers to three decimals; the exact ones are in the JSON.
  public var description: String {
    switch self {
    case .flip(let axis): "flip \(axis.rawValue)"
    case .quarterTurns(let count): "quarter turns \(count)"
    case .rotation(let degrees): "rotation \(short(degrees))°"
    case .scale(let factor): "scale \(short(factor))"
    case .shift(let x, let y): "shift (\(short(x)), \(short(y))) px"
    case .shear(let degrees): "shear \(short(degrees))°"
    case .window(let top, let left, let height, let width):
      "window \(width)×\(height) at (\(left), \(top))"
    case .gridDeformation(let x, let y):
      "grid deformation " + zip(x, y).map { "(\(short($0)), \(short($1)))" }.joined(separator: " ") + " px"
    case .smoothDeformation(let magnitude, let sigma, let seed):
      "smooth deformation \(short(magnitude)) px, σ \(short(sigma)) px, seed \(seed)"
    case .gamma(let exponent): "gamma \(short(exponent))"
    case .brightness(let offset): "brightness \(offset < 0 ? "" : "+")\(short(offset))"
    case .contrast(let factor): "contrast ×\(short(factor))"
    case .noise(let deviation, let seed): "noise σ \(short(deviation)), seed \(seed)"
    case .biasField(let coefficients): "bias field " + coefficients.map(short).joined(separator: " ")
    }
  }
}

extension DrawnTransform {
  /// What makes the parameters impossible, if anything: draws may come from a file.
  var flaw: String? {
    switch self {
    case .scale(let factor) where !(factor > 0): "a scale of \(factor), which is not above 0"
    case .window(_, _, let height, let width)
    where !Canvas.sides.contains(height) || !Canvas.sides.contains(width):
      "a window of \(width)×\(height) pixels, whose sides are not in \(Canvas.sides)"
    case .gridDeformation(let x, let y) where x.count != y.count || gridSide(x) < 2:
      "a grid deformation of \(x.count) and \(y.count) numbers, which fill no square grid"
    case .smoothDeformation(_, let sigma, _) where !(sigma > 0 && sigma <= 1000):
      "a smooth deformation of σ \(sigma), which is not in 0...1000"
    case .gamma(let exponent) where !(exponent > 0): "a gamma of \(exponent), which is not above 0"
    case .biasField(let coefficients) where BiasField.order(coefficients.count) == nil:
      "a bias field of \(coefficients.count) coefficients; orders 1 to 4 have 2, 5, 9 and 14"
    default: nil
    }
  }
}

/// The nodes along a side of a square grid of nodes; 0 where the grid is not square.
func gridSide(_ nodes: [Double]) -> Int {
  let side = Int(Double(nodes.count).squareRoot())
  return side * side == nodes.count ? side : 0
}

/// To three decimals.
private func short(_ value: Double) -> String {
  let rounded = (value * 1000).rounded() / 1000
  return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}
