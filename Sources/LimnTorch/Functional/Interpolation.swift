// Signals, images and volumes at another size.

/// How ``interpolate(_:size:mode:alignCorners:antialias:)`` weighs neighbours.
public enum InterpolationMode: String, Sendable, Codable {
  case nearest, bilinear, bicubic, area
}

/// [N, C, H, W] at another size [H′, W′]; also [N, C, L] and [N, C, D, H, W], where `bilinear` stands for
/// linear and trilinear.
/// - Parameters:
///   - x: [N, C, H, W], [N, C, L] or [N, C, D, H, W].
///   - size: of the result, [H′, W′] for images.
///   - mode: how values between the pixels are found.
///   - alignCorners: whether the corner pixels' centres, rather than the image's edges, are matched
///     (bilinear and bicubic).
///   - antialias: widens the window when shrinking (bilinear and bicubic, of images).
/// - Returns: [N, C, H′, W′].
public func interpolate(
  _ x: Tensor, size: [Int], mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false
) -> Tensor {
  resized(x, size, factors: size.map { _ in nil }, mode, alignCorners, antialias)
}

/// [N, C, H, W] enlarged or shrunk by a factor; positions are computed from the factor itself, not from the
/// rounded size, as PyTorch does.
public func interpolate(
  _ x: Tensor, scale: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false,
  antialias: Bool = false
) -> Tensor {
  let size = x.shape.dropFirst(2).map { Int((Double($0) * scale).rounded(.down)) }
  return resized(x, size, factors: size.map { _ in scale }, mode, alignCorners, antialias)
}

private func resized(
  _ x: Tensor, _ size: [Int], factors: [Double?], _ mode: InterpolationMode, _ alignCorners: Bool,
  _ antialias: Bool
) -> Tensor {
  let place = [OperatorArgument.tensor(x), .ints(size)]
  let scales = factors.map { OperatorArgument.double($0) }
  let corners = OperatorArgument.bool(alignCorners)
  return switch (mode, x.rank, antialias) {
  case (.nearest, 3, false): torch("upsample_nearest1d", place + scales)
  case (.nearest, 4, false): torch("upsample_nearest2d", place + scales)
  case (.nearest, 5, false): torch("upsample_nearest3d", place + scales)
  case (.area, 3, false): torch("adaptive_avg_pool1d", place)
  case (.area, 4, false): torch("adaptive_avg_pool2d", place)
  case (.area, 5, false): torch("adaptive_avg_pool3d", place)
  case (.bilinear, 3, false): torch("upsample_linear1d", place + [corners] + scales)
  case (.bilinear, 4, false): torch("upsample_bilinear2d", place + [corners] + scales)
  case (.bilinear, 5, false): torch("upsample_trilinear3d", place + [corners] + scales)
  case (.bicubic, 4, false): torch("upsample_bicubic2d", place + [corners] + scales)
  case (.bilinear, 4, true): torch("_upsample_bilinear2d_aa", place + [corners] + scales)
  case (.bicubic, 4, true): torch("_upsample_bicubic2d_aa", place + [corners] + scales)
  default:
    Torch.fail(
      TorchError(
        operation: "interpolate", arguments: x.summary,
        reason: "there is no \(antialias ? "antialiased " : "")\(mode) interpolation of \(x.rank) axes"))
  }
}
