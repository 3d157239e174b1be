// FID extrapolated to sets of any size: Chong and Forsyth, "Effectively Unbiased FID and Inception Score and
// where to find them" (CVPR 2020, arXiv 1911.07023), sections 3 and 4.

import LimnTorch

/// The intercept of a straight line through FID over 1 / N.
///
/// The paper thins out the generated images against fixed real ones; here both sets are thinned by one share,
/// because medical sets of real images are small as well.
struct FIDInfinity: FeatureMeasure {
  /// The paper's number of sizes.
  static let pointCount = 15
  static let smallestShare = 0.2

  var definition: String {
    "FID (N − 1) of 15 random parts, a fifth to all of the images of each set, fitted by least squares as a "
      + "straight line over 1 / N and read at 1 / N = 0 (after Chong and Forsyth 2020, who thin out the "
      + "generated set only)."
  }

  func measure(_ pair: FeaturePair) throws -> FeatureMeasurement {
    let points = try Self.points(pair)
    let line = Line(points)
    return FeatureMeasurement(
      value: line.intercept,
      parts: points.map { .init(name: "fid_at_\(Int((1 / $0.x).rounded()))", value: $0.y) }
        + [.init(name: "slope", value: line.slope), .init(name: "r_squared", value: line.rSquared)],
      interval: try Self.interval(pair, line, fid: points[Self.pointCount - 1].y), warnings: Self.warnings(pair, line))
  }

  /// 1 / N of the smaller set and the FID there, sizes ascending.
  private static func points(_ pair: FeaturePair) throws -> [Line.Point] {
    let (real, generated) = (pair.real.size(0), pair.generated.size(0))
    let generator = Generator(seed: Seed.derive(pair.seed, 0x494E_4649))
    return try (0..<pointCount).map { point in
      let share = smallestShare + (1 - smallestShare) * Double(point) / Double(pointCount - 1)
      func part(_ features: Tensor, _ count: Int) -> Tensor {
        features[Tensor.randperm(count, generator: generator)[0..<max(2, Int(share * Double(count)))]]
      }
      let (first, second) = (part(pair.real, real), part(pair.generated, generated))
      return Line.Point(
        x: 1 / Double(min(first.size(0), second.size(0))), y: try FrechetDistance.between(first, second))
    }
  }

  /// The interval of FID itself, which moves the whole line, and the scatter about the line, in quadrature.
  private static func interval(_ pair: FeaturePair, _ line: Line, fid: Double) throws -> ConfidenceInterval? {
    guard let own = try FIDInterval.around(fid, of: pair, .sampleCountLessOne) else { return nil }
    func reach(_ end: Double) -> Double {
      let (drawn, fitted) = (end - fid, studentQuantile * line.interceptError)
      return (drawn * drawn + fitted * fitted).squareRoot()
    }
    return ConfidenceInterval(
      low: line.intercept - reach(own.low), high: line.intercept + reach(own.high), level: own.level,
      resamples: own.resamples)
  }

  /// 97.5% of Student's distribution with 15 − 2 degrees of freedom.
  private static let studentQuantile = 2.160369

  private static func warnings(_ pair: FeaturePair, _ line: Line) -> [String] {
    let smallest = Int(smallestShare * Double(min(pair.real.size(0), pair.generated.size(0))))
    var warnings: [String] = []
    if smallest <= pair.network.dimension {
      warnings.append(
        "the smallest part has \(smallest) images, no more than the \(pair.network.dimension) features: FID is "
          + "not linear in 1 / N there, the extrapolation is rough")
    }
    if line.intercept < 0 { warnings.append("the extrapolation is below zero, which no distance is") }
    return warnings
  }
}

/// A straight line by least squares.
struct Line {
  struct Point {
    let x: Double
    let y: Double
  }

  let intercept: Double
  let slope: Double
  let rSquared: Double
  /// The standard error of the intercept.
  let interceptError: Double

  init(_ points: [Point]) {
    let count = Double(points.count)
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    let xx = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    let xy = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
    let yy = points.reduce(0) { $0 + ($1.y - meanY) * ($1.y - meanY) }
    slope = xx > 0 ? xy / xx : 0
    intercept = meanY - slope * meanX
    let residual = max(0, yy - slope * xy)
    rSquared = yy > 0 ? 1 - residual / yy : 1
    interceptError =
      xx > 0 ? (residual / max(count - 2, 1) * (1 / count + meanX * meanX / xx)).squareRoot() : 0
  }
}
