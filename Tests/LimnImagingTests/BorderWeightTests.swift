// Separated instances, border weights and their colours, against SciPy and by what must hold of all.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

private let cases = ["crowded", "sparse", "single"]

/// Values of Tests/Fixtures/imaging/objects.safetensors.
private func reference(_ name: String) throws -> Tensor { try ObjectFixtures.tensor(name) }

/// Squares of random instances over one another, some cut off by the edge.
private func randomInstances(seed: UInt64, height: Int = 41, width: Int = 37, count: Int = 30) -> Tensor {
  let generator = Generator(seed: seed)
  let map = Tensor.zeros([height, width], dtype: .int32)
  let (rows, columns) = (
    Tensor.randint(0, height, [count], generator: generator),
    Tensor.randint(0, width, [count], generator: generator)
  )
  let sizes = Tensor.randint(1, 9, [count], generator: generator)
  for index in 0..<count {
    let (row, column) = (Int(rows[index].item()), Int(columns[index].item()))
    let size = Int(sizes[index].item())
    map.narrowed(dim: 0, start: row, length: min(size, height - row))
      .narrowed(dim: 1, start: column, length: min(size, width - column)).fill(Double(index + 1))
  }
  return map
}

/// The least Chebyshev distance between pixels of two instances.
private func leastDistance(_ values: [Int32], width: Int, without kept: Set<Int32> = []) -> Int {
  let places = values.indices.filter { values[$0] > 0 && !kept.contains(values[$0]) }
  var least = Int.max
  for (index, a) in places.enumerated() {
    for b in places[(index + 1)...] where values[a] != values[b] {
      least = min(least, max(abs(a / width - b / width), abs(a % width - b % width)))
    }
  }
  return least
}

@Suite struct InstanceSeparationTests {
  @Test(arguments: cases, 0...3) func isTheStatedRule(name: String, gap: Int) throws {
    let separated = InstanceSeparation.separated(try reference("\(name).instances"), gap: gap)
    #expect(separated.isIdentical(to: try reference("\(name).separated\(gap)").to(.int32)))
  }

  @Test(arguments: 1...3, [UInt64(1), 2, 3]) func keepsEveryInstanceApartAndInItsPlace(
    gap: Int, seed: UInt64
  ) {
    let map = randomInstances(seed: seed)
    let before = map.array(of: Int32.self)
    let after = InstanceSeparation.separated(map, gap: gap).array(of: Int32.self)
    #expect(Set(after).subtracting([0]) == Set(before).subtracting([0]))
    #expect(zip(before, after).allSatisfy { $1 == 0 || $1 == $0 })
    // Those that kept all their pixels may touch others.
    let whole = Set(before).filter { label in zip(before, after).allSatisfy { $0 != label || $1 == label } }
    #expect(leastDistance(after, width: 37, without: whole) > gap)
    #expect(before != after)
  }

  @Test func whatIsApartStays() {
    let apart = Tensor([1, 0, 2, 0, 0, 0, 3, 0, 3] as [Int32], shape: [3, 3])
    #expect(InstanceSeparation.separated(apart).isIdentical(to: apart))
    let small = Tensor([1, 1, 1, 1, 2, 1, 1, 1, 1] as [Int32], shape: [3, 3])
    #expect(InstanceSeparation.separated(small).isIdentical(to: small), "the only pixel of 2 is kept")
    #expect(InstanceSeparation.separated(Tensor.zeros([0, 4], dtype: .int32)).shape == [0, 4])
  }
}

@Suite struct BorderWeightTests {
  /// Float32 keeps seven digits.
  private let tolerance = 1e-6

  @Test(arguments: cases) func areThePapersWithSciPysDistances(name: String) throws {
    let instances = try reference("\(name).instances")
    let weights = BorderWeights()(instances)
    #expect(weights.dtype == .float32)
    #expect(relativeError(weights, try reference("\(name).weights")) < tolerance)
    let narrow = BorderWeights(w0: 4, sigma: 2.5, gap: 0, balance: .none)(instances)
    #expect(relativeError(narrow, try reference("\(name).weights.unbalanced")) < tolerance)
  }

  @Test func balanceGivenClasses() throws {
    let classes = try reference("crowded.classes")
    let weights = BorderWeights()(try reference("crowded.instances"), labels: classes)
    #expect(relativeError(weights, try reference("crowded.weights.classes")) < tolerance)
  }

  @Test func canBeKeptToTheBackground() throws {
    let weights = BorderWeights(backgroundOnly: true, balance: .none)(try reference("crowded.instances"))
    #expect(relativeError(weights, try reference("crowded.weights.background")) < tolerance)
  }

  @Test(arguments: [UInt64(4), 5]) func areNeverBelowTheClassWeight(seed: UInt64) {
    let map = randomInstances(seed: seed)
    let separated = InstanceSeparation.separated(map)
    let classes = separated.isGreater(than: 0).to(.int32).array(of: Int32.self)
    let balance = Tensor(ClassBalance.image.weights(of: classes).map(Float.init), shape: map.shape)
    let weights = BorderWeights()(map)
    #expect((weights - balance).min().item() >= 0)
    #expect((weights - balance).max().item() > 5)
    #expect(abs(balance.to(.float64).mean().item() - 1) < 1e-6)
    #expect(weights.isIdentical(to: BorderWeights()(map)))
  }

  /// Numbers are names: which instance is first and which second does not matter, nor does a turned image.
  @Test func followTheImageAndNotTheNumbers() {
    let map = InstanceSeparation.separated(randomInstances(seed: 6))
    let weights = BorderWeights(gap: 0)
    let renamed = Tensor.where(map.isGreater(than: 0), Tensor.full([], 77, dtype: .int32) - map, map)
    #expect(weights(renamed).isIdentical(to: weights(map)))
    let turned = map.permuted([1, 0]).contiguous()
    #expect(relativeError(weights(turned).permuted([1, 0]), weights(map)) < 1e-7)
  }

  @Test func withoutTwoInstancesOnlyClassesWeigh() {
    let none = Tensor.zeros([5, 6], dtype: .uint8)
    #expect(BorderWeights()(none).isIdentical(to: Tensor.ones([5, 6])))
    let all = Tensor.ones([5, 6])
    #expect(BorderWeights()(all.to(.int32)).isIdentical(to: all))
    #expect(
      BorderWeights(balance: .none)(Tensor([0, 3, 3, 0] as [Int32], shape: [2, 2])).isIdentical(
        to: Tensor.ones([2, 2])))
  }

  @Test func twoPixelsGlowByTheirDistance() {
    // d₁ + d₂ is 4 on the line between them.
    let map = Tensor([0, 1, 0, 0, 0, 2, 0] as [Int32], shape: [1, 7])
    let weights = BorderWeights(balance: .none)(map).array(of: Float.self)
    let line = Float(1 + 10 * exp(-16.0 / 50))
    let beyond = Float(1 + 10 * exp(-36.0 / 50))
    #expect(weights == [beyond, line, line, line, line, line, beyond])
  }
}

@Suite struct HeatColourTests {
  @Test func riseFromBlackToWhite() {
    let values = Tensor([-1, 0, 1, 2, 3, 4] as [Float], shape: [1, 2, 3])
    let colours = HeatColours.image(of: values, range: 0...3)
    #expect(colours.shape == [1, 3, 2, 3] && colours.dtype == .uint8)
    #expect(
      colours.array(of: UInt8.self) == [
        0, 0, 255, 255, 255, 255,
        0, 0, 0, 255, 255, 255,
        0, 0, 0, 0, 255, 255,
      ])
  }
}
