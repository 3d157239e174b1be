// Numbers as colours: from black over red and yellow to white.

import LimnTorch

/// Colours that rise with a number: black, red, yellow, white, a third of the range between any two.
public enum HeatColours {
  /// Draws maps of numbers.
  /// - Parameters:
  ///   - values: [N, H, W], real numbers.
  ///   - range: from black to white; what is beyond is cut off.
  /// - Returns: uint8 [N, 3, H, W] on the CPU, as ``ContactSheet`` takes it.
  public static func image(of values: Tensor, range: ClosedRange<Double>) -> Tensor {
    precondition(values.rank == 3, "maps to draw are [N, H, W], shape \(values.shape) was given")
    let width = range.upperBound - range.lowerBound
    precondition(width > 0, "a range of colours needs white above black")
    let share = (values.to(.cpu).to(.float64) - range.lowerBound) / width
    let channels = (0..<3).map { (share * 3 - Double($0)).clamped(min: 0, max: 1) * 255 }
    return Tensor.stack(channels, dim: 1).round().to(.uint8)
  }
}
