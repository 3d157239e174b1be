// RegGAN's registration network R (Kong et al., NeurIPS 2021, arXiv:2110.06465, section 3; a residual U-Net after
// NeMAR, Arar et al., CVPR 2020).

import LimnTorch

/// Two images, [N, moving + fixed, H, W] → the displacement [N, 2, H, W] that brings the moving one onto the fixed one,
/// in pixels, rows first; see ``SpatialTransformer``.
///
/// At 256 pixels the published network with 7 levels, 2,058,018 parameters for one channel each; smaller images have
/// fewer levels, so that 2 pixels a side are left at the bottom. It begins at the identity: the last convolution's
/// weights are drawn from N(0, 10⁻⁵).
public final class RegistrationNetwork: Module {
  let down: [RegistrationDown]
  let squeeze: Sequential
  let up: [Conv2d]
  let refine: Sequential
  let output: Conv2d

  /// - Parameters:
  ///   - inputChannels: of both images together.
  ///   - size: [H, W], 8 pixels or more each.
  ///   - width: channels of the finest level (32 in the paper's code); the others have twice as many.
  public init(inputChannels: Int, size: [Int], width: Int = 32) {
    let levels = Self.levels(for: size)
    let widths = [width] + Array(repeating: 2 * width, count: levels - 1)
    down = zip([inputChannels] + widths, widths).map(RegistrationDown.init)
    squeeze = Sequential(
      [Conv2d(inputChannels: 2 * width, outputChannels: 4 * width, kernelSize: 1), Self.activation]
        + (0..<3).map { _ in ResidualBlock(channels: 4 * width) }
        + [Conv2d(inputChannels: 4 * width, outputChannels: 2 * width, kernelSize: 1), Self.activation])
    let outputs = Array(widths.dropFirst()) + [width]
    up = zip([2 * width] + outputs, zip(widths.reversed(), outputs)).map { below, level in
      Conv2d(inputChannels: below + level.0, outputChannels: level.1, kernelSize: 3, padding: 1)
    }
    refine = Sequential(
      ResidualBlock(channels: width), Conv2d(inputChannels: width, outputChannels: width, kernelSize: 1),
      Self.activation)
    output = Conv2d(inputChannels: width, outputChannels: 2, kernelSize: 3, padding: 1)
    super.init()
    initialize()
  }

  /// Also as Reg-GAN names them.
  public override func renamed(_ published: [String: Tensor]) -> [String: Tensor] {
    PublishedNames.renamed(published, Self.publishedNames(levels: down.count))
  }

  /// As many halvings as leave 2 pixels of the shorter side, 7 at most.
  static func levels(for size: [Int]) -> Int {
    var (levels, side) = (0, size.min() ?? 0)
    while levels < 7, side / 2 >= 2 { (levels, side) = (levels + 1, side / 2) }
    return levels
  }

  /// Halvings.
  var levels: Int { down.count }

  static var activation: Activation { Activation { leakyReLU($0, 0.2) } }

  /// Kaiming's normal distribution, biases 0.
  private func initialize() {
    let inBlocks = modules.compactMap { $0 as? ResidualBlock }.flatMap(\.modules).compactMap { $0 as? Conv2d }
    for convolution in modules.compactMap({ $0 as? Conv2d }) {
      let isInBlock = inBlocks.contains { $0 === convolution }
      let rule =
        convolution === output ? Initializer.normal(std: 1e-5) : .heNormal(slope: isInBlock ? 0 : 0.2)
      rule(convolution.weight, generator: Initialization.generator)
      withoutGradients { convolution.bias?.fill(0) }
    }
  }

  /// - Parameter pair: the moving image, then the fixed one, [N, moving + fixed, H, W] in [−1, 1].
  /// - Returns: the displacement, [N, 2, H, W], float32.
  public func callAsFunction(_ pair: Tensor) -> Tensor {
    // Convolutions are fastest with the channels last, and what follows keeps it so.
    var (x, skips) = (pair.contiguous(.channelsLast), [Tensor]())
    for level in down {
      let skip = level(x)
      skips.append(skip)
      x = maxPool2d(skip, 2)
    }
    x = squeeze(x)
    for (convolution, skip) in zip(up, skips.reversed()) {
      let larger = interpolate(x, size: Array(skip.shape.suffix(2)), mode: .bilinear)
      x = Self.activation(convolution(.cat([larger, skip], dim: 1)))
    }
    return output(refine(x)).atLeastFloat32
  }
}

/// One level down, before its pooling: convolution, LeakyReLU, residual block; [N, in, H, W] → [N, out, H, W].
final class RegistrationDown: Module {
  let convolution: Conv2d
  let block: ResidualBlock

  init(inputChannels: Int, outputChannels: Int) {
    convolution = Conv2d(
      inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 3, padding: 1)
    block = ResidualBlock(channels: outputChannels)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { block(RegistrationNetwork.activation(convolution(x))) }
}
