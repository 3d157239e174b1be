// Images that several tests of this room share.

import LimnMetrics
import LimnTestSupport
import LimnTorch
import Testing

/// The grey pairs that `make_metrics_fixtures.py` stores: uint8 [5, 1, 64, 64] each.
struct GreyPairs {
  let fixtures: [String: Tensor]
  let a: Tensor
  let b: Tensor

  init() throws {
    fixtures = try Safetensors.read(fixture("metrics/ms_ssim.safetensors")).tensors
    a = try #require(fixtures["a"]).unsqueezed(1)
    b = try #require(fixtures["b"]).unsqueezed(1)
  }

  /// Every pixel repeated 3 x 3.
  static func enlarged(_ x: Tensor) -> Tensor {
    x.repeatInterleaved(3, dim: 2).repeatInterleaved(3, dim: 3)
  }

  /// (a[i], a[i + 1], b[i]) against (b[i], b[i + 2], a[i + 3]), indices modulo 5, i < 4: uint8
  /// [4, 3, 64, 64].
  var rgb: (real: Tensor, fake: Tensor) {
    let real = (0..<4).map { Tensor.cat([a[$0], a[($0 + 1) % 5], b[$0]]) }
    let fake = (0..<4).map { Tensor.cat([b[$0], b[($0 + 2) % 5], a[($0 + 3) % 5]]) }
    return (Tensor.stack(real), Tensor.stack(fake))
  }
}

/// Smooth random images, uint8 [count, channels, side, side].
func smoothImages(_ count: Int, channels: Int = 1, side: Int = 32, seed: UInt64) throws -> Tensor {
  let noise = Tensor.randn([count, channels, side / 4, side / 4], generator: Generator(seed: seed))
  return try quantized(interpolate(noise * 0.4, size: [side, side], mode: .bilinear))
}

/// `images` with normal noise of a standard deviation in grey levels, clipped to uint8.
func noisy(_ images: Tensor, deviation: Double, seed: UInt64) -> Tensor {
  let noise = Tensor.randn(images.shape, generator: Generator(seed: seed))
  return (images.to(.float32) + noise * deviation).round().clamped(min: 0, max: 255).to(.uint8)
}

/// An in-memory set.
func set(_ images: Tensor, _ name: String = "images") throws -> TensorImages {
  try TensorImages(images, name: name)
}
