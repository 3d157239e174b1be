// Optimisers, clipping, averages and schedules against torch.optim: 20 steps of the single-tensor reference.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

typealias NamedParameters = [(key: String, parameter: Parameter)]

struct OptimizerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable (NamedParameters) -> any Optimizer
  var testDescription: String { name }

  init(_ name: String, _ make: @escaping @Sendable (NamedParameters) -> any Optimizer) {
    (self.name, self.make) = (name, make)
  }
}

@Suite struct OptimizerTests {
  static let cases = [
    OptimizerCase("sgd") { SGD($0, learningRate: 0.05) },
    OptimizerCase("sgd-momentum") { SGD($0, learningRate: 0.05, momentum: 0.9, dampening: 0.1) },
    OptimizerCase("sgd-nesterov") { SGD($0, learningRate: 0.05, momentum: 0.9, nesterov: true) },
    OptimizerCase("sgd-decay") { SGD($0, learningRate: 0.05, momentum: 0.5, weightDecay: 0.1) },
    OptimizerCase("adam") { Adam($0, learningRate: 0.01) },
    OptimizerCase("adam-pggan") { Adam($0, learningRate: 0.01, betas: (0, 0.99)) },
    OptimizerCase("adam-decay") { Adam($0, learningRate: 0.01, betas: (0.5, 0.999), weightDecay: 0.1) },
    OptimizerCase("adamw") { Adam.adamW($0, learningRate: 0.01, weightDecay: 0.1) },
    OptimizerCase("rmsprop") { RMSprop($0, learningRate: 0.01) },
    OptimizerCase("rmsprop-decay") {
      RMSprop($0, learningRate: 0.01, alpha: 0.9, epsilon: 1e-5, weightDecay: 0.1)
    },
  ]

  let fixture: ParityFixture
  init() throws { fixture = try ParityFixture("optimizers") }

  private func start() -> NamedParameters {
    fixture.group("start/").sorted { $0.key < $1.key }.map { ($0.key, Parameter($0.value.cloned())) }
  }

