// The distance transform and connected components against a search over all elements.

import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct DistanceTransformTests {
  @Test(arguments: [[37, 53], [9, 14, 11], [1, 20], [20, 1]]) func someDistancesAreThoseOfAll(shape: [Int]) {
    let count = shape.reduce(1, *)
    for (number, share) in [0.5, 0.02, 0].enumerated() {
      let values = Tensor.rand([count], generator: Generator(seed: UInt64(number)))
      let targets = values.isLess(than: share).array(of: Bool.self)
      let spacing = shape.indices.map { [1, 2, 3][$0] as Double }
      let all = DistanceTransform.squaredDistances(to: targets, shape: shape, spacing: spacing)
      let places = Array(stride(from: 0, to: count, by: 3))
      let some = DistanceTransform.squaredDistances(to: targets, shape: shape, spacing: spacing, at: places)
      #expect(some == places.map { all[$0] })
    }
  }

  @Test(arguments: [
    ([17, 23], [1.0, 1]), ([17, 23], [0.3, 2.5]), ([5, 8, 9], [3, 0.5, 1]), ([2, 31], [1, 1]),
  ])
  func isTheDistanceToTheNearest(shape: [Int], spacing: [Double]) {
    let targets = Tensor.rand(shape, generator: Generator(seed: 5)).isLess(than: 0.08)
    let scale = Tensor(spacing)
    let places = Tensor.ones(shape).nonzero().to(.float64) * scale
    let found = targets.nonzero().to(.float64) * scale
    let squares = (places.unsqueezed(1) - found.unsqueezed(0)).square().sum(dims: [2])
    let expected = squares.amin(dims: [1]).sqrt().reshaped(shape)
    let distances = DistanceTransform.distances(to: targets, spacing: spacing)
    #expect(relativeError(distances, expected) < 1e-12)
  }

  @Test func withoutTargetsAllIsInfinite() {
    let distances = DistanceTransform.squaredDistances(
      to: Array(repeating: false, count: 12), shape: [3, 4], spacing: [1, 1])
    #expect(distances.allSatisfy { $0 == .infinity } && distances.count == 12)
    #expect(DistanceTransform.squaredDistances(to: [], shape: [0, 4], spacing: [1, 1]).isEmpty)
  }
}

@Suite struct ConnectedComponentsTests {
  @Test func numbersFollowTheFirstPixels() {
    let values: [Int32] = [
      1, 0, 1, 1,
      0, 1, 0, 1,
      2, 2, 1, 1,
    ]
    let four = ConnectedComponents(of: values, width: 4, connectivity: .four)
    #expect(four.labels == [1, 0, 2, 2, 0, 3, 0, 2, 4, 4, 2, 2] && four.count == 4)
    let eight = ConnectedComponents(of: values, width: 4, connectivity: .eight)
    #expect(eight.labels == [1, 0, 1, 1, 0, 1, 0, 1, 2, 2, 1, 1] && eight.count == 2)
  }

  @Test func spiralIsOnePart() {
    let values: [Int32] = [
      1, 1, 1, 1, 1,
      0, 0, 0, 0, 1,
      1, 1, 1, 0, 1,
      1, 0, 0, 0, 1,
      1, 1, 1, 1, 1,
    ]
    #expect(ConnectedComponents(of: values, width: 5, connectivity: .four).count == 1)
    let inverse = values.map { 1 - $0 }
    #expect(ConnectedComponents(of: inverse, width: 5, connectivity: .four).count == 1)
    #expect(ConnectedComponents(of: [], width: 5, connectivity: .four).count == 0)
  }
}
