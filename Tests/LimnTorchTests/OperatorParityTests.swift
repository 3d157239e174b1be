// Arithmetic, shape, indexing, reductions and linear algebra against PyTorch: values and gradients.

import LimnTestSupport
import LimnTorch
import Testing

@Suite struct OperatorParityTests {
  static let cases: [ParityCase] = {
    var list = CaseList()
    addArithmetic(to: &list)
    addComparisons(to: &list)
    addReductions(to: &list)
    addShapes(to: &list)
    addIndexing(to: &list)
    addLinearAlgebra(to: &list)
    return list.cases
  }()

  @Test("equals PyTorch", arguments: cases)
  func parity(_ parity: ParityCase) throws { try ParityFixture("operators").check(parity) }

  @Test func everyFixtureIsCompared() throws {
    #expect(try ParityFixture("operators").caseNames == Set(Self.cases.map(\.name)))
  }

  private static func addArithmetic(to list: inout CaseList) {
    list.two("add") { $0 + $1 }
    list.two("subtract") { $0 - $1 }
    list.two("multiply") { $0 * $1 }
    list.two("divide") { $0 / $1 }
    list.one("negate") { -$0 }
    list.one("scalar-right") { (($0 + 2) * 3 - 1.5) / 4 }
    list.one("scalar-left") { 2 + 3 * (1.5 - 4 / $0) }
    list.one("power") { $0.pow(2.5) }
    list.two("power-tensor") { $0.pow($1) }
    list.one("sqrt") { $0.sqrt() }
    list.one("rsqrt") { $0.rsqrt() }
    list.one("reciprocal") { $0.reciprocal() }
    list.one("log") { $0.log() }
    list.one("log2") { $0.log2() }
    list.one("log1p") { $0.log1p() }
    list.one("square") { $0.square() }
    list.one("exp") { $0.exp() }
    list.one("expm1") { $0.expm1() }
    list.one("abs") { $0.abs() }
    list.one("sign") { $0.sign() }
    list.one("sin") { $0.sin() }
    list.one("cos") { $0.cos() }
    list.one("floor") { $0.floor() }
    list.one("ceil") { $0.ceil() }
    list.one("round") { $0.round() }
    list.one("erf") { $0.erf() }
    list.two("atan2") { atan2($0, $1) }
    list.one("remainder") { $0.remainder(0.7) }
    list.one("clamped") { $0.clamped(min: -0.5, max: 0.8) }
    list.one("clamped-below") { $0.clamped(min: 0.1) }
    list.two("where") { Tensor.where($0.isGreater(than: $1), $0, $1 * 2) }
    list.one("masked-fill") { $0.filled(where: $0.isGreater(than: 0.2), with: -3) }
    list.two("lerp") { Tensor.lerp($0, $1, weight: 0.3) }
    list.three("lerp-tensor") { Tensor.lerp($0, $1, weight: $2) }
    list.two("maximum") { maximum($0, $1) }
    list.two("minimum") { minimum($0, $1) }
    list.two("matmul") { matmul($0, $1) }
    list.two("einsum") { einsum("bij,kj->bki", $0, $1) }
  }

  private static func addComparisons(to list: inout CaseList) {
    list.two("gt") { $0.isGreater(than: $1) }
    list.two("lt") { $0.isLess(than: $1) }
    list.two("ge") { $0.isAtLeast($1) }
    list.two("le") { $0.isAtMost($1) }
    list.two("eq") { $0.isEqual(to: $1) }
    list.two("ne") { $0.isNotEqual(to: $1) }
    list.one("gt-scalar") { $0.isGreater(than: 2) }
    list.one("lt-scalar") { $0.isLess(than: 2) }
    list.one("ge-scalar") { $0.isAtLeast(2) }
    list.one("le-scalar") { $0.isAtMost(2) }
    list.one("eq-scalar") { $0.isEqual(to: 2) }
    list.one("ne-scalar") { $0.isNotEqual(to: 2) }
  }

  private static func addReductions(to list: inout CaseList) {
    list.one("sum") { $0.sum() }
    list.one("sum-dims") { $0.sum(dims: [1, 3]) }
    list.one("mean") { $0.mean() }
    list.one("mean-dims") { $0.mean(dims: [2, 3], keepDim: true) }
    list.one("variance") { $0.variance() }
    list.one("variance-biased") { $0.variance(dims: [0, 2], unbiased: false, keepDim: true) }
    list.one("std") { $0.std(dims: [1]) }
    list.one("product") { $0.product(dim: 2) }
    list.one("log-sum-exp") { $0.logSumExp(dims: [1]) }
    list.one("min") { $0.min() }
    list.one("max") { $0.max() }
    list.one("amin") { $0.amin(dims: [1, 2]) }
    list.one("amax") { $0.amax(dims: [3], keepDim: true) }
    list.one("argmax") { $0.argmax(dim: 1) }
    list.one("argmin") { $0.argmin(dim: 3, keepDim: true) }
    list.one("median") { $0.median() }
    list.one("quantile") { $0.quantile(0.35, dim: 3) }
    list.many("sorted") {
      let (values, indices) = $0[0].sorted(dim: 2, descending: true)
      return [values, indices]
    }
    list.many("top-k") {
      let (values, indices) = $0[0].topK(2, dim: 3, largest: false)
      return [values, indices]
    }
    list.one("cumsum") { $0.cumsum(dim: 1) }
    list.one("norm") { $0.norm() }
    list.one("norm-dims") { $0.norm(dims: [1, 2], keepDim: true) }
  }

