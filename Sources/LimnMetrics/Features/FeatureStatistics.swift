// Mean and covariance of features in float64, batch by batch.

import LimnTorch

/// What sums of squares are divided by.
public enum CovarianceDivisor: String, Sendable, Codable {
  /// N − 1: the estimate without bias, NumPy's `cov`.
  case sampleCountLessOne
  /// N: the moments of the samples themselves.
  case sampleCount

  func value(_ count: Int) -> Double { Double(self == .sampleCountLessOne ? count - 1 : count) }
}

/// Mean and covariance of vectors that stream through.
///
/// Each batch is centred on its own mean before it is squared and then merged (Chan, Golub, LeVeque 1979), so
/// that a large common offset costs no digits.
public struct FeatureStatistics: Sendable {
  /// Vectors so far.
  public private(set) var count = 0
  /// float64 [D].
  public private(set) var mean: Tensor
  /// The sum of outer products of deviations from the mean, float64 [D, D].
  private var scatter: Tensor

  /// Statistics of nothing yet.
  public init(dimension: Int) {
    mean = .zeros([dimension], dtype: .float64)
    scatter = .zeros([dimension, dimension], dtype: .float64)
  }

  /// Statistics of a whole matrix [N, D] of any floating-point type, in two passes.
  public init(of features: Tensor) {
    self.init(dimension: features.size(1))
    withoutGradients {
      count = features.size(0)
      let blocks = features.split(size: Self.rowsAtOnce)
      mean = blocks.reduce(mean) { $0 + $1.to(.float64).sum(dims: [0]) } / Double(max(count, 1))
      for block in blocks { addSymmetricSquare(of: block.to(.float64) - mean, to: scatter) }
      mirrorUpperTriangle(of: scatter)
    }
  }

  /// 16 MB of float64 for 2,048 features.
  private static let rowsAtOnce = 1024

  /// The length of a vector.
  public var dimension: Int { mean.size(0) }

  /// Takes in a batch [n, D] of any floating-point type.
  public mutating func add(_ features: Tensor) {
    let added = features.size(0)
    guard added > 0 else { return }
    withoutGradients {
      let values = features.to(.float64)
      let ownMean = values.mean(dims: [0])
      let delta = ownMean - mean
      let total = count + added
      scatter = scatter + symmetricSquare(values - ownMean)
      if count > 0 {
        let weight = Double(count) * Double(added) / Double(total)
        scatter.add(delta.unsqueezed(1) * delta, scaledBy: weight)
      }
      mean = mean + delta * (Double(added) / Double(total))
      count = total
    }
  }

  /// The covariance matrix, float64 [D, D].
  public func covariance(_ divisor: CovarianceDivisor = .sampleCountLessOne) -> Tensor {
    scatter / divisor.value(count)
  }
}

/// xᵀx of [N, D].
func symmetricSquare(_ x: Tensor) -> Tensor {
  let square = Tensor.zeros([x.size(1), x.size(1)], dtype: x.dtype)
  addSymmetricSquare(of: x, to: square)
  mirrorUpperTriangle(of: square)
  return square
}

/// Adds xᵀx to the upper triangle of `square`, by blocks of columns that leave out most of the lower one.
private func addSymmetricSquare(of x: Tensor, to square: Tensor) {
  for columns in columnBlocks(x.size(1)) {
    square[columns, columns.lowerBound...]
      .addProduct(of: x[.all, columns].transposed(0, 1), x[.all, columns.lowerBound...])
  }
}

/// Writes the upper triangle of blocks over the lower one.
private func mirrorUpperTriangle(of square: Tensor) {
  for columns in columnBlocks(square.size(0)) {
    let rest = columns.upperBound..<square.size(0)
    if !rest.isEmpty { square[rest, columns] = square[columns, rest].transposed(0, 1) }
  }
}

/// Sixteen blocks where they are large enough to keep a processor busy.
func columnBlocks(_ count: Int) -> [Range<Int>] {
  let step = max((count + 15) / 16, 64)
  return stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
}
