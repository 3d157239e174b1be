// Decompositions and solutions, batched over leading axes.

extension Tensor {
  /// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix [..., n, n].
  public func eigh() -> (values: Tensor, vectors: Tensor) {
    let results = torchTensors("linalg_eigh", .tensor(self), .string("L"))
    return (results[0], results[1])
  }

  /// The eigenvalues alone, ascending.
  public func eigenvaluesSymmetric() -> Tensor { torch("linalg_eigvalsh", .tensor(self), .string("L")) }

  /// self = u · diag(s) · vh, of the reduced shape.
  public func svd() -> (u: Tensor, s: Tensor, vh: Tensor) {
    let results = torchTensors("linalg_svd", .tensor(self), .bool(false))
    return (results[0], results[1], results[2])
  }

  /// self = q · r, of the reduced shape.
  public func qr() -> (q: Tensor, r: Tensor) {
    let results = torchTensors("linalg_qr", .tensor(self), .string("reduced"))
    return (results[0], results[1])
  }

  /// The lower triangular factor of a positive definite matrix.
  public func cholesky() -> Tensor { torch("linalg_cholesky", .tensor(self)) }

  /// The inverse of square matrices [..., n, n].
  public func inverse() -> Tensor { torch("linalg_inv", .tensor(self)) }

  /// The determinants of square matrices [..., n, n].
  public func determinant() -> Tensor { torch("linalg_det", .tensor(self)) }

  /// x with self · x = right-hand side.
  public func solve(_ rightHandSide: Tensor) -> Tensor {
    torch("linalg_solve", .tensor(self), .tensor(rightHandSide))
  }

  /// x with the least |self · x − right-hand side|.
  public func leastSquares(_ rightHandSide: Tensor) -> Tensor {
    torchTensors("linalg_lstsq", .tensor(self), .tensor(rightHandSide))[0]
  }

  /// The Moore–Penrose inverse.
  public func pseudoInverse() -> Tensor { torch("linalg_pinv.atol_rtol_tensor", .tensor(self)) }

  /// eˣ of square matrices.
  public func matrixExponential() -> Tensor { torch("linalg_matrix_exp", .tensor(self)) }

  /// The sum of the diagonal.
  public func trace() -> Tensor { torch("trace", .tensor(self)) }
}
