// "U-Net: Convolutional Networks for Biomedical Image Segmentation"
// Ronneberger, Fischer & Brox, MICCAI 2015, arXiv:1505.04597.
//
//   limn train unet --data data/cells --images 30000
//   limn train unet --data data/hearts --images 40000 --set width=32 --set padding=same --set optimizer=adam \
//     --set learning_rate=0.0003 --set loss=dice_cross_entropy --set normalization=instance

import LimnImaging
import LimnMetrics
import LimnTorch
import LimnTraining

/// Image → classes.
public final class UNetSegmentation: SegmentationMethod {
  /// Its name, paper and purpose.
  public static let about = MethodDescription(
    name: "unet", title: "U-Net", paper: "Ronneberger et al., MICCAI 2015, arXiv:1505.04597",
    summary:
      "Learns to label pixels from a few dozen labelled images: valid convolutions, one large tile a step, "
      + "elastic deformation, and weights that keep touching objects apart.")

  /// Shift, rotation, gray values and elastic deformation (section 3.1), the latter in proportion to the image.
  public static func defaultAugmentation(for shape: ImageShape) -> String? {
    let side = Double(min(shape.height, shape.width))
    let share = min(1, side / 512)
    let (shift, sigma) = ((32 * share).rounded(), (100 * share).rounded() / 10)
    return "rotation:-180..180, shift:-\(shift)..\(shift), elastic:\(max(sigma, 0.5))/3, gamma:0.8..1.25, "
      + "brightness:-0.1..0.1, contrast:0.8..1.25"
  }

  /// With the tile decided.
  public let recipe: UNetRecipe
  public let labels: LabelSetting
  let network: UNet
  let optimizer: any Optimizer
  private let targets: TrainingTargets
  private let setting: MethodSetting

  /// Builds a fresh network for the images and classes of `setting`.
  /// - Throws: `RecipeError` if the dataset has no labels, or a value does not fit.
  public init(recipe: UNetRecipe, setting: MethodSetting) throws {
    let recipe = try recipe.resolved(for: setting)
    let labels = try setting.classes(ignoring: recipe.ignoreLabel)
    (self.recipe, self.setting, self.labels) = (recipe, setting, labels)
    network = UNet(recipe.configuration(setting, classCount: labels.values.count))
    targets = TrainingTargets(
      labels: labels,
      weights: BorderWeights(
        w0: recipe.borderWeight ?? (setting.hasInstances ? 10 : 0), sigma: recipe.borderSigma,
        gap: recipe.borderGap, backgroundOnly: recipe.borderBackgroundOnly,
        balance: recipe.classWeights), ignoreLabel: recipe.ignoreLabel)
    optimizer = recipe.optimizer(
      network.learnedParameters(recipe.trainedLayers), learningRate: recipe.learningRate,
      momentum: recipe.momentum, weightDecay: recipe.weightDecay)
  }

  public var networks: [(name: String, module: Module)] { [("network", network)] }
  public var optimizers: [(name: String, optimizer: any Optimizer)] { [("optimizer", optimizer)] }
  public var counters: [String: Double] = [:]

  public func batchSize(imagesSeen: Int) -> Int { recipe.batchSize }

  public var trainingLayers: TrainingLayers {
    let uses = targets.weights.w0 > 0 && setting.hasInstances
    return TrainingLayers(
      stored: ["labels"] + (uses ? ["instances"] : []), derived: { [targets] in targets($0) },
      window: window)
  }

  private var window: TrainingWindow {
    TrainingWindow(side: recipe.tile ?? 0, margin: network.configuration.margin)
  }

  // MARK: - The step

  public func step(_ context: StepContext) -> [String: Tensor] {
    optimizer.learningRate = recipe.learningRate * rateFactor(context)
    let tiles = tiles(of: context)
    let loss = loss(scores(of: tiles.images, context), tiles)
    optimizer.zeroGradients()
    loss.backward()
    optimizer.step()
    return ["loss": loss.detached()]
  }

  /// A tile of every window of a step; with `weights` [N, 1, H, W] in the place of the step's own.
  func tiles(of context: StepContext, weights: Tensor? = nil) -> TileCutter.Tiles {
    guard let classes = context.layers["labels"], let own = context.layers["weights"] else {
      preconditionFailure("a U-Net's step takes labels and weights")
    }
    return TileCutter(window: window).cut(context.images, classes, weights ?? own)
  }

  /// What the network, as it is in training, gives at every level that answers, finest first.
  func scores(of images: Tensor, _ context: StepContext) -> [Tensor] {
    // Frozen layers are as they were, statistics and dropout included.
    if recipe.trainedLayers == .all { network.train() } else { network.evaluate() }
    return context.autocast { network.scores(images) }.map { $0.to(.float32) }
  }

  /// The recipe's loss, coarser levels counting half of the finer ones.
  func loss(_ scores: [Tensor], _ tiles: TileCutter.Tiles) -> Tensor {
    let losses = scores.enumerated().map { level, scores in
      let share = 1 / Double(1 << level)
      return share
        * SegmentationLosses.value(
          recipe.loss, scores, tiles.classes.coarser(level), weights: tiles.weights.coarser(level))
    }
    let whole = (0..<scores.count).reduce(0) { $0 + 1 / Double(1 << $1) }
    return losses.dropFirst().reduce(losses[0], +) / whole
  }

  /// What the learning rate is multiplied by at a step.
  func rateFactor(_ context: StepContext) -> Double {
    guard recipe.schedule == .polynomial else { return 1 }
    return Schedule.polynomial(total: max(setting.totalImages, 1), power: 0.9)
      .factor(at: min(context.imagesSeen, setting.totalImages - 1))
  }

  // MARK: - What it has learned

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  public var predictor: any TilePredictor {
    network.evaluate()
    return UNetPredictor(network)
  }

  public func examine(_ heldOut: [TrainingBatch]) -> Examination {
    SegmentationExamination(labels: labels, ignored: recipe.ignoreLabel, predictor: predictor)
      .examine(heldOut)
  }
}

extension MethodSetting {
  /// Whether the dataset tells objects apart.
  fileprivate var hasInstances: Bool { layers?.contains("instances") ?? false }
}

extension Tensor {
  /// Every 2^level-th pixel of [N, H, W].
  fileprivate func coarser(_ level: Int) -> Tensor {
    guard level > 0 else { return self }
    let step = 1 << level
    return [1, 2].reduce(self) { x, dim in
      x.indexSelect(dim: dim, Tensor(Array(Swift.stride(from: 0, to: x.size(dim), by: step))).to(device))
    }
  }
}
