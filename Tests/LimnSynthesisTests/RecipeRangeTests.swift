// Values of the recipes that are accepted and refused, side by side.

import LimnSynthesis
import LimnTraining
import Testing

@Suite struct RecipeRangeTests {
  private let setting = MethodSetting(
    shape: ImageShape(channels: 1, height: 32, width: 32), totalImages: 1000)

  private static let tiny = [
    "sketch.width_max=4", "sketch.latent_size=4", "render.width=2", "render.discriminator_width=2",
  ]

  @Test(arguments: [
    "sketch.width_base=16", "sketch.width_max=1", "sketch.latent_size=1", "sketch.first_resolution=32",
    "sketch.fade_images=0", "sketch.batch_sizes=[3, 8]", "sketch.learning_rates=[1e-5]", "sketch.drift=0",
    "sketch.loss=gan", "render.width=1", "render.batch_size=1", "render.joint_weight=0",
    "render.normalization=batch", "extractor.kernel_size=1", "extractor.sigma=0.5", "extractor.sigma=null",
    "extractor.morphology=area", "extractor.field_of_view_threshold=0.08", "latent_code=ones",
  ])
  func accepted(setting text: String) throws {
    let recipe = try SkrGANRecipe.resolved(settings: Self.tiny + [text])
    _ = try SkrGAN(recipe: recipe, setting: setting)
  }

  @Test(arguments: [
    "sketch.width_base=15", "sketch.width_max=0", "sketch.latent_size=-4", "sketch.first_resolution=64",
    "sketch.first_resolution=5", "sketch.fade_images=-1", "sketch.stabilise_images=-1",
    "sketch.batch_sizes=[]", "sketch.batch_sizes=[6]", "sketch.batch_sizes=[0]",
    "sketch.learning_rates=[]", "sketch.learning_rates=[-1.0]", "sketch.learning_rates=[.nan]",
    "sketch.adam_beta1=1", "sketch.adam_beta2=-0.1", "sketch.gradient_penalty=-1", "sketch.drift=.inf",
    "sketch.average_decay=1", "sketch.loss=hinge", "render.width=0", "render.discriminator_width=0",
    "render.batch_size=0", "render.learning_rate=0", "render.l1_weight=-1", "render.joint_weight=.nan",
    "render.schedule=later", "extractor.kernel_size=4", "extractor.kernel_size=-1", "extractor.sigma=0",
    "extractor.element_size=2", "extractor.connectivity=4", "extractor.rim_width=-1",
    "extractor.field_of_view_threshold=2", "extractor.morphology=star", "latent_code=drawn",
  ])
  func refused(setting text: String) {
    let error = #expect(throws: RecipeError.self) {
      let recipe = try SkrGANRecipe.resolved(settings: Self.tiny + [text])
      _ = try SkrGAN(recipe: recipe, setting: setting)
    }
    let key = text.prefix { $0 != "=" }
    #expect(error?.description.contains("'\(key)'") == true, "\(error?.description ?? "no error")")
    #expect(error?.description.contains("\n") == false)
  }

  @Test func aRecipeOfItsOwnNamesItsKeysWithoutAGroup() throws {
    let recipe = try PGGANRecipe.resolved(settings: ["width_max=0"])
    let error = #expect(throws: RecipeError.self) { _ = try PGGAN(recipe: recipe, setting: setting) }
    #expect(error?.description == "recipe key 'width_max' is 0; expected 1 or more")
  }
}
