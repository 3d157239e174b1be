// PGGAN against plain PyTorch with the same weights (Benchmarks/reference/pggan.py, computed in float64):
// images, logits, losses, gradients of first and second order, and the weights after two steps.
// Tolerance: 1e-5 of each tensor's largest value; float32 itself is within 5e-6 of the stored values.

import Foundation
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSynthesis

private let tolerance = 1e-5

/// The fixture's networks, latents and images.
struct PGGANFixture {
  let values: [String: Tensor]
  let adversary: GrowingAdversary<PGGANGenerator>

  init(penaltyAtFinalSize: Bool = false) throws {
    values = try Safetensors.read(fixture("synthesis/pggan.safetensors")).tensors
    var recipe = PGGANRecipe()
    (recipe.widthBase, recipe.widthMax, recipe.latentSize) = (32, 8, 8)
    recipe.penaltyAtFinalSize = penaltyAtFinalSize
    adversary = try GrowingAdversary(recipe: recipe, shape: ImageShape(channels: 1, height: 16, width: 16)) {
      PGGANGenerator(resolution: 16, channels: 1, width: PGGANWidth(base: 32, max: 8), latentSize: 8)
    }
    try adversary.generator.load(values, prefix: "generator.")
    try adversary.discriminator.load(values, prefix: "discriminator.")
  }

  subscript(_ key: String) -> Tensor { values[key] ?? .full([], .nan) }

  var reals: Tensor { self["reals"].to(.float32) / 127.5 - 1 }

  /// Reals at a stage, averaged and faded as the reference does.
  func reals(_ growth: PGGANGrowth) -> Tensor {
    let factor = 16 / growth.resolution
    let small = factor > 1 ? avgPool2d(reals, factor) : reals
    guard growth.alpha < 1 else { return small }
    return Tensor.lerp(interpolate(avgPool2d(small, 2), scale: 2), small, weight: growth.alpha)
  }

  var context: StepContext {
    StepContext(step: 0, imagesSeen: 0, images: reals, precision: .float32, seed: 0)
  }

  func discriminatorLoss(_ growth: PGGANGrowth) -> (loss: Tensor, terms: [String: Tensor]) {
    let fakes = withoutGradients { adversary.generator(self["z_d"], growth: growth) }
    return adversary.discriminatorLoss(
      reals: reals(growth), fakes: fakes, mixing: self["u"].reshaped([8, 1, 1, 1]), growth: growth,
      context: context)
  }
}

let growths = [
  ("stage0.alpha1", PGGANGrowth(stage: 0)), ("stage1.alpha0.4", PGGANGrowth(stage: 1, alpha: 0.4)),
  ("stage2.alpha0", PGGANGrowth(stage: 2, alpha: 0)), ("stage2.alpha0.4", PGGANGrowth(stage: 2, alpha: 0.4)),
  ("stage2.alpha1", PGGANGrowth(stage: 2)),
]

@Test(arguments: growths)
func pgganForwardMatchesPyTorch(key: String, growth: PGGANGrowth) throws {
  let fixture = try PGGANFixture()
  let images = fixture.adversary.generator(fixture["z_d"], growth: growth)
  #expect(relativeError(images[0..<2], fixture["\(key).images"]) < tolerance)
  let real = fixture.adversary.discriminator(fixture.reals(growth), growth: growth)
  #expect(relativeError(real, fixture["\(key).real_logits"]) < tolerance)
  let both = fixture.adversary.discriminator(
    Tensor.cat([fixture.reals(growth), images]), growth: growth, sets: 2)
  #expect(relativeError(both[8...], fixture["\(key).fake_logits"]) < tolerance)
}

@Test(arguments: growths)
func pgganLossesMatchPyTorch(key: String, growth: PGGANGrowth) throws {
  let fixture = try PGGANFixture()
  let (loss, terms) = fixture.discriminatorLoss(growth)
  #expect(relativeError(loss, fixture["\(key).d_loss"]) < tolerance)
  #expect(relativeError(terms["penalty"] ?? loss, fixture["\(key).gradient_penalty"]) < tolerance)
  #expect(relativeError(terms["penalty_drift"] ?? loss, fixture["\(key).drift"]) < tolerance)
  let generatorLoss = fixture.adversary.generatorLoss(
    fixture.adversary.generator(fixture["z_g"], growth: growth), growth: growth, context: fixture.context)
  #expect(relativeError(generatorLoss, fixture["\(key).g_loss"]) < tolerance)
}

@Test(arguments: growths)
func pgganPenaltyAtFinalSizeMatchesPyTorch(key: String, growth: PGGANGrowth) throws {
  let fixture = try PGGANFixture(penaltyAtFinalSize: true)
  let penalty = try #require(fixture.discriminatorLoss(growth).terms["penalty"])
  #expect(relativeError(penalty, fixture["\(key).enlarged_gradient_penalty"]) < tolerance)
}

@Test func pgganGradientsMatchPyTorch() throws {
  let fixture = try PGGANFixture()
  let growth = PGGANGrowth(stage: 2, alpha: 0.4)
  fixture.discriminatorLoss(growth).loss.backward()
  expectGradients(of: fixture.adversary.discriminator, in: fixture.values, prefix: "d_gradient.", tolerance)
  let drawn = fixture.adversary.generator(fixture["z_g"], growth: growth)
  fixture.adversary.generatorLoss(drawn, growth: growth, context: fixture.context).backward()
  expectGradients(of: fixture.adversary.generator, in: fixture.values, prefix: "g_gradient.", tolerance)
}

