// What registration adds to an objective beside the published terms: drift, told of and held.

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct RegistrarTests {
  private let shape = PairShape(source: ImageShape(channels: 1, height: 32, width: 32), targetChannels: 1)
  private let images = (0..<2).map { Tensor.rand([2, 1, 32, 32], generator: Generator(seed: $0)) * 2 - 1 }

  /// A registrar whose displacement is (3, −2) pixels everywhere.
  private func registrar(_ change: (inout RegistrationRecipe) -> Void = { _ in }) -> Registrar {
    var recipe = RegistrationRecipe()
    recipe.width = 2
    change(&recipe)
    let registrar = Initialization.with(Generator(seed: 1)) { Registrar(recipe: recipe, shape: shape) }
    withoutGradients {
      registrar.network.output.weight.fill(0)
      registrar.network.output.bias?.copy(from: Tensor([Float(3), -2]))
    }
    return registrar
  }

  private func loss(_ registrar: Registrar, pace: Double = 1) -> TranslationLoss {
    registrar.loss(
      fake: images[0], real: images[1],
      StepContext(step: 0, imagesSeen: 0, images: images[0], precision: .float32, seed: 0),
      pace: pace)
  }

  /// The running mean approaches the shift as its decay says.
  @Test func driftIsTheRunningMean() throws {
    let registrar = registrar()
    var terms: [String: Tensor] = [:]
    for _ in 0..<50 { terms = loss(registrar).terms }
    let share = 1 - (0..<50).reduce(1.0) { product, _ in product * (1 - DriftMeter.share) }
    let (rows, columns) = (try #require(terms["drift_rows"]), try #require(terms["drift_columns"]))
    #expect(abs(rows.item() - 3 * share) < 1e-4 && abs(columns.item() + 2 * share) < 1e-4)
    #expect(registrar.drift.stateDict.keys.sorted() == ["mean"])
  }

  /// Half the learning rate, half a step's share.
  @Test func slowerGeneratorsAreSeenForLonger() {
    let (full, half) = (registrar(), registrar())
    _ = loss(full)
    _ = loss(half, pace: 0.5)
    #expect(relativeError(half.drift.mean * 2, full.drift.mean) < 1e-6)
    #expect(abs(full.drift.mean[0].item() - 3 * DriftMeter.share) < 1e-6)
  }

  /// The mean is taken back the same everywhere.
  @Test func driftIsTakenBackFromAnySize() {
    let meter = DriftMeter()
    meter.add(Tensor([Float(1), -3, 0, -1], shape: [2, 2]), pace: 1 / DriftMeter.share)
    let displacement = meter.displacement(size: [3, 5])
    #expect(displacement.shape == [1, 2, 3, 5])
    #expect(
      displacement.array(of: Float.self) == Array(repeating: 0.5, count: 15) + Array(repeating: -2, count: 15)
    )
  }

  /// The gradient that `mean_flow` adds to a constant displacement is that of the running mean's square.
  @Test func meanFlowPushesAgainstDrift() throws {
    func gradient(_ weight: Double) throws -> Tensor {
      let registrar = registrar { $0.meanFlow = weight }
      registrar.drift.add(Tensor([Float(0.5), -1.5], shape: [1, 2]), pace: 1 / DriftMeter.share)
      loss(registrar).value.backward()
      return try #require(registrar.network.output.bias?.gradient)
    }
    let added = try gradient(0.25) - gradient(0)
    let decay = 1 - DriftMeter.share
    let running = [0.5 * decay + 3 * (1 - decay), -1.5 * decay - 2 * (1 - decay)]
    let expected = Tensor(running.map { Float(2 * 0.25 * $0) })
    #expect(relativeError(added, expected) < 1e-4, "\(added.array(of: Float.self))")
  }

  @Test func anchorIsTheDistanceWithoutRegistration() throws {
    let plain = loss(registrar())
    let anchored = loss(registrar { $0.anchor = 2 })
    let added: Double = (anchored.value - plain.value).item()
    let distance: Double = (images[0] - images[1]).abs().mean().item()
    #expect(abs(added - 2 * distance) < 1e-5 && plain.terms["loss_r_anchor"] == nil)
  }
}
