// Element by element: operators, functions of one and two tensors, comparisons.

extension Tensor {
  /// Element by element; shapes are broadcast.
  public static func + (a: Tensor, b: Tensor) -> Tensor { torch("add.Tensor", .tensor(a), .tensor(b)) }
  /// Element by element; shapes are broadcast.
  public static func - (a: Tensor, b: Tensor) -> Tensor { torch("sub.Tensor", .tensor(a), .tensor(b)) }
  /// Element by element; shapes are broadcast.
  public static func * (a: Tensor, b: Tensor) -> Tensor { torch("mul.Tensor", .tensor(a), .tensor(b)) }
  /// Element by element; shapes are broadcast.
  public static func / (a: Tensor, b: Tensor) -> Tensor { torch("div.Tensor", .tensor(a), .tensor(b)) }
  /// Element by element.
  public static prefix func - (a: Tensor) -> Tensor { torch("neg", .tensor(a)) }

  /// Each element with the number.
  public static func + (a: Tensor, b: Double) -> Tensor { torch("add.Scalar", .tensor(a), .double(b)) }
  /// Each element with the number.
  public static func - (a: Tensor, b: Double) -> Tensor { torch("sub.Scalar", .tensor(a), .double(b)) }
  /// Each element with the number.
  public static func * (a: Tensor, b: Double) -> Tensor { torch("mul.Scalar", .tensor(a), .double(b)) }
  /// Each element with the number.
  public static func / (a: Tensor, b: Double) -> Tensor { torch("div.Scalar", .tensor(a), .double(b)) }
  /// The number with each element.
  public static func + (a: Double, b: Tensor) -> Tensor { b + a }
  /// The number with each element.
  public static func - (a: Double, b: Tensor) -> Tensor { torch("rsub.Scalar", .tensor(b), .double(a)) }
  /// The number with each element.
  public static func * (a: Double, b: Tensor) -> Tensor { b * a }
  /// The number with each element.
  public static func / (a: Double, b: Tensor) -> Tensor { b.reciprocal() * a }

  /// Replaces `a` by a new tensor; views of the old one do not change.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  /// Replaces `a` by a new tensor; views of the old one do not change.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  /// Replaces `a` by a new tensor; views of the old one do not change.
  public static func *= (a: inout Tensor, b: Double) { a = a * b }

  /// x to a power.
  public func pow(_ exponent: Double) -> Tensor {
    torch("pow.Tensor_Scalar", .tensor(self), .double(exponent))
  }
  /// x to a power for each element (broadcast).
  public func pow(_ exponent: Tensor) -> Tensor {
    torch("pow.Tensor_Tensor", .tensor(self), .tensor(exponent))
  }
  /// x².
  public func square() -> Tensor { self * self }
  /// √x.
  public func sqrt() -> Tensor { torch("sqrt", .tensor(self)) }
  /// 1 / √x.
  public func rsqrt() -> Tensor { torch("rsqrt", .tensor(self)) }
  /// 1 / x.
  public func reciprocal() -> Tensor { torch("reciprocal", .tensor(self)) }
  /// eˣ.
  public func exp() -> Tensor { torch("exp", .tensor(self)) }
  /// The natural logarithm.
  public func log() -> Tensor { torch("log", .tensor(self)) }
  /// The logarithm to base 2.
  public func log2() -> Tensor { torch("log2", .tensor(self)) }
  /// log(1 + x), exact near zero.
  public func log1p() -> Tensor { torch("log1p", .tensor(self)) }
  /// eˣ − 1, exact near zero.
  public func expm1() -> Tensor { torch("expm1", .tensor(self)) }
  /// The Gauss error function.
  public func erf() -> Tensor { torch("erf", .tensor(self)) }
  /// |x|.
  public func abs() -> Tensor { torch("abs", .tensor(self)) }
  /// −1, 0 or 1.
  public func sign() -> Tensor { torch("sign", .tensor(self)) }
  /// The sine of radians.
  public func sin() -> Tensor { torch("sin", .tensor(self)) }
  /// The cosine of radians.
  public func cos() -> Tensor { torch("cos", .tensor(self)) }
  /// The largest integer not above.
  public func floor() -> Tensor { torch("floor", .tensor(self)) }
  /// The smallest integer not below.
  public func ceil() -> Tensor { torch("ceil", .tensor(self)) }
  /// To the nearest integer, halves to even.
  public func round() -> Tensor { torch("round", .tensor(self)) }

