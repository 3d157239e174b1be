// Rethinking the Inception Architecture for Computer Vision (Szegedy et al., CVPR 2016): torchvision's network,
// and TensorFlow's of 2015-12-05, whose features define the Fréchet inception distance.

import LimnTorch

/// torchvision's Inception-v3 without the auxiliary classifier, which serves training alone
/// (inception_v3_google-….pth; its weights `AuxLogits.…` are left aside).
public class InceptionV3: Module, Backbone {
  public class var name: String { "inception-v3" }
  public static var featureCount: Int { 2048 }

  private let stages: [(key: String?, layer: any UnaryLayer)]
  private let fc: Linear

  /// The network with the weights that it would begin training with.
  public convenience override init() {
    let average = InceptionPool.average(countsPadding: true)
    self.init(classes: 1000, average: average, lastPool: average)
  }

  init(classes: Int, average: InceptionPool, lastPool: InceptionPool) {
    let pooling = Activation { maxPool2d($0, 3, stride: 2) }
    stages = [
      ("Conv2d_1a_3x3", InceptionUnit(3, 32, [3, 3], stride: 2, isPadded: false)),
      ("Conv2d_2a_3x3", InceptionUnit(32, 32, [3, 3], isPadded: false)),
      ("Conv2d_2b_3x3", InceptionUnit(32, 64, [3, 3])), (nil, pooling),
      ("Conv2d_3b_1x1", InceptionUnit(64, 80, [1, 1])),
      ("Conv2d_4a_3x3", InceptionUnit(80, 192, [3, 3], isPadded: false)), (nil, pooling),
      ("Mixed_5b", InceptionBlock.a(192, pooled: 32, average)),
      ("Mixed_5c", InceptionBlock.a(256, pooled: 64, average)),
      ("Mixed_5d", InceptionBlock.a(288, pooled: 64, average)),
      ("Mixed_6a", InceptionBlock.b(288)),
      ("Mixed_6b", InceptionBlock.c(768, width: 128, average)),
      ("Mixed_6c", InceptionBlock.c(768, width: 160, average)),
      ("Mixed_6d", InceptionBlock.c(768, width: 160, average)),
      ("Mixed_6e", InceptionBlock.c(768, width: 192, average)),
      ("Mixed_7a", InceptionBlock.d(768)),
      ("Mixed_7b", InceptionBlock.e(1280, average)),
      ("Mixed_7c", InceptionBlock.e(2048, lastPool)),
    ]
    fc = Linear(inputFeatures: 2048, outputFeatures: classes)
  }

  // The published names, capitals and all, are none that properties could have.
  public override var children: [(key: String, module: Module)] {
    let named = stages.compactMap { stage -> (key: String, module: Module)? in
      guard let key = stage.key, let module = stage.layer as? Module else { return nil }
      return (key, module)
    }
    return named + [("fc", fc)]
  }

  /// The mean of the last block over the image: [N, 3, H, W] → [N, 2048]; H and W are 75 at least.
  public func features(_ x: Tensor) -> Tensor { pooled(stages.reduce(x) { $1.layer($0) }) }

  public func callAsFunction(_ x: Tensor) -> Tensor { fc(features(x)) }
}

/// The Inception-v3 of the Fréchet inception distance (Heusel et al. 2017): 1008 classes, average pooling that
/// leaves out the padding, and maximum pooling in the last block, as TensorFlow's graph of 2015-12-05 has it.
public final class FIDInceptionV3: InceptionV3 {
  public override class var name: String { "inception-v3-fid" }

  /// The network with the weights that it would begin training with.
  public convenience init() {
    self.init(classes: 1008, average: .average(countsPadding: false), lastPool: .max)
  }
}
