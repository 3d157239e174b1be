// "Progressive Growing of GANs for Improved Quality, Stability, and Variation"
// Karras, Aila, Laine & Lehtinen, ICLR 2018, arXiv:1710.10196.
//
//   limn train pggan --data chest-64 --images 200000 --set width_max=128

import LimnTorch
import LimnTraining

/// Noise → image, growing from 4×4 to the dataset's size.
public final class PGGAN: GenerativeMethod {
  /// Its name, paper and purpose.
  public static let about = MethodDescription(
    name: "pggan", title: "Progressive Growing of GANs",
    paper: "Karras, Aila, Laine & Lehtinen, ICLR 2018, arXiv:1710.10196",
    summary:
      "Draws images from noise. Generator and critic begin at 4×4 pixels and grow to the dataset's size.")

  /// None.
  public static let companions: [String] = []

  /// With the lengths of the phases decided.
  public let recipe: PGGANRecipe
  let adversary: GrowingAdversary<PGGANGenerator>

  /// Builds fresh networks for the images of `setting`.
  /// - Throws: `RecipeError` if the images are not squares of a power of two, 4 to 1024, or a value does not
  ///   fit.
  public init(recipe: PGGANRecipe, setting: MethodSetting) throws {
    let recipe = try recipe.resolved(for: setting)
    self.recipe = recipe
    adversary = try GrowingAdversary(recipe: recipe, shape: setting.shape) {
      PGGANGenerator(
        resolution: setting.shape.height, channels: setting.shape.channels, width: recipe.width,
        latentSize: recipe.latentSize)
    }
  }

  public var networks: [(name: String, module: Module)] {
    [
      ("generator", adversary.generator), ("discriminator", adversary.discriminator),
      ("average", adversary.average.average),
    ]
  }

  public var optimizers: [(name: String, optimizer: any Optimizer)] {
    [("generator", adversary.generatorOptimizer), ("discriminator", adversary.discriminatorOptimizer)]
  }

  public var counters: [String: Double] {
    get { ["phase": Double(adversary.phase), "images": Double(imagesSeen)] }
    set {
      adversary.phase = Int(newValue["phase"] ?? -1)
      imagesSeen = Int(newValue["images"] ?? 0)
    }
  }

  /// For previews, which show the present resolution.
  private var imagesSeen = 0

  public func batchSize(imagesSeen: Int) -> Int {
    recipe.batchSize(stage: adversary.schedule.growth(images: imagesSeen).stage)
  }

  public func effort(images: Int) -> Double {
    adversary.schedule.effort(images: images, cost: adversary.products)
  }

  public func step(_ context: StepContext) -> [String: Tensor] {
    imagesSeen = context.imagesSeen + context.images.size(0)
    return adversary.step(context.images, context: context)
  }

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] {
    let images = (0..<36).map { generate(seed: Seed.derive(seed, $0), truncation: 1).image }
    return [("", Tensor.stack(images))]
  }

  public func generate(seed: UInt64, truncation: Double) -> GeneratedImage {
    GeneratedImage(image: draw(Latent(seed: seed, size: recipe.latentSize).values, truncation: truncation))
  }

  public func walk(seeds: [UInt64], frames: Int, truncation: Double) -> [GeneratedImage] {
    Latent.path(seeds: seeds, frames: frames, size: recipe.latentSize).map {
      GeneratedImage(image: draw($0, truncation: truncation))
    }
  }

  /// The image of a latent: [C, H, W].
  private func draw(_ latent: Tensor, truncation: Double) -> Tensor {
    adversary.draw(latent, truncation: truncation, imagesSeen: imagesSeen)[0].to(.cpu)
  }
}
