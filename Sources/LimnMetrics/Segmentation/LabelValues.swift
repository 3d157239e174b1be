// Label maps and masks as Swift arrays, and the check that two of them fit.

import LimnTorch

extension Tensor {
  /// The elements as class or object numbers, last axis fastest.
  var labelValues: [Int32] { to(.int32).array(of: Int32.self) }

  /// Where the elements are not zero, last axis fastest.
  var maskValues: [Bool] { isNotEqual(to: 0).array(of: Bool.self) }
}

/// - Throws: ``MetricError`` where the shapes of a truth, a prediction and a mask are not the same.
func checkSameShape(_ truth: Tensor, _ prediction: Tensor, _ mask: Tensor? = nil) throws {
  guard truth.shape == prediction.shape else {
    throw MetricError("truth \(truth.shape) and prediction \(prediction.shape) have different shapes")
  }
  if let mask, mask.shape != truth.shape {
    throw MetricError("the mask is \(mask.shape) where \(truth.shape) was expected")
  }
}

/// - Throws: ``MetricError`` where the shape is not [H, W].
func checkPlane(_ x: Tensor, _ measure: String) throws {
  guard x.rank == 2, x.count > 0 else {
    throw MetricError("\(measure) is measured on images [H, W], not \(x.shape)")
  }
}
