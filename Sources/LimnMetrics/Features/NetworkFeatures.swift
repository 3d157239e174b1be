// Features by a published network, and the register of those that are to be had.

import LimnBackbones
import LimnTorch

/// Pooled features of a published network, with the one preprocessing that belongs to its name.
public final class NetworkFeatures: FeatureExtractor, @unchecked Sendable {
  // Unchecked: the network is evaluated, never changed, once it stands here.
  private let backbone: any Backbone
  private let input: NetworkInput
  private let device: Device

  public let name: String
  public let weights: String
  public let dimension: Int
  public var preprocessing: String { input.sentence }

  /// Images that go through the network at once: on a CPU so few that a layer's results stay near, which makes
  /// EfficientNet-Lite0 three times as fast as 32 at a time.
  private var batchSize: Int { device.kind == .cuda ? 64 : 4 }

  /// - Parameters:
  ///   - network: which network; its weights must be installed.
  ///   - store: where the weights are.
  ///   - device: where features are computed.
  /// - Throws: `WeightsStoreError` naming the command that adds missing weights; what the reader of the weights
  ///   throws.
  public convenience init(
    _ network: PublishedNetwork, store: WeightsStore = .standard, device: Device = .cpu
  ) throws {
    let loaded = try store.load(network)
    self.init(loaded.backbone, weights: String(loaded.digest.prefix(12)), device: device)
  }

  /// A network with weights of the caller's.
  /// - Parameters:
  ///   - backbone: the network; it is switched to evaluation and moved to `device`.
  ///   - weights: what tells these weights from others.
  ///   - device: where features are computed.
  public init(_ backbone: any Backbone, weights: String, device: Device = .cpu) {
    backbone.evaluate()
    backbone.requireGradients(false)
    backbone.move(to: device)
    backbone.layOut(.channelsLast)
    (self.backbone, self.weights, self.device) = (backbone, weights, device)
    name = type(of: backbone).name
    dimension = type(of: backbone).featureCount
    input = Self.inputs[name] ?? .imageNet
  }

  private static let inputs: [String: NetworkInput] = [
    FIDInceptionV3.name: .fid, InceptionV3.name: .inception, EfficientNetLite0.name: .efficientNetLite,
  ]

  public func features(of images: Tensor) throws -> Tensor {
    try through(images) { backbone.features($0) }
  }

  /// Class scores, not normalised, in the order of the network's classes.
  /// - Parameter images: as for ``features(of:)``.
  /// - Returns: float32 [N, classes].
  /// - Throws: as ``features(of:)``.
  public func scores(of images: Tensor) throws -> Tensor {
    try through(images) { backbone($0) }
  }

  private func through(_ images: Tensor, _ network: (Tensor) -> Tensor) throws -> Tensor {
    let shape = images.shape
    guard images.dtype == .uint8, shape.count == 4, [1, 3].contains(shape[1]), !shape.contains(0) else {
      throw MetricError(
        "\(name) takes images uint8 [N, C, H, W] of 1 or 3 channels; these are \(images.summary)")
    }
    return withoutGradients {
      let parts = images.split(size: batchSize).map { part in
        network(input(part.to(device)).contiguous(.channelsLast)).to(images.device)
      }
      return Tensor.cat(parts)
    }
  }
}

/// The feature extractors by name.
public enum FeatureExtractors {
  /// Every name, installed or not.
  public static var all: [String] { PublishedNetwork.all.map(\.name) }

  /// The names of those whose weights are installed.
  public static func available(in store: WeightsStore = .standard) -> [String] {
    PublishedNetwork.all.filter { store.place(of: $0) != nil }.map(\.name)
  }

  /// The extractor of a name.
  /// - Throws: `WeightsStoreError` for a name that no network has, and for missing weights, naming the command
  ///   that adds them.
  public static func named(
    _ name: String, store: WeightsStore = .standard, device: Device = .cpu
  ) throws -> any FeatureExtractor {
    try NetworkFeatures(try PublishedNetwork.named(name), store: store, device: device)
  }

  /// EfficientNet-Lite0, whose weights come with Limn.
  /// - Throws: as ``named(_:store:device:)``.
  public static func `default`(
    store: WeightsStore = .standard, device: Device = .cpu
  ) throws -> any FeatureExtractor {
    try NetworkFeatures(.standard, store: store, device: device)
  }
}
