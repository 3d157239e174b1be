// A translation method that follows a given function, whose results are known exactly.

import LimnImaging
import LimnTorch
import LimnTraining

@testable import LimnTranslation

final class MadeTranslation: TranslationMethod {
  static let about = MethodDescription(name: "made", title: "Made", paper: "none", summary: "For tests.")
  let recipe: RegGANRecipe
  let pairShape: PairShape
  var counters: [String: Double] = [:]
  var hasStyles = false
  var registration: RegistrationNetwork?
  var drift: DriftMeter?
  /// What becomes of [N, C, H, W].
  var drawing: (Tensor, TranslationStyle) -> Tensor = { images, _ in images }
  /// A network that stands for a generator.
  var generator: Module = Sequential([])
  /// The shapes that were drawn.
  private(set) var shapes: [[Int]] = []

  init(recipe: RegGANRecipe, setting: MethodSetting) throws {
    self.recipe = recipe
    pairShape = PairShape(source: setting.shape, targetChannels: 1)
  }

  func recentring(size: [Int]) -> Tensor? { drift?.displacement(size: size) }

  var networks: [(name: String, module: Module)] {
    [("generator_b", generator)] + (registration.map { [("registration", $0)] } ?? [])
  }
  var optimizers: [(name: String, optimizer: any Optimizer)] { [] }
  func batchSize(imagesSeen: Int) -> Int { 1 }
  func step(_ context: StepContext) -> [String: Tensor] { [:] }
  func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor {
    shapes.append(images.shape)
    return drawing(images, style)
  }
}
