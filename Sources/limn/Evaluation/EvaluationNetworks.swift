// Which network's features an evaluation compares, and the metrics that this gives.

import LimnMetrics
import LimnTorch

/// The network of one evaluation.
struct EvaluationNetworks {
  /// The network, where its weights are at hand.
  let extractors: [any FeatureExtractor]
  /// Why there is none.
  let missing: String?
  private let registry: Metrics

  /// - Parameters:
  ///   - name: the network; nil: the one whose weights come along, if they are there.
  ///   - device: where it computes.
  /// - Throws: what is wrong with a network that was asked for by name.
  init(_ name: String?, device: Device) throws {
    registry = Metrics(device: device)
    if let name {
      (extractors, missing) = ([try registry.extractor(name)], nil)
      return
    }
    do {
      (extractors, missing) = ([try registry.defaultExtractor()], nil)
    } catch {
      (extractors, missing) = ([], "\(error)")
    }
  }

  /// The metrics named in a list, or the standard ones: those of features only where there is a network.
  func metrics(_ list: String?) throws -> [any Metric] {
    guard let list else { return Metrics.standard(extractors.first) }
    return try list.split(separator: ",").map { try registry.named(String($0)) }
  }
}
