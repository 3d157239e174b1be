// The nearest image by a network's features.

import LimnTorch

/// The distance of two images in a network's features, each brought to length 1: √(2(1 − cosine)).
public struct FeatureSearch: NearestSearch {
  private let extractor: any FeatureExtractor
  private let device: Device
  private let cache: FeatureCache?

  /// A search by the features of `extractor`, kept in `cache`; products are computed on `device`.
  public init(_ extractor: any FeatureExtractor, device: Device = .cpu, cache: FeatureCache? = nil) {
    (self.extractor, self.device, self.cache) = (extractor, device, cache)
  }

  public var name: String { "features_\(extractor.name)" }
  public var definition: String {
    "Distance sqrt(2(1 - cosine)) of the \(extractor.dimension) features of \(extractor.name) "
      + "(weights \(extractor.weights); \(extractor.preprocessing)); 0: a copy."
  }

  /// float32 [N, D], rows of length 1.
  public func index(_ images: any ImageSource, at positions: [Int]) throws -> Tensor {
    let features = try extractor.features(of: images, at: positions, cache: cache).to(device)
    return features / features.norm(dims: [1], keepDim: true).clamped(min: 1e-12)
  }

  public func part(of index: Tensor, at positions: [Int]) -> Tensor {
    index.indexSelect(dim: 0, Tensor(positions).to(device))
  }

  public func nearest(
    of queries: Tensor, in references: Tensor, queryPatients: [Int], referencePatients: [Int]
  ) -> [NearestImage?] {
    let patients = Tensor(referencePatients).to(device)
    return stride(from: 0, to: queries.size(0), by: 256).flatMap { start in
      let range = start..<min(start + 256, queries.size(0))
      let own = Tensor(Array(queryPatients[range])).to(device).unsqueezed(1)
      let products = matmul(queries[range], references.transposed(0, 1))
        .filled(where: own.isEqual(to: patients), with: -2)
      let first = products.argmax(dim: 1)
      let isSame = patients.indexSelect(dim: 0, first).unsqueezed(1).isEqual(to: patients)
      let second = products.filled(where: isSame, with: -2).argmax(dim: 1)
      let near = distances(queries[range], references, first)
      let far = distances(queries[range], references, second)
      return zip(range, zip(near, far)).map { query, pair in
        nearestImage(
          among: [pair.0, pair.1], patients: referencePatients, excluding: queryPatients[query])
      }
    }
  }

  /// By differences, which stay exact for copies.
  private func distances(
    _ queries: Tensor, _ references: Tensor, _ at: Tensor
  ) -> [(index: Int, distance: Double)] {
    let values = (queries - references.indexSelect(dim: 0, at)).norm(dims: [1]).to(.cpu)
    return zip(at.to(.cpu).array(of: Int.self), values.array(of: Float.self)).map { ($0, Double($1)) }
  }
}
