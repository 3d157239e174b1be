// Which network's features an evaluation compares, and the metrics that this gives.

import LimnMetrics
import LimnTorch

/// The network of one evaluation.
struct EvaluationNetworks {
  /// The network, where its weights are at hand.
  let extractors: [any FeatureExtractor]
  /// Why there is none.
  let missing: String?

  /// - Parameters:
  ///   - name: the network; nil: the one whose weights come along, if they are there.
  ///   - device: where it computes.
  /// - Throws: what is wrong with a network that was asked for by name.
  init(_ name: String?, device: Device) throws {
    if let name {
      (extractors, missing) = ([try FeatureExtractors.named(name, device: device)], nil)
      return
    }
    do {
      (extractors, missing) = ([try FeatureExtractors.default(device: device)], nil)
    } catch {
      (extractors, missing) = ([], "\(error)")
    }
  }

  /// The metrics named in a list, or the standard ones.
  func metrics(_ list: String?) throws -> [any Metric] {
    guard let list else { return Metrics.standard }
    return try list.split(separator: ",").map { try Metrics.named(String($0)) }
  }
}
