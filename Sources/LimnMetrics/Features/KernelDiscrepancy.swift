// The squared maximum mean discrepancy: Gretton et al., "A Kernel Two-Sample Test" (JMLR 13, 2012), equations 3
// and 5, of many subsets of two sets in one pass over the kernel's matrix.

import LimnTorch

/// A similarity of two vectors.
enum FeatureKernel: Sendable {
  /// (xᵀy / D + 1)³.
  case cubic
  /// exp(−|x − y|² / (2 σ²)).
  case gaussian(sigma: Double)

  /// The kernel of each row of `a` with each of `b`; float64 [N, D] and [M, D] to [N, M].
  func matrix(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .cubic: return (matmul(a, b.transposed(0, 1)) / Double(a.size(1)) + 1).pow(3)
    case .gaussian(let sigma): return (squaredDistances(a, b) * (-1 / (2 * sigma * sigma))).exp()
    }
  }

  /// The kernel of each row with itself: [N].
  func diagonal(_ a: Tensor) -> Tensor {
    switch self {
    case .cubic: (a.square().sum(dims: [1]) / Double(a.size(1)) + 1).pow(3)
    case .gaussian: .ones([a.size(0)], dtype: .float64)
    }
  }
}

/// |x − y|² of each row of `a` with each of `b`, not below zero; float64 [N, D] and [M, D] to [N, M].
///
/// What lies within rounding of zero is zero, so that equal vectors are at no distance.
func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
  let squares = a.square().sum(dims: [1], keepDim: true) + b.square().sum(dims: [1])
  let distances = squares - matmul(a, b.transposed(0, 1)) * 2
  return distances.filled(where: distances.isLess(than: squares * 1e-13), with: 0)
}

/// Rows of two sets that belong to a subset.
struct SubsetPair {
  /// One for members, zero elsewhere: float64 [subsets, N]; every row has as many ones.
  let first: Tensor
  /// The same for the second set: [subsets, M].
  let second: Tensor
}

/// MMD² of subsets.
struct KernelDiscrepancy {
  let kernel: FeatureKernel
  /// Leaves each vector's similarity with itself out (equation 3) instead of counting it (equation 5).
  let isUnbiased: Bool

  /// One value for each subset of the rows of [N, D] and [M, D].
  func values(_ first: Tensor, _ second: Tensor, _ subsets: SubsetPair) -> [Double] {
    withoutGradients {
      let (a, b) = (first.to(.float64), second.to(.float64))
      let cross = sums(a, subsets.first, b, subsets.second)
      let counts = (subsets.first.sum(dims: [1]), subsets.second.sum(dims: [1]))
      let value =
        within(a, subsets.first, counts.0) + within(b, subsets.second, counts.1)
        - cross * 2 / (counts.0 * counts.1)
      return value.array(of: Double.self)
    }
  }

  /// The mean similarity within each subset.
  private func within(_ a: Tensor, _ members: Tensor, _ counts: Tensor) -> Tensor {
    let all = sums(a, members, a, members)
    guard isUnbiased else { return all / counts.square() }
    let own = matmul(members, kernel.diagonal(a).unsqueezed(1)).squeezed(1)
    return (all - own) / (counts * (counts - 1))
  }

  /// The sum of similarities between the members of both sides, for each subset.
  private func sums(_ a: Tensor, _ membersA: Tensor, _ b: Tensor, _ membersB: Tensor) -> Tensor {
    let rows = max(1, Self.elementsAtOnce / b.size(0))
    let sums = Tensor.zeros([membersA.size(0)], dtype: .float64)
    for start in stride(from: 0, to: a.size(0), by: rows) {
      let end = min(start + rows, a.size(0))
      let weighted = matmul(membersA[.all, start..<end], kernel.matrix(a[start..<end], b))
      sums.add((weighted * membersB).sum(dims: [1]))
    }
    return sums
  }

  /// 64 MB of a kernel's matrix.
  private static let elementsAtOnce = 1 << 23
}
