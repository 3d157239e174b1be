// "SkrGAN: Sketching-rendering Unconditional Generative Adversarial Networks for Medical Image Synthesis"
// Zhang, Fu, Zhao, Cheng, Guo, Gu, Yang, Xiao, Gao & Liu, MICCAI 2019, arXiv:1908.04346.
//
//   limn train skrgan --data chest-64 --images 200000 --set sketch.width_max=128 --set render.width=32

import LimnImaging
import LimnTorch
import LimnTraining
import LimnTranslation

/// Noise → sketch → image.
public final class SkrGAN: GenerativeMethod {
  /// Its name, paper and purpose.
  public static let about = MethodDescription(
    name: "skrgan", title: "Sketching-rendering GAN",
    paper: "Zhang et al., MICCAI 2019, arXiv:1908.04346",
    summary:
      "Draws a sketch from noise with a growing GAN, then renders it with pix2pix. Images come with their "
      + "sketches, which serve as labels of structure.")

  /// The sketch that each image was painted from.
  public static let companions = ["sketches"]

  /// With the lengths of the phases decided.
  public let recipe: SkrGANRecipe
  let sketching: GrowingAdversary<SketchGenerator>
  let rendering: RenderAdversary
  private var imagesSeen = 0

  /// Builds fresh networks for the images of `setting`.
  /// - Throws: `RecipeError` if the images are not squares of a power of two from 32 to 1024, or a value does
  ///   not fit.
  public init(recipe: SkrGANRecipe, setting: MethodSetting) throws {
    let recipe = try recipe.resolved(for: setting)
    self.recipe = recipe
    let size = setting.shape.height
    guard size >= PatchGANDiscriminator.minimumSize else {
      throw RecipeError(
        "the dataset's images are \(size)×\(size); the render network's PatchGAN needs at least "
          + "\(PatchGANDiscriminator.minimumSize). Import with a larger --size")
    }
    let sketchShape = ImageShape(channels: 1, height: size, width: size)
    sketching = try GrowingAdversary(recipe: recipe.sketch, shape: sketchShape) {
      SketchGenerator(
        resolution: size, width: recipe.sketch.width, latentSize: recipe.sketch.latentSize,
        latentCode: recipe.latentCode)
    }
    rendering = RenderAdversary(recipe: recipe.render, shape: setting.shape)
  }

  public var networks: [(name: String, module: Module)] {
    [
      ("sketch_generator", sketching.generator), ("sketch_discriminator", sketching.discriminator),
      ("sketch_average", sketching.average.average), ("render_generator", rendering.generator),
      ("render_discriminator", rendering.discriminator),
    ]
  }

  public var optimizers: [(name: String, optimizer: any Optimizer)] {
    [
      ("sketch_generator", sketching.generatorOptimizer),
      ("sketch_discriminator", sketching.discriminatorOptimizer),
      ("render_generator", rendering.generatorOptimizer),
      ("render_discriminator", rendering.discriminatorOptimizer),
    ]
  }

  public var counters: [String: Double] {
    get { ["phase": Double(sketching.phase), "images": Double(imagesSeen)] }
    set {
      sketching.phase = Int(newValue["phase"] ?? -1)
      imagesSeen = Int(newValue["images"] ?? 0)
    }
  }

  public func batchSize(imagesSeen: Int) -> Int {
    recipe.sketch.batchSize(stage: sketching.schedule.growth(images: imagesSeen).stage)
  }

  public func effort(images: Int) -> Double {
    sketching.schedule.effort(images: images) { stage in
      let waits = recipe.render.schedule == .frozen && stage < sketching.schedule.lastStage
      let share = Double(recipe.render.batchSize) / Double(recipe.sketch.batchSize(stage: stage))
      return sketching.products(stage: stage) + (waits ? 0 : min(1, share) * rendering.products)
    }
  }

