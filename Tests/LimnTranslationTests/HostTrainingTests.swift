// UNIT, MUNIT and NICE-GAN train in every mode, translate image by image, and say what does not fit.

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct HostTrainingTests {
  private func setting(_ side: Int) -> MethodSetting {
    MethodSetting(shape: ImageShape(channels: 1, height: side, width: side), totalImages: 100)
  }

  private static func unit(_ mode: TranslationMode) -> UNITRecipe {
    var recipe = UNITRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.discriminator.width) = (mode, 2, 1, 1)
    recipe.registration.width = 2
    return recipe
  }

  private static func munit(_ mode: TranslationMode) -> MUNITRecipe {
    var recipe = MUNITRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.discriminator.width) = (mode, 2, 1, 1)
    recipe.registration.width = 2
    return recipe
  }

  private static func nice(_ mode: TranslationMode) -> NICEGANRecipe {
    var recipe = NICEGANRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.light) = (mode, 2, 1, mode.registers)
    recipe.registration.width = 2
    return recipe
  }

  private func images(_ seed: UInt64) -> Tensor {
    Tensor.rand([2, 1, 64, 64], generator: Generator(seed: seed)) * 2 - 1
  }

  /// Three steps: losses are numbers, all networks move, and translations are images.
  private func expectTraining(_ method: any TranslationMethod, _ mode: TranslationMode) {
    let before = method.networks.map { $0.module.parameters.map { $0.detached().cloned() } }
    for number in 0..<3 {
      let terms = method.step(
        StepContext(
          step: number, imagesSeen: 2 * number, images: images(1), precision: .float32, seed: 2,
          layers: ["targets": images(2)]))
      #expect(terms.values.allSatisfy { $0.item().isFinite })
      #expect((terms["loss_r_correction"] != nil) == mode.registers)
      #expect((terms["loss_g_a"] != nil) == mode.isCyclic)
    }
    for (network, old) in zip(method.networks, before) {
      let moved = zip(network.module.parameters, old).filter { !$0.isIdentical(to: $1) }.count
      #expect(moved == old.count, "\(network.name)")
    }
    let whole = method.translate(images(3), .random(seed: 4))
    #expect(whole.shape == [2, 1, 64, 64] && whole.abs().max().item() <= 1)
    let alone = method.translate(images(3)[1..<2], .random(seed: 4))
    #expect(relativeError(alone, whole[1..<2]) < 1e-4)
    #expect(method.translate(images(3), .random(seed: 4)).isIdentical(to: whole))
  }

  @Test(arguments: TranslationMode.allCases) func unitTrains(mode: TranslationMode) throws {
    expectTraining(try UNIT(recipe: Self.unit(mode), setting: setting(64)), mode)
  }

  @Test(arguments: TranslationMode.allCases) func munitTrains(mode: TranslationMode) throws {
    expectTraining(try MUNIT(recipe: Self.munit(mode), setting: setting(64)), mode)
  }

  @Test(arguments: TranslationMode.allCases) func niceGANTrains(mode: TranslationMode) throws {
    expectTraining(try NICEGAN(recipe: Self.nice(mode), setting: setting(64)), mode)
  }

  @Test func discriminatorsOfRegGANsCodeLearnSecond() throws {
    var recipe = Self.munit(.ncR)
    #expect(try MUNIT(recipe: recipe, setting: setting(64)).host.judgesFirst)
    (recipe.registration.freshFakes, recipe.tenfoldAdversarial) = (true, true)
    let method = try MUNIT(recipe: recipe, setting: setting(64))
    #expect(!method.host.judgesFirst)
    expectTraining(method, .ncR)
  }

  @Test func niceGANTrainsWithRegGANsNetworks() throws {
    var recipe = Self.nice(.ncR)
    (recipe.oneWay, recipe.blocks, recipe.registration.freshFakes) = (.reggan, nil, true)
    let method = try NICEGAN(recipe: recipe, setting: setting(64))
    #expect(method.recipe.blocks == 7 && method.recipe.discriminatorWidth == 1)
    expectTraining(method, .ncR)
  }

  /// Convolutions in bfloat16: losses near those of float32.
  @Test func hostsTrainInHalfPrecision() throws {
    func methods() throws -> [any TranslationMethod] {
      try Initialization.with(Generator(seed: 7)) {
        [
          try UNIT(recipe: Self.unit(.cR), setting: setting(64)),
          try MUNIT(recipe: Self.munit(.cR), setting: setting(64)),
          try NICEGAN(recipe: Self.nice(.c), setting: setting(64)),
          try NICEGAN(recipe: Self.nice(.ncR), setting: setting(64)),
        ]
      }
    }
    for (rough, exact) in zip(try methods(), try methods()) {
      let losses = [(rough, DType.bfloat16), (exact, .float32)].map { method, precision in
        method.step(
          StepContext(
            step: 0, imagesSeen: 0, images: images(1), precision: precision, seed: 2,
            layers: ["targets": images(2)]))
      }
      for (name, loss) in losses[1] where name.hasPrefix("loss") {
        let other = try #require(losses[0][name])
        #expect(other.dtype == .float32)
        #expect(abs(other.item() - loss.item()) < 0.1 * (0.1 + abs(loss.item())), "\(name)")
      }
    }
  }

  @Test func munitHasStyles() throws {
    let method = try MUNIT(recipe: Self.munit(.c), setting: setting(64))
    #expect(method.hasStyles)
    let one = method.translate(images(1), .random(seed: 1))
    #expect(!one.isIdentical(to: method.translate(images(1), .random(seed: 2))))
    let like = method.translate(images(1), .like(images(5)[0..<1]))
    let both = method.translate(images(1), .like(.cat([images(5)[0..<1], images(5)[0..<1]])))
    #expect(relativeError(like, both) < 1e-5)
    #expect(!like.isIdentical(to: method.translate(images(1), .like(images(6)[0..<1]))))
  }

  /// The encoder is the discriminator's: the generators' step leaves it alone.
  @Test func generatorsDoNotMoveTheEncoder() throws {
    let method = try NICEGAN(recipe: Self.nice(.c), setting: setting(64))
    let context = StepContext(step: 0, imagesSeen: 0, images: images(1), precision: .float32, seed: 2)
    let judges = method.host.discriminators.map(\.module)
    judges.forEach { $0.requireGradients(false) }
    method.host.play(DomainPair(a: images(1), b: images(2)), context).loss.value.backward()
    #expect(judges.flatMap(\.parameters).allSatisfy { $0.gradient == nil })
    #expect(method.host.generators.flatMap(\.module.parameters).allSatisfy { $0.gradient != nil })
  }

  @Test func imagesThatAreTooSmallGetOneLine() {
    let small = MethodSetting(
      shape: ImageShape(channels: 1, height: 32, width: 32), totalImages: 100)
    #expect(message { try UNIT(recipe: Self.unit(.c), setting: small) }.contains("2 or fewer"))
    #expect(message { try NICEGAN(recipe: Self.nice(.c), setting: small) }.contains("48 pixels or more"))
    #expect(
      message { try MUNIT(recipe: Self.munit(.c), setting: setting(66)) }.contains("multiples of 4"))
    var pooled = Self.munit(.c)
    pooled.pool = 50
    #expect(message { try MUNIT(recipe: pooled, setting: setting(64)) }.contains("'pool' is 50"))
  }

  private func message(_ body: () throws -> Any) -> String {
    do {
      _ = try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test func everyKeyHasAMeaning() throws {
    for recipe in [UNITRecipe.self, MUNITRecipe.self, NICEGANRecipe.self] as [any MethodRecipe.Type] {
      for key in recipe.keys {
        #expect(recipe.init().text(of: key.name) != "null" || key.meaning.contains("null"), "\(key.name)")
      }
    }
  }
}
