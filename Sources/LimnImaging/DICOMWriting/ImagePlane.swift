// Where a written DICOM image lies in the patient.

/// An image's place as DICOM says it (PS3.3 C.7.6.2): LPS+ millimetres.
struct ImagePlane {
  let position: SIMD3<Double>
  /// Directions along a row and along a column, of length 1.
  let orientation: (x: SIMD3<Double>, y: SIMD3<Double>)
  /// Millimetres between columns, rows and slices.
  let spacing: SIMD3<Double>

  /// - Parameter affine: pixel (column, row, slice) to millimetres, RAS+. Nil where rows and columns are not at
  ///   right angles, which DICOM cannot say.
  init?(_ affine: Affine) {
    let turn: SIMD3<Double> = [-1, -1, 1]
    let (x, y, z) = (affine.column(0) * turn, affine.column(1) * turn, affine.column(2) * turn)
    let lengths = (length(x), length(y))
    guard lengths.0 > 0, lengths.1 > 0 else { return nil }
    orientation = (x / lengths.0, y / lengths.1)
    guard abs(dot(orientation.x, orientation.y)) < 1e-4 else { return nil }
    let step = abs(dot(z, cross(orientation.x, orientation.y)))
    position = affine.column(3) * turn
    spacing = [lengths.0, lengths.1, step > 0 ? step : 1]
  }

  var positionElement: WrittenElement { .decimals(0x0020_0032, [position.x, position.y, position.z]) }

  var orientationElement: WrittenElement {
    let (x, y) = orientation
    return .decimals(0x0020_0037, [x.x, x.y, x.z, y.x, y.y, y.z])
  }

  /// Between pixels, between slices, and the slices' thickness, which is taken to leave no gap.
  var spacingElements: [WrittenElement] {
    [
      .decimals(0x0028_0030, [spacing.y, spacing.x]), .decimals(0x0018_0050, [spacing.z]),
      .decimals(0x0018_0088, [spacing.z]),
    ]
  }
}
