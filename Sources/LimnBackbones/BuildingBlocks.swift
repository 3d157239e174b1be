// What several networks are built of.

import LimnTorch

/// A convolution without bias, its batch normalisation and a rectifier, numbered `0`, `1`, `2` as torchvision's
/// sequences number them. Padding keeps the size where `stride` is 1.
func normalizedConvolution(
  _ inputChannels: Int, _ outputChannels: Int, kernelSize: Int, stride: Int = 1, groups: Int = 1,
  activation: ((Tensor) -> Tensor)? = nil
) -> Sequential {
  let convolution = Conv2d(
    inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: kernelSize, stride: stride,
    padding: kernelSize / 2, groups: groups, bias: false)
  let layers: [any UnaryLayer] = [convolution, BatchNorm2d(channels: outputChannels)]
  return Sequential(layers + (activation.map { [Activation($0)] } ?? []))
}

/// The mean over the image: [N, C, H, W] → [N, C].
func pooled(_ x: Tensor) -> Tensor { x.mean(dims: [2, 3]) }
