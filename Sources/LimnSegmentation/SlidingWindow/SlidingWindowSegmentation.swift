// "Deep neural networks segment neuronal membranes in electron microscopy images"
// Ciresan, Giusti, Gambardella & Schmidhuber, NIPS 2012.
//
//   limn train sliding-window --data data/membranes --images 30000
//   limn train sliding-window --data data/membranes --images 5000 --set window=63 --set width=16 \
//     --set optimizer=adam --set learning_rate=0.001

import LimnImaging
import LimnTorch
import LimnTraining

/// Image → classes, a pixel at a time.
public final class SlidingWindowSegmentation: SegmentationMethod {
  /// Its name, paper and purpose.
  public static let about = MethodDescription(
    name: "sliding-window", title: "Sliding-window network", paper: "Ciresan et al., NIPS 2012",
    summary:
      "Learns to label a pixel from the window around it. U-Net's predecessor, to compare with: every pixel is "
      + "asked about by itself, which is slow.")

  /// Quarter turns and mirror images, since tissue has no upper side.
  public static func defaultAugmentation(for shape: ImageShape) -> String? { "quarter-turns, flip@0.5" }

  /// With everything decided.
  public let recipe: SlidingWindowRecipe
  public let labels: LabelSetting
  let network: SlidingWindowNetwork
  private let optimizer: any Optimizer
  private let targets: TrainingTargets

  /// Builds a fresh network for the images and classes of `setting`.
  /// - Throws: `RecipeError` if the dataset has no labels, or a value does not fit.
  public init(recipe: SlidingWindowRecipe, setting: MethodSetting) throws {
    self.recipe = try recipe.resolved(for: setting)
    labels = try setting.classes(ignoring: self.recipe.ignoreLabel)
    network = SlidingWindowNetwork(self.recipe.configuration(setting, classCount: labels.values.count))
    targets = TrainingTargets(
      labels: labels, weights: BorderWeights(w0: 0, balance: .none), ignoreLabel: self.recipe.ignoreLabel)
    optimizer = recipe.optimizer(
      network.namedParameters, learningRate: recipe.learningRate, momentum: recipe.momentum)
  }

  public var networks: [(name: String, module: Module)] { [("network", network)] }
  public var optimizers: [(name: String, optimizer: any Optimizer)] { [("optimizer", optimizer)] }
  public var counters: [String: Double] = [:]

  public func batchSize(imagesSeen: Int) -> Int { recipe.batchSize }

  public var trainingLayers: TrainingLayers {
    TrainingLayers(stored: ["labels"]) { [targets] in targets($0) }
  }

  // MARK: - The step

  public func step(_ context: StepContext) -> [String: Tensor] {
    guard let classes = context.layers["labels"], let weights = context.layers["weights"] else {
      preconditionFailure("a sliding window's step takes labels and weights")
    }
    let sampler = PatchSampler(
      window: recipe.window, count: recipe.patches, isBalanced: recipe.balanced)
    let drawn = sampler.draw(
      context.images, classes, weights, classCount: labels.values.count, context.generator(1))
    // Images without a pixel that counts teach nothing.
    guard let drawn else { return ["loss": Tensor(Float(0))] }
    let scores = context.autocast { network(drawn.windows) }.to(.float32)
    let loss = crossEntropy(scores, drawn.classes)
    optimizer.zeroGradients()
    loss.backward()
    optimizer.step()
    return ["loss": loss.detached()]
  }

  // MARK: - What it has learned

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  public var predictor: any TilePredictor { SlidingWindowPredictor(network) }

  /// The middle of each image, since whole images would take longer than the training between two sheets.
  public func examine(_ heldOut: [TrainingBatch]) -> Examination {
    SegmentationExamination(labels: labels, ignored: recipe.ignoreLabel, predictor: predictor, side: 32)
      .examine(heldOut)
  }
}
