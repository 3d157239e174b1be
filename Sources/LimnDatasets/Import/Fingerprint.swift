// A short number by which images that look alike are found: 64 comparisons of neighbouring areas.

import LimnImaging
import LimnTorch

/// The difference hash of an image: its gray levels in 8 rows of 9 areas, each compared with the next.
enum Fingerprint {
  /// Of an image, float32 [C, H, W].
  static func of(_ image: Tensor) -> UInt64 {
    let gray = image.mean(dims: [0], keepDim: true)
    let small = ImageResize.fit(gray, height: 8, width: 9, mode: .stretch)[0]
    let values = small.contiguous().array(of: Float.self)
    var bits: UInt64 = 0
    for row in 0..<8 {
      for column in 0..<8 {
        // Noise must not decide where an image is flat.
        bits = bits << 1 | (values[9 * row + column] > values[9 * row + column + 1] + 0.002 ? 1 : 0)
      }
    }
    return bits
  }
}
