// Between the pixels that files store and the values that networks take.

extension Tensor {
  /// Pixels of values in [−1, 1], which networks give: (x + 1) · 127.5, or · 32767.5 for 16 bits, rounded half
  /// to even, values beyond cut off. Values must be finite.
  /// - Parameter bitDepth: 8 or 16.
  /// - Returns: uint8 or uint16 of the same shape.
  public func quantized(bitDepth: Int) -> Tensor {
    precondition([8, 16].contains(bitDepth), "pixels have 8 or 16 bits, not \(bitDepth)")
    let middle = bitDepth == 8 ? 127.5 : 32767.5
    let values = dtype == .float64 ? self : to(.float32)
    let levels = ((values + 1) * middle).round().clamped(min: 0, max: 2 * middle)
    return bitDepth == 8 ? levels.to(.uint8) : levels.to(.int32).to(.uint16)
  }

  /// Values in [−1, 1], float32, of pixels: uint8 from 0 … 255, uint16 from 0 … 65535.
  public func normalizedPixels() -> Tensor {
    precondition([.uint8, .uint16].contains(dtype), "pixels are uint8 or uint16, not \(summary)")
    return to(.float32) / (dtype == .uint8 ? 127.5 : 32767.5) - 1
  }
}