  /// The rest of a division, with the divisor's sign.
  public func remainder(_ divisor: Double) -> Tensor {
    torch("remainder.Scalar", .tensor(self), .double(divisor))
  }

  /// Values cut off below `min` and above `max`.
  public func clamped(min: Double? = nil, max: Double? = nil) -> Tensor {
    torch("clamp", .tensor(self), .double(min), .double(max))
  }

  /// Where the element is greater, bool.
  public func isGreater(than other: Tensor) -> Tensor { torch("gt.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element is greater, bool.
  public func isGreater(than other: Double) -> Tensor { torch("gt.Scalar", .tensor(self), .double(other)) }
  /// Where the element is less, bool.
  public func isLess(than other: Tensor) -> Tensor { torch("lt.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element is less, bool.
  public func isLess(than other: Double) -> Tensor { torch("lt.Scalar", .tensor(self), .double(other)) }
  /// Where the element is greater or equal, bool.
  public func isAtLeast(_ other: Tensor) -> Tensor { torch("ge.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element is greater or equal, bool.
  public func isAtLeast(_ other: Double) -> Tensor { torch("ge.Scalar", .tensor(self), .double(other)) }
  /// Where the element is less or equal, bool.
  public func isAtMost(_ other: Tensor) -> Tensor { torch("le.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element is less or equal, bool.
  public func isAtMost(_ other: Double) -> Tensor { torch("le.Scalar", .tensor(self), .double(other)) }
  /// Where the elements are equal, bool.
  public func isEqual(to other: Tensor) -> Tensor { torch("eq.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element equals the number, bool.
  public func isEqual(to other: Double) -> Tensor { torch("eq.Scalar", .tensor(self), .double(other)) }
  /// Where the element differs from the number, bool.
  public func isNotEqual(to other: Double) -> Tensor { torch("ne.Scalar", .tensor(self), .double(other)) }
  /// Where the elements differ, bool.
  public func isNotEqual(to other: Tensor) -> Tensor { torch("ne.Tensor", .tensor(self), .tensor(other)) }
  /// Where the element is neither infinite nor NaN, bool.
  public func isFinite() -> Tensor { torch("isfinite", .tensor(self)) }
  /// Where the element is zero, bool.
  public func logicalNot() -> Tensor { torch("logical_not", .tensor(self)) }
  /// Where neither element is zero, bool.
  public func logicalAnd(_ other: Tensor) -> Tensor { torch("logical_and", .tensor(self), .tensor(other)) }
  /// Where either element is not zero, bool.
  public func logicalOr(_ other: Tensor) -> Tensor { torch("logical_or", .tensor(self), .tensor(other)) }

  /// `a` where the condition holds, `b` elsewhere.
  public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    torch("where.self", .tensor(condition), .tensor(a), .tensor(b))
  }

  /// `value` where the mask (bool, broadcast) is true, the tensor elsewhere.
  public func filled(where mask: Tensor, with value: Double) -> Tensor {
    torch("masked_fill.Scalar", .tensor(self), .tensor(mask), .double(value))
  }

  /// a + weight · (b − a).
  public static func lerp(_ a: Tensor, _ b: Tensor, weight: Double) -> Tensor {
    torch("lerp.Scalar", .tensor(a), .tensor(b), .double(weight))
  }

  /// a + weight · (b − a), with a weight for each element (broadcast).
  public static func lerp(_ a: Tensor, _ b: Tensor, weight: Tensor) -> Tensor {
    torch("lerp.Tensor", .tensor(a), .tensor(b), .tensor(weight))
  }

  /// Whether all elements of two tensors are the same bits' values; false for different shapes.
  public func isIdentical(to other: Tensor) -> Bool {
    shape == other.shape && dtype == other.dtype && torchNumber("equal", .tensor(self), .tensor(other)) == 1
  }
}

/// The larger of two, element by element.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { torch("maximum", .tensor(a), .tensor(b)) }

/// The smaller of two, element by element.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { torch("minimum", .tensor(a), .tensor(b)) }

/// The angle of the point (x, y) to the x axis, in −π...π.
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor { torch("atan2", .tensor(y), .tensor(x)) }

/// The matrix product over the last two axes, batched over the others.
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor { torch("matmul", .tensor(a), .tensor(b)) }

/// Sums of products by Einstein's convention, such as `einsum("bij,kj->bki", x, y)`.
public func einsum(_ equation: String, _ tensors: Tensor...) -> Tensor {
  torch("einsum", .string(equation), .tensors(tensors))
}
