// The 70×70 PatchGAN with instance normalisation (CycleGAN, appendix 7.2; RegGAN takes the mean of its patches).

import LimnTorch

/// Judges the patches of images [N, C, H, W], H and W at least 32: scores [N, 1, H/8 − 2, W/8 − 2], no sigmoid.
public final class PatchDiscriminator: Module {
  let model: Sequential

  /// - Parameters:
  ///   - inputChannels: C; of a pair, both together.
  ///   - width: channels of the first level (64 in the papers).
  public init(inputChannels: Int, width: Int = 64) {
    func level(_ input: Int, _ output: Int, stride: Int) -> [any UnaryLayer] {
      [
        Conv2d(inputChannels: input, outputChannels: output, kernelSize: 4, stride: stride, padding: 1),
        InstanceNorm2d(channels: output), Self.activation,
      ]
    }
    let first = Conv2d(
      inputChannels: inputChannels, outputChannels: width, kernelSize: 4, stride: 2, padding: 1)
    model = Sequential(
      [first, Self.activation] + level(width, 2 * width, stride: 2) + level(2 * width, 4 * width, stride: 2)
        + level(4 * width, 8 * width, stride: 1)
        + [Conv2d(inputChannels: 8 * width, outputChannels: 1, kernelSize: 4, padding: 1)])
  }

  private static var activation: Activation { Activation { leakyReLU($0, 0.2) } }

  /// Scores of the patches, float32.
  public func callAsFunction(_ x: Tensor) -> Tensor { model(x.contiguous(.channelsLast)).atLeastFloat32 }
}
