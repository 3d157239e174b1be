// Deep Residual Learning for Image Recognition (He et al., CVPR 2016), as torchvision has it: the stride stands
// at the 3×3 convolution (ResNet v1.5), names are those of resnet50-….pth and resnet101-….pth.

import LimnTorch

/// ResNet-50 without a change; ``ResNet101`` has more blocks in the third stage.
public class ResNet50: Module, Backbone {
  public class var name: String { "resnet-50" }
  public static var featureCount: Int { 2048 }

  let conv1 = Conv2d(
    inputChannels: 3, outputChannels: 64, kernelSize: 7, stride: 2, padding: 3, bias: false)
  let bn1 = BatchNorm2d(channels: 64)
  let layer1: Sequential
  let layer2: Sequential
  let layer3: Sequential
  let layer4: Sequential
  let fc = Linear(inputFeatures: 2048, outputFeatures: 1000)

  /// The network with the weights that it would begin training with.
  public convenience override init() { self.init(thirdStage: 6) }

  init(thirdStage: Int) {
    layer1 = Self.stage(64, width: 64, blocks: 3, stride: 1)
    layer2 = Self.stage(256, width: 128, blocks: 4, stride: 2)
    layer3 = Self.stage(512, width: 256, blocks: thirdStage, stride: 2)
    layer4 = Self.stage(1024, width: 512, blocks: 3, stride: 2)
  }

  private static func stage(_ inputChannels: Int, width: Int, blocks: Int, stride: Int) -> Sequential {
    Sequential(
      (0..<blocks).map { index in
        index == 0
          ? Bottleneck(inputChannels, width: width, stride: stride)
          : Bottleneck(4 * width, width: width, stride: 1)
      })
  }

  /// The mean of the last stage over the image: [N, 3, H, W] → [N, 2048].
  public func features(_ x: Tensor) -> Tensor {
    let stem = maxPool2d(relu(bn1(conv1(x))), 3, stride: 2, padding: 1)  // [N, 64, H/4, W/4]
    return pooled(layer4(layer3(layer2(layer1(stem)))))  // [N, 2048, H/32, W/32] → [N, 2048]
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { fc(features(x)) }
}

/// ResNet-101.
public final class ResNet101: ResNet50 {
  public override class var name: String { "resnet-101" }

  /// The network with the weights that it would begin training with.
  public convenience init() { self.init(thirdStage: 23) }
}

/// 1×1, 3×3 and 1×1 convolutions around which the input is added (figure 5, right).
private final class Bottleneck: Module, UnaryLayer {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let conv3: Conv2d
  let bn3: BatchNorm2d
  let downsample: Sequential?

  init(_ inputChannels: Int, width: Int, stride: Int) {
    conv1 = Conv2d(inputChannels: inputChannels, outputChannels: width, kernelSize: 1, bias: false)
    bn1 = BatchNorm2d(channels: width)
    conv2 = Conv2d(
      inputChannels: width, outputChannels: width, kernelSize: 3, stride: stride, padding: 1, bias: false)
    bn2 = BatchNorm2d(channels: width)
    conv3 = Conv2d(inputChannels: width, outputChannels: 4 * width, kernelSize: 1, bias: false)
    bn3 = BatchNorm2d(channels: 4 * width)
    downsample =
      stride == 1 && inputChannels == 4 * width
      ? nil : normalizedConvolution(inputChannels, 4 * width, kernelSize: 1, stride: stride)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let branch = bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))))
    return relu(branch + (downsample.map { $0(x) } ?? x))
  }
}
