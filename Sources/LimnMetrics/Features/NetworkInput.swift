// How pixels become what a network was trained on: one rule of size, resize method and value range for each.

import LimnTorch

/// A network's rule for its input.
struct NetworkInput: Sendable {
  enum Resize: Sendable {
    /// Of TensorFlow 1: pixel corners are matched, not centres, and nothing is smoothed when shrinking.
    case tensorFlow1
    /// Bilinear, the window widened when shrinking.
    case antialiased
  }

  /// Height and width of the input.
  let size: Int
  let resize: Resize
  /// Subtracted from pixels in 0…255, for red, green and blue.
  let mean: [Double]
  /// Divides what is left, for red, green and blue.
  let scale: [Double]

  /// pytorch-fid's and torch-fidelity's rule, as TensorFlow's graph has it (Heusel et al. 2017).
  static let fid = NetworkInput(size: 299, resize: .tensorFlow1, mean: [128], scale: [128])
  /// [−1, 1], to which torchvision's Inception-v3 brings its normalised input (`transform_input`).
  static let inception = NetworkInput(size: 299, resize: .antialiased, mean: [127.5], scale: [127.5])
  /// The moments of ImageNet's colours that torchvision's networks were trained with.
  static let imageNet = NetworkInput(
    size: 224, resize: .antialiased, mean: [0.485, 0.456, 0.406].map { $0 * 255 },
    scale: [0.229, 0.224, 0.225].map { $0 * 255 })
  /// `MEAN_RGB` and `STDDEV_RGB` of EfficientNet-Lite.
  static let efficientNetLite = NetworkInput(size: 224, resize: .antialiased, mean: [127], scale: [128])

  /// The rule in a sentence.
  var sentence: String {
    let method =
      resize == .tensorFlow1
      ? "bilinear as in TensorFlow 1 (corners matched, no antialiasing)"
      : "antialiased bilinear, aspect not kept"
    let texts = [mean, scale].map { numbers in
      numbers.map { "\(($0 * 1000).rounded() / 1000)" }.joined(separator: ", ")
    }
    return "\(size)×\(size), \(method); (pixel − [\(texts[0])]) / [\(texts[1])]; grey repeated"
  }

  /// uint8 [N, C, H, W] with C 1 or 3 → float32 [N, 3, `size`, `size`].
  func callAsFunction(_ images: Tensor) -> Tensor {
    let resized = resizing(images.to(.float32))  // [N, C, size, size]
    let colour = resized.expanded([-1, 3, -1, -1])
    return (colour - channels(mean, on: images.device)) / channels(scale, on: images.device)
  }

  private func channels(_ values: [Double], on device: Device) -> Tensor {
    Tensor(values.map(Float.init), shape: [1, values.count, 1, 1]).to(device)
  }

  private func resizing(_ x: Tensor) -> Tensor {
    switch resize {
    case .antialiased: interpolate(x, size: [size, size], mode: .bilinear, antialias: true)
    case .tensorFlow1: legacyBilinear(legacyBilinear(x, dim: 3, length: size), dim: 2, length: size)
    }
  }
}

/// One axis of TensorFlow 1's bilinear resize, in float32 as its kernel computes.
/// - Parameters:
///   - x: float32 [N, C, H, W].
///   - dim: the axis.
///   - length: the axis's new length.
/// - Returns: `x` with the axis at its new length.
private func legacyBilinear(_ x: Tensor, dim: Int, length: Int) -> Tensor {
  let old = x.size(dim)
  let scale = Float(Double(old) / Double(length))
  let positions = (0..<length).map { Float($0) * scale }
  let lower = positions.map { min(Int($0), old - 1) }
  let upper = lower.map { min($0 + 1, old - 1) }
  let shares = zip(positions, lower).map { $0 - Float($1) }
  let shape = (0..<4).map { $0 == dim ? length : 1 }
  let first = x.indexSelect(dim: dim, Tensor(lower).to(x.device))
  let second = x.indexSelect(dim: dim, Tensor(upper).to(x.device))
  return first + (second - first) * Tensor(shares, shape: shape).to(x.device)
}