  /// L = L_sketch(G1, D1) + L_render(G2, D2) (eq. 3).
  public func step(_ context: StepContext) -> [String: Tensor] {
    imagesSeen = context.imagesSeen + context.images.size(0)
    let growth = sketching.schedule.growth(images: context.imagesSeen)
    let isGrown = growth.stage == sketching.schedule.lastStage && growth.alpha == 1
    let sketches = recipe.extractor(context.images)  // [N, 1, S, S]
    guard isGrown || recipe.render.schedule != .frozen else {
      return sketching.step(sketches, context: context)
    }
    let count = min(recipe.render.batchSize, context.images.size(0))
    let pair = renderPair(sketches[0..<count], context.images[0..<count], growth)
    let objective = { [rendering] drawn in
      rendering.objective(sketches: pair.sketches, images: pair.images, drawn: drawn, context: context)
    }
    let joins = isGrown && recipe.render.jointWeight > 0
    return joins ? stepTogether(sketches, count, objective, context) : stepApart(sketches, objective, context)
  }

  private typealias RenderObjective = (_ drawn: Tensor?) -> (loss: Tensor, terms: [String: Tensor])

  /// The two parts share no weight and no graph.
  private func stepApart(
    _ sketches: Tensor, _ objective: RenderObjective, _ context: StepContext
  ) -> [String: Tensor] {
    let sketchLosses = sketching.step(sketches, context: context)
    let (loss, terms) = objective(nil)
    loss.backward()
    rendering.generatorOptimizer.step()
    return sketchLosses.merging(terms) { $1 }
  }

  /// One backward pass through both generators: the first `count` sketches drawn are rendered, and the
  /// render critic's verdict reaches the sketch generator.
  private func stepTogether(
    _ sketches: Tensor, _ count: Int, _ objective: @escaping RenderObjective, _ context: StepContext
  ) -> [String: Tensor] {
    var terms: [String: Tensor] = [:]
    let sketchLosses = sketching.step(sketches, context: context) { drawn in
      let render = objective(drawn[0..<count].to(.float32))
      terms = render.terms
      return render.loss
    }
    rendering.generatorOptimizer.step()
    return sketchLosses.merging(terms) { $1 }
  }

  /// What the render network trains on: the pair itself, or its coarse version while growing together.
  private func renderPair(
    _ sketches: Tensor, _ images: Tensor, _ growth: PGGANGrowth
  ) -> (sketches: Tensor, images: Tensor) {
    let factor = images.size(3) / growth.resolution
    guard recipe.render.schedule == .cogrowing, factor > 1 else { return (sketches, images) }
    let coarse = { interpolate(avgPool2d($0, factor), scale: Double(factor)) }
    return (coarse(sketches), coarse(images))
  }

  // MARK: - Drawing

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] {
    let drawn = (0..<36).map { generate(seed: Seed.derive(seed, $0), truncation: 1) }
    return [
      ("", Tensor.stack(drawn.map(\.image))),
      ("sketches", Tensor.stack(drawn.compactMap { $0.companions["sketches"] })),
    ]
  }

  public func generate(seed: UInt64, truncation: Double) -> GeneratedImage {
    draw(Latent(seed: seed, size: recipe.sketch.latentSize).values, truncation: truncation, renderSeed: seed)
  }

  public func walk(seeds: [UInt64], frames: Int, truncation: Double) -> [GeneratedImage] {
    Latent.path(seeds: seeds, frames: frames, size: recipe.sketch.latentSize).map {
      draw($0, truncation: truncation, renderSeed: seeds.first ?? 0)
    }
  }

  /// Sketch and render of a latent. The render's dropout, its only noise, follows `renderSeed`.
  private func draw(_ latent: Tensor, truncation: Double, renderSeed: UInt64) -> GeneratedImage {
    withoutGradients {
      let sketch = sketching.draw(latent, truncation: truncation, imagesSeen: imagesSeen)
      let noise = Generator(seed: Seed.derive(renderSeed, 0x5E), device: sketch.device)
      let image = rendering.generator(sketch, noise: noise)
      return GeneratedImage(image: image[0].to(.cpu), companions: ["sketches": sketch[0].to(.cpu)])
    }
  }
}
