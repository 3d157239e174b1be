// Manifolds as unions of balls about each sample that reach to its k-th neighbour, and which samples of another
// set lie in them; of a set and of many halves of it at once.

import LimnTorch

/// Distances from each sample of a set to its nearest ones, itself included.
struct NeighbourBalls {
  /// float64 [N, D].
  let features: Tensor
  /// Ascending, float64 [N, K]; the first is the sample's own zero.
  private let distances: Tensor
  /// The samples at those distances, int64 [N, K].
  private let neighbours: Tensor

  /// - Parameters:
  ///   - features: float64 [N, D].
  ///   - count: of neighbours to be known, the sample not counted.
  init(_ features: Tensor, count: Int) {
    self.features = features
    // In a half, the k-th neighbour is among the 2 k + 50 nearest of all but for one chance in millions.
    let known = min(features.size(0), 2 * count + 50)
    var nearest: [(values: Tensor, indices: Tensor)] = []
    let rows = max(1, Self.elementsAtOnce / features.size(0))
    for block in features.split(size: rows) {
      nearest.append(squaredDistances(block, features).topK(known, dim: 1, largest: false))
    }
    distances = .cat(nearest.map(\.values))
    neighbours = .cat(nearest.map(\.indices))
  }

  /// 32 MB of distances.
  static let elementsAtOnce = 1 << 22

  /// The squared distance of each sample to its `k`-th neighbour among `members`; below zero, so that nothing
  /// is inside, for samples that are no members.
  /// - Parameters:
  ///   - k: at most the number of members less one.
  ///   - members: bool [N].
  /// - Returns: float64 [N].
  func squaredRadii(k: Int, among members: Tensor) -> Tensor {
    let met = members[neighbours].to(.int64).cumsum(dim: 1)
    let place = met.isAtLeast(Double(k + 1)).to(.uint8).argmax(dim: 1, keepDim: true)
    return distances.gathered(dim: 1, place).squeezed(1).filled(where: members.logicalNot(), with: -1)
  }
}

/// Four figures of two sets of features, 0...1 but for the density.
struct ManifoldFigures: Sendable {
  /// Share of generated samples in some real ball.
  var precision = 0.0
  /// Share of real samples in some generated ball.
  var recall = 0.0
  /// Real balls that a generated sample lies in, over k; the mean.
  var density = 0.0
  /// Share of real balls with a generated sample in them.
  var coverage = 0.0
}

/// The figures of two sets and of halves of them.
struct ManifoldComparison: Sendable {
  /// Neighbours that a ball reaches to.
  let k: Int
  /// Whether a ball holds what lies on its surface.
  let isClosed: Bool

  /// The figures of all samples, then of each half.
  /// - Throws: ``MetricError`` for sets of no more than k samples.
  func figures(_ pair: FeaturePair) throws -> [ManifoldFigures] {
    try FrechetDistance.check(pair.real, pair.generated)
    let (first, second) = (pair.real.size(0), pair.generated.size(0))
    guard min(first, second) > k else {
      throw MetricError("\(first) and \(second) images; balls to the \(k)-th neighbour need \(k + 1) of each")
    }
    return withoutGradients {
      let offset = pair.real.to(.float64).mean(dims: [0])
      let real = NeighbourBalls(pair.real.to(.float64) - offset, count: k)
      let generated = NeighbourBalls(pair.generated.to(.float64) - offset, count: k)
      var states = members(pair).map { Tally(self, real, generated, $0.0, $0.1) }
      let rows = max(1, NeighbourBalls.elementsAtOnce / first)
      for start in stride(from: 0, to: second, by: rows) {
        let end = min(start + rows, second)
        let distances = squaredDistances(generated.features[start..<end], real.features)
        for index in states.indices { states[index].add(distances, from: start) }
      }
      return states.map(\.figures)
    }
  }

  /// Everything, then the halves: bool [N] and [M].
  private func members(_ pair: FeaturePair) -> [(Tensor, Tensor)] {
    let (first, second) = (pair.real.size(0), pair.generated.size(0))
    let all = (Tensor.ones([first], dtype: .bool), Tensor.ones([second], dtype: .bool))
    guard pair.halves.isPossible([first, second], smallest: k + 1) else { return [all] }
    let real = pair.halves.masks(of: first, stream: 1).to(.bool)
    let generated = pair.halves.masks(of: second, stream: 2).to(.bool)
    return [all] + (0..<pair.halves.count).map { (real[$0], generated[$0]) }
  }
}

/// The counts of one subset while blocks of distances pass.
private struct Tally {
  let comparison: ManifoldComparison
  let realRadii: Tensor
  let generatedRadii: Tensor
  let realMembers: Tensor
  let generatedMembers: Tensor
  private var insideSome = 0.0
  private var ballsEntered = 0.0
  private var nearest: Tensor
  private var isReached: Tensor

  init(
    _ comparison: ManifoldComparison, _ real: NeighbourBalls, _ generated: NeighbourBalls,
    _ realMembers: Tensor, _ generatedMembers: Tensor
  ) {
    self.comparison = comparison
    self.realMembers = realMembers
    self.generatedMembers = generatedMembers
    realRadii = real.squaredRadii(k: comparison.k, among: realMembers)
    generatedRadii = generated.squaredRadii(k: comparison.k, among: generatedMembers)
    nearest = .full([realMembers.size(0)], .infinity, dtype: .float64)
    isReached = .zeros([realMembers.size(0)], dtype: .bool)
  }

  /// Takes in squared distances [rows, N] of the generated samples from `start` on to all real ones.
  mutating func add(_ distances: Tensor, from start: Int) {
    let members = generatedMembers[start..<start + distances.size(0)].nonzero().squeezed(1)
    guard members.size(0) > 0 else { return }
    let own = members.size(0) == distances.size(0) ? distances : distances.indexSelect(dim: 0, members)
    let isInReal = isWithin(own, realRadii)
    insideSome += isInReal.amax(dims: [1]).sum().item()
    ballsEntered += isInReal.sum().item()
    let radii = generatedRadii.indexSelect(dim: 0, members + Tensor(start))
    isReached = isReached.logicalOr(isWithin(own, radii.unsqueezed(1)).amax(dims: [0]))
    nearest = minimum(nearest, own.amin(dims: [0]))
  }

  private func isWithin(_ distances: Tensor, _ radii: Tensor) -> Tensor {
    comparison.isClosed ? distances.isAtMost(radii) : distances.isLess(than: radii)
  }

  var figures: ManifoldFigures {
    let (real, generated) = (realMembers.sum().item(), generatedMembers.sum().item())
    let covered = isWithin(nearest, realRadii).logicalAnd(realMembers)
    return ManifoldFigures(
      precision: insideSome / generated,
      recall: isReached.logicalAnd(realMembers).sum().item() / real,
      density: ballsEntered / generated / Double(comparison.k), coverage: covered.sum().item() / real)
  }
}