/// Every stored gradient within the tolerance of its largest value, or of a hundredth of the largest of all:
/// a last bias, say, is the small difference of large sums, and keeps their rounding.
func expectGradients(
  of module: Module, in values: [String: Tensor], prefix: String, _ tolerance: Double,
  _ location: SourceLocation = #_sourceLocation
) {
  let stored = values.filter { $0.key.hasPrefix(prefix) }
  #expect(!stored.isEmpty, sourceLocation: location)
  let largest = stored.values.map { $0.abs().max().item() }.max() ?? 0
  for (name, parameter) in module.namedParameters {
    guard let expected = stored[prefix + name] else { continue }
    let difference = ((parameter.gradient ?? parameter.zerosLike()) - expected).abs().max().item()
    let scale = max(expected.abs().max().item(), largest / 100)
    #expect(difference < tolerance * scale, "\(prefix)\(name)", sourceLocation: location)
  }
}

// MARK: - What the paper fixes

@Test(arguments: [
  (512, 3, 23_072_120, 23_080_225), (512, 1, 23_067_048, 23_075_169), (256, 1, 23_039_303, 23_047_361),
  (1024, 3, 23_079_115, 23_087_249),
])
func pgganParameterCounts(resolution: Int, channels: Int, generator: Int, discriminator: Int) {
  #expect(PGGANGenerator(resolution: resolution, channels: channels).parameterCount == generator)
  #expect(PGGANDiscriminator(resolution: resolution, channels: channels).parameterCount == discriminator)
}

@Test func pgganScheduleFollowsTheSheet() {
  let schedule = PGGANSchedule(lastStage: 7)
  #expect(schedule.growth(images: 0) == PGGANGrowth(stage: 0))
  #expect(schedule.growth(images: 599_999) == PGGANGrowth(stage: 0))
  // lod falls by 1/600,000 with each image of a fade.
  #expect(schedule.growth(images: 900_000) == PGGANGrowth(stage: 1, alpha: 0.5))
  #expect(schedule.growth(images: 1_200_000) == PGGANGrowth(stage: 1))
  #expect(schedule.growth(images: 8_400_000) == PGGANGrowth(stage: 7))
  #expect(schedule.growth(images: 12_000_000) == PGGANGrowth(stage: 7))
  #expect(schedule.grownAfter == 8_400_000)
}

@Test(arguments: [4, 8, 16, 32, 64, 128, 256, 512, 1024], [1, 3])
func pgganWorksAtEverySize(resolution: Int, channels: Int) {
  let width = PGGANWidth(base: 64, max: 4)
  let generator = PGGANGenerator(resolution: resolution, channels: channels, width: width, latentSize: 4)
  let discriminator = PGGANDiscriminator(resolution: resolution, channels: channels, width: width)
  withoutGradients {
    let images = generator(.randn([1, 4], generator: Generator(seed: 1)))
    #expect(images.shape == [1, channels, resolution, resolution])
    let growth = PGGANGrowth(stage: resolution.trailingZeroBitCount - 2)
    #expect(discriminator(images, growth: growth).shape == [1])
  }
}

@Test func adamForgetsWhenAFadeBeginsOrEnds() throws {
  var recipe = PGGANRecipe()
  (recipe.widthBase, recipe.widthMax, recipe.latentSize) = (16, 4, 4)
  (recipe.stabiliseImages, recipe.fadeImages, recipe.batchSizes) = (8, 8, [4])
  let method = try PGGAN(
    recipe: recipe,
    setting: MethodSetting(shape: ImageShape(channels: 1, height: 8, width: 8), totalImages: 32))
  let images = Tensor.rand([4, 1, 8, 8], generator: Generator(seed: 1)) * 2 - 1
  let counts = (0..<7).map { step in
    _ = method.step(
      StepContext(step: step, imagesSeen: step * 4, images: images, precision: .float32, seed: 0))
    return Int(
      method.adversary.generatorOptimizer.state["generator.conv0.weight/step"]?.item()
        ?? method.adversary.generatorOptimizer.state["conv0.weight/step"]?.item() ?? -1)
  }
  // Images 0–8 stabilise 4×4; at 8 a fade would have weight 0, so it begins at 12; 16 ends it.
  #expect(counts == [1, 2, 3, 1, 1, 2, 3])
}

@Test func recipesRefuseWhatCannotGrow() {
  let setting = MethodSetting(shape: ImageShape(channels: 1, height: 48, width: 48), totalImages: 100)
  #expect(throws: RecipeError.self) { try PGGAN(recipe: PGGANRecipe(), setting: setting) }
  var recipe = PGGANRecipe()
  recipe.batchSizes = [6]
  let square = MethodSetting(shape: ImageShape(channels: 1, height: 8, width: 8), totalImages: 100)
  #expect(throws: RecipeError.self) { try PGGAN(recipe: recipe, setting: square) }
}

@Test(arguments: [0, 1, 7, 10, 19, 20, 33, 60, 100])
func theEffortOfARunIsTheSumOverItsImages(images: Int) {
  let schedule = PGGANSchedule(firstStage: 1, lastStage: 3, stabiliseImages: 7, fadeImages: 12)
  let cost = { (stage: Int) in pow(10, Double(stage)) }
  let sum = (0..<images).reduce(0) { $0 + cost(schedule.growth(images: $1).stage) }
  // The first image of a fade is shown by the old networks.
  let fades = [7, 26].filter { $0 < images }.map { cost($0 == 7 ? 2 : 3) - cost($0 == 7 ? 1 : 2) }
  #expect(schedule.effort(images: images, cost: cost) == sum + fades.reduce(0, +))
}

@Test func productsAreThoseOfTheConvolutions() {
  let width = PGGANWidth(base: 64, max: 4)
  // 4×4 and 8×8, all of 4 channels: the first layer counts as if it doubled an image, too.
  #expect(width.products(stage: 1) == Double((16 + 64) * 4 * 4 * (4 + 9)))
}
