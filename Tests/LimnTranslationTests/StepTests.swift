// Training steps of the translation mechanism in all modes against plain PyTorch, both in float64: losses and gradients.
// Tolerance: 1e-5 of each tensor's largest value, or of a thousandth of its network's largest gradient where
// normalisation cancels it. (In float32 PyTorch itself differs from float64 by up to 5e-3 in that measure.)

import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct TranslationStepTests {
  private static let weights = try? Safetensors.read(fixture("translation/step_weights.safetensors")).tensors
  private static let steps = try? Safetensors.read(fixture("translation/steps.safetensors")).tensors
  private static let pairs = try? Safetensors.read(fixture("translation/pix2pix_step.safetensors")).tensors

  private func setting(_ side: Int = 32) -> MethodSetting {
    MethodSetting(shape: ImageShape(channels: 1, height: side, width: side), totalImages: 100)
  }

  private func regGAN(_ mode: TranslationMode) throws -> RegGAN {
    var recipe = RegGANRecipe()
    (recipe.mode, recipe.width, recipe.blocks, recipe.discriminatorWidth) = (mode, 2, 1, 2)
    recipe.registration.width = 2
    return try RegGAN(recipe: recipe, setting: setting())
  }

  private func context(_ values: [String: Tensor]?) throws -> StepContext {
    StepContext(
      step: 0, imagesSeen: 0, images: try #require(values?["a"]).to(.float64), precision: .float32, seed: 1,
      layers: ["targets": try #require(values?["b"]).to(.float64)])
  }

  /// Loads the weights that the method has networks for.
  private func load(_ method: any Method, _ values: [String: Tensor]?) throws {
    for (name, module) in method.networks where !module.parameters.isEmpty {
      try module.load(#require(values), prefix: "\(name).")
      module.convert(to: .float64)
    }
  }

  private func expect(
    _ method: any Method, _ terms: [String: Tensor], _ expected: [String: Tensor], _ name: String
  ) throws {
    var compared = 0
    for (key, value) in expected where key.hasPrefix("loss") {
      let term = try #require(terms[key], "\(name) \(key)")
      #expect(relativeError(term, value) < 1e-5, "\(name) \(key)")
      compared += 1
    }
    #expect(compared == terms.keys.filter { $0.hasPrefix("loss") }.count)
    for (network, module) in method.networks where !network.hasPrefix("pool") {
      let gradients = module.namedParameters.compactMap { entry in
        expected["gradient/\(network).\(entry.key)"].map { (entry.key, entry.parameter.gradient, $0) }
      }
      let largest: Double = gradients.map { $0.2.abs().max().item() }.max() ?? 0
      for (key, gradient, expected) in gradients {
        let gradient = try #require(gradient, "\(name) \(network).\(key)")
        let own: Double = expected.abs().max().item()
        let error: Double = (gradient - expected).abs().max().item()
        #expect(error < 1e-5 * max(own, largest / 1000), "\(name) \(network).\(key)")
      }
    }
  }

  @Test(arguments: TranslationMode.allCases)
  func stepsOfRegGANAreThoseOfPyTorch(mode: TranslationMode) throws {
    let method = try regGAN(mode)
    try load(method, Self.weights)
    let terms = method.step(try context(Self.weights))
    try expect(method, terms, part(mode.rawValue), mode.rawValue)
    #expect((terms["flow_pixels"] != nil) == mode.registers)
  }

  @Test func aStepOfCycleGANIsThatOfPyTorch() throws {
    var recipe = CycleGANRecipe()
    (recipe.width, recipe.blocks, recipe.discriminatorWidth) = (2, 1, 2)
    let method = try CycleGAN(recipe: recipe, setting: setting())
    try load(method, Self.weights)
    try expect(method, method.step(try context(Self.weights)), part("cyclegan"), "cyclegan")
  }

  @Test func aStepOfRegGANsPix2PixIsThatOfPyTorch() throws {
    var recipe = Pix2PixRecipe()
    (recipe.generator, recipe.normalization, recipe.loss) = (.resnet, .instance, .lsgan)
    (recipe.averagesPatches, recipe.halvesDiscriminator) = (true, false)
    (recipe.width, recipe.blocks, recipe.discriminatorWidth) = (2, 1, 2)
    let method = try Pix2Pix(recipe: recipe, setting: setting())
    try load(method, Self.pairs)
    try expect(method, method.step(try context(Self.pairs)), try #require(Self.pairs), "pix2pix")
  }

  private func part(_ mode: String) throws -> [String: Tensor] {
    let all = try #require(Self.steps).filter { $0.key.hasPrefix("\(mode)/") }
    return Dictionary(uniqueKeysWithValues: all.map { (String($0.key.dropFirst(mode.count + 1)), $0.value) })
  }

  // MARK: - Properties

  @Test func fakesOfTheUpdatedGeneratorAreAnotherKey() throws {
    let usual = try regGAN(.ncR)
    var recipe = usual.recipe
    recipe.registration.freshFakes = true
    let fresh = try RegGAN(recipe: recipe, setting: setting())
    for method in [usual, fresh] { try load(method, Self.weights) }
    let context = try context(Self.weights)
    let (a, b) = (usual.step(context), fresh.step(context))
    let keys = ["loss_g_b", "loss_r_correction", "loss_r_smoothness"]
    for key in keys { #expect(a[key]?.item() == b[key]?.item()) }
    #expect(a["loss_d_b"]?.item() != b["loss_d_b"]?.item())
    #expect(fresh.counters.isEmpty && usual.counters == ["pooled": 2])
  }

  @Test func registrationLearnsToUndoAShift() throws {
    // A is B moved by three columns; the generator is held at the identity by the anchor's absence and its own start, so
    // what falls is the correction.
    let generator = Generator(seed: 5)
    let rough = Tensor.randn([1, 1, 8, 8], generator: generator)
    let b = interpolate(rough, size: [32, 32], mode: .bicubic).clamped(min: -1, max: 1)
    let moved = b.rolled([3], dims: [3])
    let network = Initialization.with(Generator(seed: 6)) {
      RegistrationNetwork(inputChannels: 2, size: [32, 32], width: 8)
    }
    let optimizer = Adam(network.namedParameters, learningRate: 1e-3)
    func error() -> Tensor {
      let flow = network(.cat([moved, b], dim: 1))
      return l1Loss(SpatialTransformer.warp(moved, by: flow), b) * 20 + SpatialTransformer.roughness(flow)
        * 10
    }
    let before: Double = error().item()
    for _ in 0..<120 {
      optimizer.zeroGradients()
      error().backward()
      optimizer.step()
    }
    let flow = network(.cat([moved, b], dim: 1))
    #expect(error().item() < 0.4 * before)
    // The image lies three columns to the right of where it should be.
    let columns: Double = flow[.all, 1].mean().item()
    #expect(columns > 1.5 && columns < 4)
  }

  @Test func linearRatesFallInTheSecondHalf() {
    #expect(TranslationSchedule.linear.factor(images: 49, of: 100) == 1)
    #expect(abs(TranslationSchedule.linear.factor(images: 75, of: 100) - 0.5) < 1e-12)
    #expect(TranslationSchedule.halving.factor(images: 25, of: 100) == 0.25)
    #expect(TranslationSchedule.constant.factor(images: 99, of: 100) == 1)
  }
}
