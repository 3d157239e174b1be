// pix2pix and SkrGAN against plain PyTorch with the same weights (Benchmarks/reference, computed in float64).
// Tolerance: 1e-5 of each tensor's largest value.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import LimnTranslation
import Testing

@testable import LimnSynthesis

private let tolerance = 1e-5

private struct Pix2PixFixture {
  let values: [String: Tensor]
  let unet: UNetGenerator
  let patchGAN: PatchGANDiscriminator

  init(_ normalization: Pix2PixNormalization = .batch) throws {
    values = try Safetensors.read(fixture("synthesis/pix2pix.safetensors")).tensors
    unet = UNetGenerator(
      inputChannels: 1, outputChannels: 1, size: 32, width: 1, normalization: normalization)
    patchGAN = PatchGANDiscriminator(inputChannels: 2, width: 1, normalization: normalization)
    try unet.load(values, prefix: "unet.")
    try patchGAN.load(values, prefix: "patchgan.")
  }

  subscript(_ key: String) -> Tensor { values[key] ?? .full([], .nan) }
  var sketches: Tensor { self["sketches"].to(.float32) / 127.5 - 1 }
  var images: Tensor { self["images"].to(.float32) / 127.5 - 1 }
}

@Test func pix2pixMatchesPyTorch() throws {
  let fixture = try Pix2PixFixture()
  let fakes = fixture.unet(fixture.sketches, noise: nil)
  #expect(relativeError(fakes, fixture["output"]) < tolerance)
  let logits = fixture.patchGAN(condition: fixture.sketches, image: fixture.images)
  #expect(relativeError(logits, fixture["logits"]) < tolerance)
  let onFake = fixture.patchGAN(condition: fixture.sketches, image: fakes.detached())
  let discriminatorLoss = Pix2PixLoss.discriminator(real: logits, fake: onFake)
  #expect(relativeError(discriminatorLoss, fixture["d_loss"]) < tolerance)
  discriminatorLoss.backward()
  expectGradients(of: fixture.patchGAN, in: fixture.values, prefix: "d_gradient.", tolerance)
}

@Test func pix2pixGeneratorGradientsMatchPyTorch() throws {
  let fixture = try Pix2PixFixture()
  let fakes = fixture.unet(fixture.sketches, noise: nil)
  let verdict = fixture.patchGAN(condition: fixture.sketches, image: fakes)
  let adversarial = Pix2PixLoss.adversarial(verdict, isReal: true)
  let loss = adversarial + l1Loss(fakes, fixture.images) * 100
  #expect(relativeError(loss, fixture["g_loss"]) < tolerance)
  loss.backward()
  expectGradients(of: fixture.unet, in: fixture.values, prefix: "g_gradient.", tolerance)
}

@Test func pix2pixWithInstanceStatisticsMatchesPyTorch() throws {
  let fixture = try Pix2PixFixture(.instance)
  #expect(
    relativeError(fixture.unet(fixture.sketches, noise: nil)[0..<1], fixture["instance.output"]) < tolerance)
  let logits = fixture.patchGAN(condition: fixture.sketches, image: fixture.images)
  #expect(relativeError(logits, fixture["instance.logits"]) < tolerance)
}

@Test(arguments: [(3, 3, 54_413_955), (1, 3, 54_411_907), (1, 1, 54_407_809)])
func unetParameterCounts(inputs: Int, outputs: Int, count: Int) {
  #expect(UNetGenerator(inputChannels: inputs, outputChannels: outputs, size: 256).parameterCount == count)
}

@Test(arguments: [(6, 2_768_705), (4, 2_766_657)])
func patchGANParameterCounts(channels: Int, count: Int) {
  let network = PatchGANDiscriminator(inputChannels: channels)
  #expect(network.parameterCount == count)
  let half = Tensor.zeros([1, channels / 2, 256, 256])
  #expect(withoutGradients { network(condition: half, image: half) }.shape == [1, 1, 30, 30])
}

@Test func dropoutIsTheRenderersOnlyNoise() {
  let unet = UNetGenerator(inputChannels: 1, outputChannels: 1, size: 64, width: 4)
  let sketch = Tensor.rand([1, 1, 64, 64], generator: Generator(seed: 1))
  func render(_ noise: Generator?) -> Tensor { withoutGradients { unet(sketch, noise: noise) } }
  #expect(render(Generator(seed: 1)).isIdentical(to: render(Generator(seed: 1))))
  #expect(!render(Generator(seed: 1)).isIdentical(to: render(Generator(seed: 2))))
  #expect(render(nil).isIdentical(to: render(nil)))
}

