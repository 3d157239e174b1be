// Random numbers: PyTorch's for the same seeds, states that can be saved, seeds that are independent.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct GeneratorTests {
  static let draws: [(name: String, draw: @Sendable (Generator) -> Tensor)] = [
    ("randn", { .randn([40], generator: $0) }),
    ("randn-small", { .randn([3, 2], generator: $0) }),
    ("rand", { .rand([10], generator: $0) }),
    ("randint", { .randint(-3, 9, [12], generator: $0) }),
    ("randperm", { .randperm(11, generator: $0) }),
  ]

  @Test("a seed draws PyTorch's numbers", arguments: draws.map(\.name))
  func parity(name: String) throws {
    let draw = try #require(Self.draws.first { $0.name == name }).draw
    let expected = try ParityFixture("random")[name]
    let generator = Generator(seed: 1234)
    let drawn = draw(generator)
    #expect(drawn.dtype == expected.dtype && relativeError(drawn, expected) <= 1e-6)
    #expect(!draw(generator).isIdentical(to: drawn))
    generator.reseed(1234)
    #expect(draw(generator).isIdentical(to: drawn))
  }

  @Test func aSavedStateGoesOnWhereItWas() {
    let generator = Generator(seed: 5)
    _ = Tensor.randn([7], generator: generator)
    let state = generator.state
    #expect(state.dtype == .uint8)
    let expected = Tensor.randn([33], generator: generator)
    let other = Generator(seed: 99)
    other.state = state
    #expect(Tensor.randn([33], generator: other).isIdentical(to: expected))
  }

  @Test func generatorsDoNotDisturbEachOther() {
    let (a, b) = (Generator(seed: 1), Generator(seed: 1))
    let first = Tensor.rand([5], generator: a)
    _ = Tensor.rand([100], generator: Generator(seed: 2))
    #expect(Tensor.rand([5], generator: b).isIdentical(to: first))
  }

  @Test func derivedSeedsAreDistinctAndSpread() {
    let seeds = (0..<20).flatMap { i in (0..<20).map { Seed.derive(7, UInt64(i), UInt64($0)) } }
    #expect(Set(seeds + [Seed.derive(7), Seed.derive(8), Seed.derive(7, 0)]).count == 403)
    #expect(Seed.derive(7, 1, 2) == Seed.derive(7, 1, 2) && Seed.derive(7, 1, 2) != Seed.derive(7, 2, 1))
    #expect(Set((0..<100).map { Seed.derive($0, $0) }).count == 100, "equal numbers must not cancel")
    let ones = seeds.reduce(0) { $0 + $1.nonzeroBitCount }
    #expect(abs(Double(ones) / 400 - 32) < 1)  // 400 seeds of 64 fair bits: 5 standard deviations
  }

  /// Streams of neighbouring steps: correlations of 20,000 normals stay within 4.5 standard errors.
  @Test func derivedStreamsAreUncorrelated() {
    let streams = (0..<6).map { step in
      Tensor.randn([20_000], dtype: .float64, generator: Generator(seed: Seed.derive(0, UInt64(step))))
    }
    for i in 0..<6 {
      for j in 0..<i {
        #expect(abs((streams[i] * streams[j]).mean().item()) < 4.5 / 20_000.0.squareRoot())
      }
    }
  }
}

/// What draws from the process's default generator, one test after the other; no other suite touches it.
@Suite(.serialized) struct DefaultGeneratorTests {
  @Test func dropoutFollowsTheDefaultGenerator() throws {
    let fixture = try ParityFixture("random")
    Generator.default(on: .cpu).reseed(77)
    #expect(dropout(.ones([6, 5]), probability: 0.3, training: true).isIdentical(to: try fixture["dropout"]))
    let channels = dropout2d(.ones([4, 6, 2, 2]), probability: 0.4, training: true)
    #expect(channels.isIdentical(to: try fixture["dropout2d"]))
  }

  @Test func dropoutDropsWhileTrainingOnly() {
    let layer = Dropout(0.25)
    let ones = Tensor.ones([100, 100])
    let dropped = layer(ones)
    let kept = dropped.isNotEqual(to: 0).to(.float64).mean().item()
    #expect(abs(kept - 0.75) < 0.02)  // 10,000 draws: 4.6 standard deviations
    #expect(abs(dropped.max().item() - 1 / 0.75) < 1e-6)
    layer.evaluate()
    #expect(layer(ones).isIdentical(to: ones))
  }
}
