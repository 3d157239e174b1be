// The registry of metrics: those of images alone, and those of every network's features.

import LimnBackbones
import LimnTorch
import Synchronization

/// All metrics by name. A network is loaded when a metric of it is asked for, and only once.
public struct Metrics: Sendable {
  /// Every metric that needs no network, baselines included.
  public static let ofImages: [any Metric] = [
    MSSSIMOfPairs(.generated), MSSSIMOfPairs(.generatedReal), MSSSIMOfPairs(.real),
    PatchSWD(.generatedReal), PatchSWD(.realHalves),
  ]

  /// Those among them that say something about the generated images.
  public static var standardOfImages: [any Metric] { ofImages.filter { $0.baseline != nil } }

  /// The names of all metrics, with `NETWORK` where a network's name belongs.
  public static var patterns: [String] {
    ofImages.map(\.name) + FeatureMetric.Kind.allCases.map { "\($0.rawValue)_NETWORK" }
  }

  /// Kinds that are measured unless metrics are named.
  static let standardKinds: [FeatureMetric.Kind] = [.fid, .kid, .precision, .recall, .density, .coverage]

  private let store: WeightsStore
  private let device: Device
  private let networks = LoadedNetworks()

  /// - Parameters:
  ///   - store: where the weights of networks are.
  ///   - device: where features are computed.
  public init(store: WeightsStore = .standard, device: Device = .cpu) {
    (self.store, self.device) = (store, device)
  }

  /// The names of all metrics that can be measured with the weights at hand.
  public var names: [String] {
    Self.ofImages.map(\.name)
      + FeatureExtractors.available(in: store).flatMap { network in
        FeatureMetric.Kind.allCases.flatMap { kind in
          ["", FeatureMetric.Comparison.realHalves.rawValue].map { "\(kind.rawValue)_\(network)\($0)" }
        }
      }
  }

  /// The metric of a name.
  /// - Throws: ``MetricError`` for a name that no metric has, `WeightsStoreError` for a network without
  ///   weights, naming the command that adds them.
  public func named(_ name: String) throws -> any Metric {
    if let metric = Self.ofImages.first(where: { $0.name == name }) { return metric }
    guard let (kind, rest) = Self.kind(of: name) else {
      throw MetricError("no metric '\(name)'; there are \(Self.patterns.joined(separator: ", "))")
    }
    let suffix = FeatureMetric.Comparison.realHalves.rawValue
    let isBaseline = rest.hasSuffix(suffix)
    let network = String(isBaseline ? rest.dropLast(suffix.count) : rest)
    return FeatureMetric(kind, try loaded(network), isBaseline ? .realHalves : .generatedReal)
  }

  /// Metrics to measure.
  public struct Choice: Sendable {
    /// Those of images, then those of the features at hand.
    public let metrics: [any Metric]
    /// The network whose features are compared; nil where none is at hand.
    public let extractor: (any FeatureExtractor)?
    /// Why there are no metrics of features; nil where there are.
    public let note: String?
  }

  /// MS-SSIM and SWD; FID, KID, precision, recall, density and coverage with a network.
  /// - Parameter network: its name; nil: the one whose weights come along, if they are there.
  /// - Returns: the metrics, and the network.
  /// - Throws: `WeightsStoreError` for weights that are there but cannot be used, and for a network named here
  ///   that has none.
  public func standard(network: String? = nil) throws -> Choice {
    let usual = PublishedNetwork.standard
    guard network != nil || store.place(of: usual) != nil else {
      return Choice(
        metrics: Self.standardOfImages, extractor: nil,
        note: "no FID, KID, precision, recall, density, coverage, nor privacy in features: the weights of "
          + "\(usual.name) are not installed; \(usual.remedy)")
    }
    let extractor = try loaded(network ?? usual.name)
    return Choice(
      metrics: Self.standardOfImages + Self.standardKinds.map { FeatureMetric($0, extractor) },
      extractor: extractor, note: nil)
  }

  private func loaded(_ network: String) throws -> any FeatureExtractor {
    try networks.extractor(of: network) {
      try FeatureExtractors.named(network, store: store, device: device)
    }
  }

  /// The longest kind that the name begins with, and what follows.
  private static func kind(of name: String) -> (FeatureMetric.Kind, Substring)? {
    FeatureMetric.Kind.allCases.filter { name.hasPrefix("\($0.rawValue)_") }
      .max { $0.rawValue.count < $1.rawValue.count }
      .map { ($0, name.dropFirst($0.rawValue.count + 1)) }
  }
}

/// Networks that were loaded already.
private final class LoadedNetworks: Sendable {
  private let known = Mutex<[String: any FeatureExtractor]>([:])

  func extractor(
    of name: String, _ load: () throws -> any FeatureExtractor
  ) rethrows -> any FeatureExtractor {
    if let found = known.withLock({ $0[name] }) { return found }
    let made = try load()
    known.withLock { $0[name] = made }
    return made
  }
}