  private static func addShapes(to list: inout CaseList) {
    list.one("reshaped") { $0.reshaped([6, -1]) }
    list.one("permuted") { $0.permuted([3, 0, 2, 1]) }
    list.one("transposed") { $0.transposed(1, -1) }
    list.one("expanded") { $0.unsqueezed(1).expanded([-1, 3, -1]) }
    list.one("squeezed") { $0.squeezed(1) }
    list.one("flattened") { $0.flattened(from: 1, to: 2) }
    list.one("flipped") { $0.flipped([1, 3]) }
    list.one("repeated") { $0.repeated([2, 1, 3]) }
    list.one("repeat-interleaved") { $0.repeatInterleaved(3, dim: 1) }
    list.one("rolled") { $0.rolled([1, -2], dims: [0, 3]) }
    list.one("rotated90") { $0.rotated90(1, dims: [2, 3]) }
    list.one("narrowed") { $0.narrowed(dim: 3, start: 1, length: 3) }
    list.many("split") { $0[0].split(size: 2, dim: 3) }
    list.many("chunked") { $0[0].chunked(2, dim: 2) }
    list.one("unfolded") { $0.unfolded(dim: 3, size: 3, step: 2) }
    list.one("upper-triangle") { $0.upperTriangle(diagonal: 1) }
    list.one("lower-triangle") { $0.lowerTriangle(diagonal: -1) }
    list.two("stack") { Tensor.stack([$0, $1], dim: 1) }
    list.two("cat") { Tensor.cat([$0, $1]) }
  }

  private static func addIndexing(to list: inout CaseList) {
    list.one("index-integer") { $0[1] }
    list.one("index-negative") { $0[-1, .all, -2] }
    list.one("index-range") { $0[.all, 1..<3, 2...] }
    list.one("index-ellipsis") { $0[0, .ellipsis, 1..<4] }
    list.one("index-stride") { $0[.ellipsis, .stride(by: 2)] }
    list.one("index-stride-from") { $0[.all, .stride(from: 1, to: 3, by: 2), .stride(from: 1, by: 3)] }
    list.one("index-last-two") { $0[.ellipsis, -2..<0] }
    list.one("index-new-axis") { $0[.all, .newAxis, 1] }
    list.one("index-through") { $0[...1, ..<3, 0...2] }
    list.two("index-tensor") { $0[$1] }
    list.two("index-tensor-later") { $0[.all, 1, $1] }
    list.three("index-two-tensors") { $0[.all, $1, $2] }
    list.two("index-mask") { $0[$1] }
    list.two("index-mask-then-range") { $0[$1, 1..<3] }
    list.two("index-mask-then-integer") { $0[$1, .ellipsis, 2] }
    list.two("index-select") { $0.indexSelect(dim: 1, $1) }
    list.two("gathered") { $0.gathered(dim: 1, $1) }
    list.one("nonzero") { $0.nonzero() }
    list.two("assign") {
      let y = $0.cloned()
      y[1] = $1[0]
      y[.all, 2...] = Tensor(7.5)
      y[y.isGreater(than: 5)] = Tensor(2)
      return y
    }
  }

  private static func addLinearAlgebra(to list: inout CaseList) {
    // Signs of eigenvectors and singular vectors are free; a function of the matrix made of them is not.
    list.many("eigh") {
      let (values, vectors) = $0[0].eigh()
      return [values, matmul(vectors * values.log().unsqueezed(-2), vectors.transposed(-1, -2))]
    }
    list.one("eigenvalues") { $0.eigenvaluesSymmetric() }
    list.many("svd") {
      let (u, s, vh) = $0[0].svd()
      return [s, matmul(u * s.square().unsqueezed(-2), vh)]
    }
    list.many("qr") {
      let (q, r) = $0[0].qr()
      return [q, r]
    }
    list.one("cholesky") { $0.cholesky() }
    list.one("inverse") { $0.inverse() }
    list.one("determinant") { $0.determinant() }
    list.two("solve") { $0.solve($1) }
    list.two("least-squares") { $0.leastSquares($1) }
    list.one("pseudo-inverse") { $0.pseudoInverse() }
    list.one("matrix-exponential") { $0.matrixExponential() }
    list.one("trace") { $0.trace() }
    list.one("diagonal") { $0.diagonal() }
  }
}
