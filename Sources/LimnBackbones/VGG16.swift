// Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan & Zisserman, ICLR 2015),
// configuration D, with torchvision's names (vgg16-….pth).

import LimnTorch

/// VGG-16 without batch normalisation.
public final class VGG16: Module, Backbone {
  public static let name = "vgg16"
  public static let featureCount = 4096

  let features: Sequential
  let classifier: Sequential

  /// The network with the weights that it would begin training with.
  public override init() {
    features = Self.convolutions([
      [64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512],
    ])
    classifier = Sequential(
      Linear(inputFeatures: 512 * 7 * 7, outputFeatures: 4096), Activation(relu), Dropout(),
      Linear(inputFeatures: 4096, outputFeatures: 4096), Activation(relu), Dropout(),
      Linear(inputFeatures: 4096, outputFeatures: 1000))
  }

  /// 3×3 convolutions with rectifiers, and a 2×2 pooling after each group of them.
  private static func convolutions(_ groups: [[Int]]) -> Sequential {
    var layers: [any UnaryLayer] = []
    var channels = 3
    for group in groups {
      for width in group {
        let layer = Conv2d(inputChannels: channels, outputChannels: width, kernelSize: 3, padding: 1)
        layers += [layer, Activation(relu)]
        channels = width
      }
      layers.append(Activation { maxPool2d($0, 2) })
    }
    return Sequential(layers)
  }

  /// The second fully connected layer after its rectifier, which improved precision and recall compares
  /// (Kynkäänniemi et al. 2019, §3): [N, 3, H, W] → [N, 4096].
  public func features(_ x: Tensor) -> Tensor {
    let grid = adaptiveAvgPool2d(features.callAsFunction(x), [7, 7])  // [N, 512, 7, 7]
    return classifier.layers.prefix(5).reduce(grid.flattened(from: 1)) { $1($0) }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier.layers.dropFirst(5).reduce(features(x)) { $1($0) }
  }
}