@Test func sketchNetworksOfSkrGANMatchPyTorch() throws {
  let values = try Safetensors.read(fixture("synthesis/skrgan.safetensors")).tensors
  var recipe = PGGANRecipe()
  (recipe.widthBase, recipe.widthMax, recipe.latentSize, recipe.firstResolution) = (32, 4, 4, 32)
  let adversary = try GrowingAdversary(recipe: recipe, shape: ImageShape(channels: 1, height: 32, width: 32))
  {
    SketchGenerator(
      resolution: 32, width: PGGANWidth(base: 32, max: 4), latentSize: 4, latentCode: .learned)
  }
  try adversary.generator.load(values, prefix: "g1.")
  try adversary.discriminator.load(values, prefix: "d1.")
  let sketches = try #require(values["sketches"]).to(.float32) / 127.5 - 1
  let growth = PGGANGrowth(stage: 3)
  let context = StepContext(step: 0, imagesSeen: 0, images: sketches, precision: .float32, seed: 0)
  let fakes = withoutGradients { adversary.generator(values["z_d"] ?? sketches, growth: growth) }
  let mixing = try #require(values["u"]).reshaped([4, 1, 1, 1])
  let (loss, terms) = adversary.discriminatorLoss(
    reals: sketches, fakes: fakes, mixing: mixing, growth: growth, context: context)
  #expect(relativeError(loss, values["step0.sketch.d_loss"] ?? sketches) < tolerance)
  #expect(
    relativeError(terms["penalty"] ?? loss, values["step0.sketch.gradient_penalty"] ?? sketches) < tolerance)
}

// MARK: - The method

func tinySkrGAN(channels: Int = 1, _ change: (inout SkrGANRecipe) -> Void = { _ in }) throws -> SkrGAN {
  var recipe = SkrGANRecipe()
  (recipe.sketch.widthBase, recipe.sketch.widthMax, recipe.sketch.latentSize) = (64, 4, 4)
  (recipe.sketch.stabiliseImages, recipe.sketch.fadeImages, recipe.sketch.batchSizes) = (4, 4, [4])
  (recipe.render.width, recipe.render.discriminatorWidth) = (2, 2)
  change(&recipe)
  return try Initialization.with(Generator(seed: 1)) {
    try SkrGAN(
      recipe: recipe,
      setting: MethodSetting(shape: ImageShape(channels: channels, height: 32, width: 32), totalImages: 60))
  }
}

func runSteps(_ method: any Method, _ count: Int, channels: Int = 1) -> [String: Tensor] {
  let images = Tensor.rand([4, channels, 32, 32], generator: Generator(seed: 2)) * 2 - 1
  var losses: [String: Tensor] = [:]
  for step in 0..<count {
    losses = method.step(
      StepContext(step: step, imagesSeen: step * 4, images: images, precision: .float32, seed: 3))
  }
  return losses
}

@Test(arguments: LatentCode.allCases, RenderSchedule.allCases)
func skrganTrainsWithEveryOption(code: LatentCode, schedule: RenderSchedule) throws {
  let method = try tinySkrGAN { recipe in
    recipe.latentCode = code
    recipe.render.schedule = schedule
    recipe.render.jointWeight = 1
  }
  let losses = runSteps(method, 8)
  #expect(losses.values.allSatisfy { $0.item().isFinite })
  #expect(losses["growth_resolution"]?.item() == 32)
  #expect(losses["loss_render_l1"] != nil)
}

@Test func theRenderNetworkWaitsWhereItIsFrozen() throws {
  let method = try tinySkrGAN { $0.render.schedule = .frozen }
  let before = method.rendering.generator.stateDict.mapValues { $0.cloned() }
  #expect(runSteps(method, 3)["loss_render_l1"] == nil)
  let after = method.rendering.generator.stateDict
  #expect(before.allSatisfy { key, tensor in after[key]?.isIdentical(to: tensor) == true })
}

@Test func theLatentCodeLearns() throws {
  let method = try tinySkrGAN()
  _ = runSteps(method, 3)
  let code = try #require(method.sketching.generator.latentCode)
  #expect((code - 1).abs().max().item() > 0)
}

@Test func theJointTermReachesTheSketchGenerator() throws {
  let joint = try tinySkrGAN { recipe in
    recipe.sketch.firstResolution = 32
    recipe.render.jointWeight = 1
  }
  let apart = try tinySkrGAN { recipe in
    recipe.sketch.firstResolution = 32
    recipe.render.jointWeight = 0
  }
  _ = runSteps(joint, 1)
  _ = runSteps(apart, 1)
  let weights = [joint, apart].map { $0.sketching.generator.stateDict["generator.conv0.weight"] }
  #expect(weights[0]?.isIdentical(to: try #require(weights[1])) == false)
}

@Test func anImageDependsOnItsSeedAlone() throws {
  let method = try tinySkrGAN()
  let first = method.generate(seed: 11, truncation: 1)
  _ = method.generate(seed: 12, truncation: 1)
  let again = method.generate(seed: 11, truncation: 1)
  #expect(first.image.isIdentical(to: again.image))
  #expect(first.image.shape == [1, 32, 32])
  #expect(first.companions["sketches"]?.shape == [1, 32, 32])
  #expect(!first.image.isIdentical(to: method.generate(seed: 12, truncation: 1).image))
}

