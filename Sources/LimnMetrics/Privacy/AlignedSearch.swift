// The nearest image in pixels after alignment, coarse to fine: all pairs at 16 px by matrix products, a few
// candidates at 32 and 64 px.

import LimnTorch

/// The distance of two images in pixels after alignment.
///
/// Both images are made grey and 64×64. The query's window (the middle, three quarters of each side) is
/// compared with the reference's window under every map that the search tries: shifts up to about ±10 % of the
/// side, scales of about 0.9 … 1.1, mirrored or not. Windows are brought to mean 0 and length 1, so brightness
/// and contrast do not count. The distance is that of the two vectors, √(2(1 − ρ)) for a correlation ρ, under
/// the best map: 0 for a copy, √2 for images without any likeness, and for images without contrast.
public struct AlignedSearch: NearestSearch {
  /// Where the work is done.
  public let device: Device
  private static let mapsInMemory = 1 << 20

  /// A search on a device.
  public init(device: Device = .cpu) { self.device = device }

  public let name = "pixels_aligned"
  public let definition =
    "Distance sqrt(2(1 - r)) of grey images at 64x64 px, r the correlation of the middle three quarters under "
    + "the best of shifts to 10 % of the side, scales 0.9 to 1.1 and mirroring, found coarse to fine "
    + "(all pairs at 16 px, the best 24 at 32 px, the best 6 at 64 px); 0: a copy, 1.41: no likeness."

  public func index(_ images: any ImageSource, at positions: [Int]) throws -> AlignedIndex {
    var levels = [[Tensor]](repeating: [], count: AlignedIndex.sides.count)
    try images.forEachBatch(of: 64, at: positions) { _, batch in
      let grey = batch.to(device).to(.float32).mean(dims: [1], keepDim: true)
      for (level, side) in AlignedIndex.sides.enumerated() {
        let small = interpolate(grey, size: [side, side], mode: .bilinear, antialias: true)
        levels[level].append(side == AlignedIndex.sides.last ? small.to(.float16) : small)
      }
    }
    return AlignedIndex(levels: levels.map { Tensor.cat($0) })
  }

  public func part(of index: AlignedIndex, at positions: [Int]) -> AlignedIndex {
    let places = Tensor(positions).to(device)
    return AlignedIndex(levels: index.levels.map { $0.indexSelect(dim: 0, places) })
  }

  public func nearest(
    of queries: AlignedIndex, in references: AlignedIndex, queryPatients: [Int], referencePatients: [Int]
  ) -> [NearestImage?] {
    withoutGradients {
      let patients = (queries: queryPatients, references: referencePatients)
      var found = coarse(queries, references, patients).narrowed(to: 24, atMost: 8, patients: patients)
      found = refined(found, queries, references, level: 1, step: 0.05)
      found = found.narrowed(to: 6, atMost: 3, patients: patients)
      found = refined(found, queries, references, level: 2, step: 0.025)
      found = found.narrowed(to: 3, atMost: 2, patients: patients)
      for step in [0.0125, 0.00625] { found = refined(found, queries, references, level: 2, step: step) }
      return pairs(found, queries, references, patients)
    }
  }

  // MARK: - Coarse

  /// The best references of every query at the coarsest level, with the maps they were found by.
  private func coarse(
    _ queries: AlignedIndex, _ references: AlignedIndex, _ patients: (queries: [Int], references: [Int])
  ) -> AlignmentCandidates {
    let maps = AlignmentMaps.coarse(device: device)
    let vectors = AlignedWindow.sample(queries.levels[0], AlignmentMaps.identity(device: device)).squeezed(1)
    let own = (Tensor(patients.queries).to(device).unsqueezed(1), Tensor(patients.references).to(device))
    var found: AlignmentCandidates?
    for start in stride(from: 0, to: references.count, by: 64) {
      let range = start..<min(start + 64, references.count)
      let windows = AlignedWindow.sample(references.levels[0][range], maps.unsqueezed(0))
      let pieces = vectors.split(size: 512).map { best(of: $0, among: windows) }
      let isOwn = own.0.isEqual(to: own.1[range])
      let correlations = Tensor.cat(pieces.map(\.correlations)).filled(where: isOwn, with: -2)
      let chunk = AlignmentCandidates(
        references: (Tensor.arange(range.count, device: device) + Double(start)).to(.int64)
          .unsqueezed(0).expanded(correlations.shape),
        maps: maps.indexSelect(dim: 0, Tensor.cat(pieces.map(\.maps)).reshaped([-1]))
          .reshaped(correlations.shape + [AlignmentMaps.columns]),
        correlations: correlations)
      found = (found.map { $0.joined(with: chunk) } ?? chunk).narrowed(to: 96)
    }
    guard let found else { preconditionFailure("a search needs references") }
    return found
  }