  private func step(_ optimizer: any Optimizer) throws {
    let weights = Dictionary(uniqueKeysWithValues: optimizer.parameters.map { ($0.key, $0.parameter) })
    optimizer.zeroGradients()
    let weight = try #require(weights["weight1"])
    let hidden = tanh(linear(try fixture["x"], weight, weights["bias1"]))
    mseLoss(linear(hidden, try #require(weights["weight2"])), try fixture["y"]).backward()
    optimizer.step()
  }

  @Test("20 steps equal PyTorch's", arguments: cases)
  func parity(_ optimizerCase: OptimizerCase) throws {
    let optimizer = optimizerCase.make(start())
    for _ in 0..<20 { try step(optimizer) }
    for (key, parameter) in optimizer.parameters {
      #expect(relativeError(parameter, try fixture["\(optimizerCase.name)/\(key)"]) <= tolerance, "\(key)")
    }
  }

  @Test("a saved state goes on to the bit", arguments: cases)
  func resumes(_ optimizerCase: OptimizerCase) throws {
    let whole = optimizerCase.make(start())
    let first = optimizerCase.make(start())
    for _ in 0..<7 {
      try step(whole)
      try step(first)
    }
    let second = optimizerCase.make(first.parameters.map { ($0.key, Parameter($0.parameter.cloned())) })
    try second.load(state: first.state.mapValues { $0.cloned() })
    for _ in 0..<5 {
      try step(whole)
      try step(second)
    }
    for (a, b) in zip(whole.parameters, second.parameters) {
      #expect(a.parameter.isIdentical(to: b.parameter), "\(a.key)")
    }
  }

  @Test("reset forgets the past", arguments: cases)
  func resets(_ optimizerCase: OptimizerCase) throws {
    let used = optimizerCase.make(start())
    for _ in 0..<3 { try step(used) }
    used.reset()
    #expect(used.state.isEmpty)
    let fresh = optimizerCase.make(used.parameters.map { ($0.key, Parameter($0.parameter.cloned())) })
    try step(used)
    try step(fresh)
    for (a, b) in zip(used.parameters, fresh.parameters) {
      #expect(a.parameter.isIdentical(to: b.parameter), "\(a.key)")
    }
  }

  @Test func aStateThatFitsNoParameterIsRefused() {
    let adam = Adam(start())
    let error = #expect(throws: StateDictError.self) {
      try adam.load(state: ["weight1/exp_avg": .zeros([2, 2])])
    }
    #expect(error?.description.contains("weight1/exp_avg") == true)
  }

  @Test("gradients are scaled to a joint norm", arguments: [("clip-below", 100.0), ("clip-above", 0.7)])
  func clipsByNorm(name: String, maximum: Double) throws {
    let gradients = fixture.list("clip", "gradient")
    let parameters = gradients.map { Parameter(.zeros($0.shape)) }
    for (parameter, gradient) in zip(parameters, gradients) { parameter.gradient = gradient.cloned() }
    let norm = clipGradients(of: parameters, maximumNorm: maximum)
    #expect(relativeError(norm, try fixture["\(name)/norm"]) <= tolerance)
    for (parameter, expected) in zip(parameters, fixture.list(name, "out")) {
      #expect(relativeError(try #require(parameter.gradient), expected) <= tolerance)
    }
  }

  @Test func gradientsAreLimitedByValue() throws {
    let parameter = Parameter(.zeros([3]))
    parameter.gradient = Tensor([Float(-3), 0.2, 5])
    clipGradients(of: [parameter], maximumValue: 0.5)
    #expect(try #require(parameter.gradient).array(of: Float.self) == [-0.5, 0.2, 0.5])
  }

  @Test func theMovingAverageFollowsAsPyTorchs() throws {
    let layers = Initialization.with(Generator(seed: 1)) {
      (0..<2).map { _ in Linear(inputFeatures: 3, outputFeatures: 2) }
    }
    try layers[0].load(fixture.group("ema/start/"))
    let average = try ExponentialMovingAverage(of: layers[0], in: layers[1])
    for step in 0..<5 {
      try layers[0].load(fixture.group("ema/step\(step)/"))
      average.update(decay: 0.9)
    }
    for (key, weight) in average.average.stateDict {
      #expect(relativeError(weight, try fixture["ema/end/\(key)"]) <= tolerance, "\(key)")
      #expect(!weight.requiresGrad)
    }
  }
}

@Suite struct ScheduleTests {
  static let schedules: [(String, Schedule)] = [
    ("constant", .constant),
    ("step", .step(every: 7, factor: 0.3)),
    ("linear-decay", .linearDecay(start: 10, end: 30)),
    ("polynomial", .polynomial(total: 30, power: 2.5)),
    ("cosine", .cosine(total: 39, floor: 0.1)),
    ("warm-up", .warmUp(steps: 8, after: .step(every: 10, factor: 0.5))),
  ]

  @Test("factors equal PyTorch's schedulers'", arguments: schedules)
  func parity(name: String, schedule: Schedule) throws {
    let data = try Data(contentsOf: fixture("torch/schedules.json"))
    let factors = try #require(try JSONDecoder().decode([String: [Double]].self, from: data)[name])
    try #require(factors.count == 40)
    for (step, expected) in factors.enumerated() {
      #expect(abs(schedule.factor(at: step) - expected) < 1e-12, "step \(step)")
    }
  }

  @Test func aFinishedScheduleStaysAtItsEnd() {
    #expect(Schedule.linearDecay(start: 10, end: 30).factor(at: 1000) == 0)
    #expect(Schedule.polynomial(total: 30, power: 1).factor(at: 1000) == 0)
    #expect(abs(Schedule.cosine(total: 30, floor: 0.2).factor(at: 1000) - 0.2) < 1e-15)
  }
}
