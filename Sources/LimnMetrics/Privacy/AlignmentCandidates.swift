// References that may be a query's nearest, while the search goes from coarse to fine.

import LimnTorch

/// For every one of M queries, K references with the best maps known so far.
struct AlignmentCandidates {
  /// int64 [M, K].
  let references: Tensor
  /// float32 [M, K, 4].
  let maps: Tensor
  /// float32 [M, K].
  let correlations: Tensor

  init(references: Tensor, maps: Tensor, correlations: Tensor) {
    (self.references, self.maps, self.correlations) = (references, maps, correlations)
  }

  /// Parts with rows of different queries.
  init(_ parts: [AlignmentCandidates]) {
    references = Tensor.cat(parts.map(\.references))
    maps = Tensor.cat(parts.map(\.maps))
    correlations = Tensor.cat(parts.map(\.correlations))
  }

  subscript(rows: Range<Int>) -> AlignmentCandidates {
    AlignmentCandidates(references: references[rows], maps: maps[rows], correlations: correlations[rows])
  }

  /// More candidates for the same queries.
  func joined(with other: AlignmentCandidates) -> AlignmentCandidates {
    AlignmentCandidates(
      references: .cat([references, other.references], dim: 1), maps: .cat([maps, other.maps], dim: 1),
      correlations: .cat([correlations, other.correlations], dim: 1))
  }

  /// The best `count` of each query.
  func narrowed(to count: Int) -> AlignmentCandidates {
    chosen(correlations.topK(min(count, correlations.size(1)), dim: 1).indices)
  }

  /// The best `count` of each query, of which one patient takes no more than `limit` as long as others are
  /// left: otherwise a patient's many slices would push all others out.
  func narrowed(
    to count: Int, atMost limit: Int, patients: (queries: [Int], references: [Int])
  ) -> AlignmentCandidates {
    let width = correlations.size(1)
    let count = min(count, width)
    let order = correlations.sorted(dim: 1, descending: true).indices
    let ranked = references.gathered(dim: 1, order).to(.cpu).reshaped([-1]).array(of: Int.self)
    var places: [Int] = []
    for query in patients.queries.indices {
      let row = ranked[query * width..<(query + 1) * width].map { patients.references[$0] }
      places += Self.places(row, count: count, limit: limit)
    }
    let rows = Tensor(places, shape: [patients.queries.count, count]).to(order.device)
    return chosen(order.gathered(dim: 1, rows))
  }

  private static func places(_ patients: [Int], count: Int, limit: Int) -> [Int] {
    var taken: [Int: Int] = [:]
    var (kept, spare): ([Int], [Int]) = ([], [])
    for (place, patient) in patients.enumerated() where kept.count < count {
      if taken[patient, default: 0] < limit { kept.append(place) } else { spare.append(place) }
      taken[patient, default: 0] += 1
    }
    return kept + spare.prefix(count - kept.count)
  }

  private func chosen(_ places: Tensor) -> AlignmentCandidates {
    let wide = places.unsqueezed(2).expanded(places.shape + [AlignmentMaps.columns])
    return AlignmentCandidates(
      references: references.gathered(dim: 1, places), maps: maps.gathered(dim: 1, wide),
      correlations: correlations.gathered(dim: 1, places))
  }
}