@Test func truncationPullsTowardsTheMean() throws {
  let method = try tinySkrGAN { $0.sketch.firstResolution = 32 }
  func spread(_ truncation: Double) -> Double {
    let sketches = (0..<8).compactMap {
      method.generate(seed: $0, truncation: truncation).companions["sketches"]
    }
    return Tensor.stack(sketches).std(dims: [0]).mean().item()
  }
  #expect(spread(0) < 1e-6)
  #expect(spread(0.5) < spread(1))
}

@Test func walksVisitTheirEnds() throws {
  let method = try tinySkrGAN { $0.sketch.firstResolution = 32 }
  let walk = method.walk(seeds: [1, 2, 3], frames: 4, truncation: 1)
  #expect(walk.count == 9)
  let ends = [1, 2, 3].map { method.generate(seed: $0, truncation: 1).companions["sketches"] }
  for (index, end) in ends.enumerated() {
    let found = try #require(walk[index * 4].companions["sketches"])
    #expect(relativeError(found, try #require(end)) < 1e-5)
  }
}

@Test func colourImagesHaveGraySketches() throws {
  let method = try tinySkrGAN(channels: 3) { $0.extractor.channel = .green }
  #expect(runSteps(method, 8, channels: 3).values.allSatisfy { $0.item().isFinite })
  let drawn = method.generate(seed: 1, truncation: 1)
  #expect(drawn.image.shape == [3, 32, 32])
  #expect(drawn.companions["sketches"]?.shape == [1, 32, 32])
}

@Test(arguments: [8, 16])
func cohortsAreDatasetsThatDrawAgain(bits: Int) throws {
  try withTemporaryFolder { folder in
    let method = try tinySkrGAN()
    let url = folder.appendingPathComponent("cohort")
    let shape = ImageShape(channels: 1, height: 32, width: 32)
    let cohort = SyntheticCohort(count: 3, seed: 7, bitDepth: bits)
    try cohort.write(method, shape: shape, source: "test", to: url)
    let dataset = try Dataset.open(url)
    #expect(dataset.manifest.synthetic)
    #expect(dataset.bitDepth == bits)
    #expect(dataset.layerNames.sorted() == ["images", "sketches"])
    let seed = try #require(dataset.manifest.items[2].seed)
    let again = method.generate(seed: seed, truncation: 1).image.quantized(bitDepth: bits)
    #expect(try dataset.layer("images")[2].isIdentical(to: again))
  }
}

/// Sketches are the labels of their own renders where that is asked for.
@Test func sketchesBecomeLabels() throws {
  try withTemporaryFolder { folder in
    let (method, shape) = (try tinySkrGAN(), ImageShape(channels: 1, height: 32, width: 32))
    let label = try #require(SketchLabel("vessel=0.4"))
    let url = folder.appendingPathComponent("cohort")
    try SyntheticCohort(count: 3, sketchLabel: label).write(method, shape: shape, source: "test", to: url)
    let dataset = try Dataset.open(url)
    #expect(dataset.manifest.classes == [LabelClass(name: "vessel", value: 1)])
    let labels = try dataset.layer("labels")
    let share = labels.to(.float32).mean().item()
    #expect(labels.shape == [3, 32, 32] && share > 0 && share < 1)
    let bright = try dataset.layer("sketches").to(.float32) / 255
    #expect(
      labels.isEqual(to: bright[.all, 0].isGreater(than: 0.4).to(.uint8)).to(.float32).mean().item() > 0.99)
  }
  for text in ["vessel", "=0.4", "vessel=1", "vessel=-1", "vessel=x", "a=0.1=b"] {
    #expect(SketchLabel(text) == nil)
  }
}

@Test func theRenderNetworkCostsNothingWhileItIsFrozen() throws {
  let frozen = try tinySkrGAN { $0.render.schedule = .frozen }
  let staged = try tinySkrGAN()
  let grown = frozen.sketching.schedule.grownAfter
  #expect(frozen.effort(images: 4) < staged.effort(images: 4))
  let last = [frozen, staged].map { $0.effort(images: grown + 8) - $0.effort(images: grown) }
  #expect(abs(last[0] - last[1]) < 1e-6 * last[0])
}

@Test func theCriticSeesRendersOfGeneratedSketches() throws {
  let critics = try [0.0, 1].map { weight in
    let method = try tinySkrGAN { recipe in
      recipe.sketch.firstResolution = 32
      recipe.render.jointWeight = weight
    }
    _ = runSteps(method, 1)
    return try #require(method.rendering.discriminator.stateDict["layers.0.conv.weight"]).cloned()
  }
  #expect(!critics[0].isIdentical(to: critics[1]))
}
