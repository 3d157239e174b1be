// The Laplacian pyramid of Burt and Adelson (1983) with the 5x5 binomial filter, as Karras et al. (2018) use
// it.

import LimnTorch

/// Band-pass levels of images, finest first; the last level is the low-pass residual.
enum LaplacianPyramid {
  /// The size of each level: halved as long as the shorter side stays at least 16 px.
  /// - Throws: ``MetricError`` where images are below 16 px or a side cannot be halved that often.
  static func sizes(height: Int, width: Int, name: String) throws -> [(height: Int, width: Int)] {
    var halvings = 0
    while min(height, width) >> (halvings + 1) >= smallestSide { halvings += 1 }
    guard min(height, width) >= smallestSide, height % (1 << halvings) == 0, width % (1 << halvings) == 0
    else {
      throw MetricError(
        "\(name): \(width)x\(height) px; the pyramid halves images down to \(smallestSide) px, so sides must be at "
          + "least \(smallestSide) and multiples of \(1 << halvings); resize the images")
    }
    return (0...halvings).map { (height >> $0, width >> $0) }
  }

  static let smallestSide = 16

  /// One level of a pyramid of `count` levels of images [N, C, H, W]: float32 [N, C, H >> level, W >> level].
  static func level(_ level: Int, of count: Int, _ images: Tensor) -> Tensor {
    // Channels are filtered alone, so they join the batch.
    var low = images.to(.float32).reshaped([-1, 1, images.size(2), images.size(3)])
    for _ in 0..<level { low = down(low) }
    let band = level == count - 1 ? low : low - up(down(low))
    return band.reshaped([images.size(0), images.size(1), band.size(2), band.size(3)])
  }

  /// Blurs and takes the even pixels: [M, 1, H, W] to [M, 1, H/2, W/2]. Borders mirror without their edge.
  private static func down(_ x: Tensor) -> Tensor {
    conv2d(pad(x, [2, 2, 2, 2], mode: .reflect), binomial, stride: 2)
  }

  /// Puts zeros between pixels and blurs with four times the gain: [M, 1, H, W] to [M, 1, 2H, 2W].
  private static func up(_ x: Tensor) -> Tensor {
    // Mirroring the image with zeros in it, whose last row and column are zeros, repeats the last pixels of
    // `x` and mirrors its first ones.
    let padded = pad(pad(x, [1, 0, 1, 0], mode: .reflect), [0, 1, 0, 1], mode: .replicate)
    let full = convTranspose2d(padded, binomial * 4, stride: 2)
    return full[.ellipsis, 4..<4 + 2 * x.size(2), 4..<4 + 2 * x.size(3)]
  }

  private static var binomial: Tensor {
    let taps: [Float] = [1, 4, 6, 4, 1]
    return Tensor(taps.flatMap { row in taps.map { row * $0 / 256 } }, shape: [1, 1, 5, 5])
  }
}
