// Training steps of UNIT, MUNIT and NICE-GAN against plain PyTorch with the same weights: losses, gradients and the
// vectors of spectral normalisation. Tolerance: 1e-4 of each tensor's largest value.

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct HostStepTests {
  private func step(_ fixture: StepFixture) throws -> (pair: DomainPair, context: StepContext) {
    let pair = DomainPair(a: try fixture["a"], b: try fixture["b"])
    return (
      pair, StepContext(step: 0, imagesSeen: 0, images: pair.a, precision: .float32, seed: 1)
    )
  }

  private func shape(_ side: Int) -> PairShape {
    PairShape(source: ImageShape(channels: 1, height: side, width: side), targetChannels: 1)
  }

  /// Loads a host's networks, by their names in the fixture.
  private func load(_ host: any TranslationHost, _ fixture: StepFixture, _ names: [String: String]) throws {
    for (name, module) in host.generators + host.discriminators {
      try module.load(fixture.tensors, prefix: "\(try #require(names[name])).")
    }
  }

  /// Compares losses and gradients of one part of a step.
  private func expect(
    _ loss: TranslationLoss, total: String, of networks: [(name: String, module: Module)], _ mode: String,
    _ fixture: StepFixture, _ names: [String: String]
  ) throws {
    try fixture.expectEqual(loss.value, "\(mode).\(total)")
    for (name, value) in loss.terms where !name.hasPrefix("loss_d") {
      try fixture.expectEqual(value, "\(mode).\(name)")
    }
    networks.forEach { $0.module.zeroGradients() }
    loss.value.backward()
    for (name, module) in networks {
      try fixture.expectGradients(of: module, "\(mode).\(try #require(names[name]))")
    }
  }

  private static let autoEncoders = [
    "autoencoder_a": "gen_a", "autoencoder_b": "gen_b", "discriminator_a": "dis_a",
    "discriminator_b": "dis_b",
  ]

  @Test(arguments: [TranslationMode.c, .nc]) func unit(mode: TranslationMode) throws {
    let fixture = try StepFixture("unit")
    var recipe = UNITRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.discriminator.width) = (mode, 2, 1, 1)
    let host = UNITHost(try recipe.resolved(for: shape(64)), shape(64))
    try load(host, fixture, Self.autoEncoders)
    let (pair, context) = try step(fixture)
    let (fakes, loss) = host.play(pair, context) { code, _ in
      fixture.tensors["noise.\(code)"]?.to(.float32) ?? .full([], .nan)
    }
    try expect(loss, total: "loss", of: host.generators, mode.rawValue, fixture, Self.autoEncoders)
    let judged = host.judge(pair, fakes.detached, context)
    try expect(judged, total: "d_loss", of: host.discriminators, mode.rawValue, fixture, Self.autoEncoders)
  }

  @Test(arguments: [TranslationMode.c, .nc]) func munit(mode: TranslationMode) throws {
    let fixture = try StepFixture("munit")
    var recipe = MUNITRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.discriminator.width) = (mode, 2, 1, 1)
    (recipe.styles, recipe.hidden, recipe.cycleWeight) = (3, 5, 2)
    let host = MUNITHost(try recipe.resolved(for: shape(64)), shape(64))
    try load(host, fixture, Self.autoEncoders)
    let (pair, context) = try step(fixture)
    let styles = MUNITHost.Styles(a: try fixture["style_a"], b: try fixture["style_b"])
    let (fakes, loss) = host.play(pair, context, styles)
    try expect(loss, total: "loss", of: host.generators, mode.rawValue, fixture, Self.autoEncoders)
    let judged = host.judge(pair, fakes.detached, context)
    try expect(judged, total: "d_loss", of: host.discriminators, mode.rawValue, fixture, Self.autoEncoders)
  }

  private static let niceNetworks = [
    "generator_a": "gen_a", "generator_b": "gen_b", "discriminator_a": "dis_a", "discriminator_b": "dis_b",
  ]

  /// The order is the step's: both discriminators, then both generators, the power iterations going on.
  @Test func niceGANInBothDirections() throws {
    let fixture = try StepFixture("nicegan")
    var recipe = NICEGANRecipe()
    (recipe.width, recipe.blocks) = (1, 1)
    let host = NICEGANHost(try recipe.resolved(for: shape(48)), shape(48))
    try load(host, fixture, Self.niceNetworks)
    let (pair, context) = try step(fixture)
    let judged = host.judge(pair, withoutGradients { host.draw(pair, context) }, context)
    try expect(judged, total: "d_loss", of: host.discriminators, "c", fixture, Self.niceNetworks)
    let (fakes, loss) = host.play(pair, context)
    try fixture.expectEqual(sampled(fakes.b, 512), "c.fake_b")
    try expect(loss, total: "loss", of: host.generators, "c", fixture, Self.niceNetworks)
    let vectors = host.discriminators[0].module.namedBuffers.sorted { $0.key < $1.key }.map(\.buffer)
    try fixture.expectEqual(.cat(vectors), "after.dis_b")
  }

  @Test func niceGANInOneDirection() throws {
    let fixture = try StepFixture("nicegan")
    var recipe = NICEGANRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.light) = (.nc, 1, 1, true)
    let host = NICEGANHost(try recipe.resolved(for: shape(48)), shape(48))
    let names = ["generator_b": "alone", "discriminator_b": "dis_b"]
    try load(host, fixture, names)
    let (pair, context) = try step(fixture)
    let judge = host.discriminators[0].module
    // The fixture's discriminator has judged four batches of both directions before.
    for _ in 0..<4 { judge.modules.forEach { ($0 as? SpectralLayer)?.advance() } }
    let judged = host.judge(pair, withoutGradients { host.draw(pair, context) }, context)
    try expect(judged, total: "d_loss", of: host.discriminators, "nc", fixture, names)
    let (_, loss) = host.play(pair, context)
    try expect(loss, total: "loss", of: host.generators, "nc", fixture, names)
  }
}