  /// The greatest correlation of each query [m, d] with each reference's windows [n, T, d], and its map.
  private func best(of queries: Tensor, among windows: Tensor) -> (correlations: Tensor, maps: Tensor) {
    let products = matmul(queries, windows.reshaped([-1, windows.size(2)]).transposed(0, 1))
      .reshaped([queries.size(0), windows.size(0), windows.size(1)])
    let maps = products.argmax(dim: 2, keepDim: true)
    return (products.gathered(dim: 2, maps).squeezed(2), maps.squeezed(2))
  }

  // MARK: - Fine

  /// Each candidate's best map among its own and the 26 around it.
  private func refined(
    _ found: AlignmentCandidates, _ queries: AlignedIndex, _ references: AlignedIndex, level: Int,
    step: Double
  ) -> AlignmentCandidates {
    let around = AlignmentMaps.neighbours(step: step, device: device)
    let each = found.maps.size(1) * around.size(0) * windowSize(level)
    let pieces = rows(found.maps.size(0), upTo: Self.mapsInMemory / each).map { range in
      let part = found[range]
      let maps = part.maps.unsqueezed(2) + around
      let windows = self.windows(part, maps, references, level: level)
      let vectors = self.vectors(queries, range, level: level)
      let correlations = matmul(windows.flattened(from: 1, to: 2), vectors.transposed(1, 2))
        .reshaped(Array(maps.shape.dropLast()))
      let best = correlations.argmax(dim: 2, keepDim: true)
      return AlignmentCandidates(
        references: part.references,
        maps: maps.gathered(dim: 2, best.unsqueezed(3).expanded(part.maps.unsqueezed(2).shape)).squeezed(2),
        correlations: correlations.gathered(dim: 2, best).squeezed(2))
    }
    return AlignmentCandidates(pieces)
  }

  /// The distances by their differences, which stay exact where correlations come close to 1.
  private func pairs(
    _ found: AlignmentCandidates, _ queries: AlignedIndex, _ references: AlignedIndex,
    _ patients: (queries: [Int], references: [Int])
  ) -> [NearestImage?] {
    let level = AlignedIndex.sides.count - 1
    let each = found.maps.size(1) * windowSize(level)
    let distances = rows(found.maps.size(0), upTo: Self.mapsInMemory / each).flatMap { range in
      let part = found[range]
      let windows = self.windows(part, part.maps.unsqueezed(2), references, level: level).squeezed(2)
      return (windows - vectors(queries, range, level: level)).norm(dims: [2]).reshaped([-1])
        .to(.cpu).array(of: Float.self)
    }
    let indices = found.references.reshaped([-1]).to(.cpu).array(of: Int.self)
    let width = found.references.size(1)
    return patients.queries.indices.map { query in
      let candidates = (query * width..<(query + 1) * width).map { (indices[$0], Double(distances[$0])) }
      return nearestImage(
        among: candidates, patients: patients.references, excluding: patients.queries[query])
    }
  }

  /// The references' windows under maps [m, K, T, 4]: [m, K, T, d].
  private func windows(
    _ part: AlignmentCandidates, _ maps: Tensor, _ references: AlignedIndex, level: Int
  ) -> Tensor {
    let images = references.images(level: level, at: part.references.reshaped([-1]))
    let windows = AlignedWindow.sample(images, maps.flattened(from: 0, to: 1))
    return windows.reshaped(Array(maps.shape.dropLast()) + [windows.size(2)])
  }

  /// The queries' own windows: [m, 1, d].
  private func vectors(_ queries: AlignedIndex, _ range: Range<Int>, level: Int) -> Tensor {
    AlignedWindow.sample(
      queries.levels[level][range].to(.float32), AlignmentMaps.identity(device: device))
  }

  private func windowSize(_ level: Int) -> Int {
    let side = AlignedWindow.side(of: AlignedIndex.sides[level])
    return side * side
  }

  private func rows(_ count: Int, upTo size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: max(1, size)).map { $0..<min($0 + max(1, size), count) }
  }
}
