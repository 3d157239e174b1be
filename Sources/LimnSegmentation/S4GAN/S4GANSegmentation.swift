// "Semi-Supervised Semantic Segmentation with High- and Low-level Consistency"
// Mittal, Tatarchenko & Brox, TPAMI 2019, arXiv:1908.05724: its s4GAN branch.
//
//   limn import images/ --labels masks/ --keep-unlabelled --out data/cells
//   limn train s4gan --data data/cells --images 60000 --set network.width=32 --set network.padding=same
//   limn train s4gan --data data/cells --images 60000 --set labelled=5

import LimnTorch
import LimnTraining

/// Image → classes, from few labelled images and many unlabelled ones.
///
/// A batch's first half is labelled. The network learns from it as a U-Net does; from the other half it learns to give
/// class maps that a discriminator takes for true ones, and, where the discriminator does, from its own answers.
public final class S4GANSegmentation: SegmentationMethod {
  /// Its name, paper and purpose.
  public static let about = MethodDescription(
    name: "s4gan", title: "s4GAN", paper: "Mittal et al., TPAMI 2019, arXiv:1908.05724",
    summary:
      "Learns to label pixels from a few labelled images and many unlabelled ones: a U-Net, a discriminator of its "
      + "class maps, and self-training on those that deceive it.")

  public static func defaultAugmentation(for shape: ImageShape) -> String? {
    UNetSegmentation.defaultAugmentation(for: shape)
  }

  /// With the tile decided.
  public let recipe: S4GANRecipe
  let segmenter: UNetSegmentation
  let discriminator: S4GANDiscriminator
  private let discriminatorOptimizer: Adam

  /// Builds fresh networks for the images and classes of `setting`.
  /// - Throws: `RecipeError` if the dataset has no labels, or a value does not fit.
  public init(recipe: S4GANRecipe, setting: MethodSetting) throws {
    self.recipe = try recipe.resolved(for: setting)
    segmenter = try UNetSegmentation(recipe: self.recipe.network, setting: setting)
    discriminator = S4GANDiscriminator(
      inputChannels: segmenter.labels.values.count + setting.shape.channels, width: recipe.discriminatorWidth)
    discriminatorOptimizer = Adam(
      discriminator.namedParameters, learningRate: recipe.discriminatorLearningRate,
      betas: (recipe.adamBeta1, recipe.adamBeta2))
  }

  public var labels: LabelSetting { segmenter.labels }
  public var networks: [(name: String, module: Module)] {
    segmenter.networks + [("discriminator", discriminator)]
  }
  public var optimizers: [(name: String, optimizer: any Optimizer)] {
    segmenter.optimizers + [("discriminator", discriminatorOptimizer)]
  }
  public var counters: [String: Double] = [:]

  /// As many unlabelled images as labelled ones.
  public func batchSize(imagesSeen: Int) -> Int { 2 * recipe.network.batchSize }

  public var trainingLayers: TrainingLayers {
    var layers = segmenter.trainingLayers
    let split = LabelledSplit(ignoreLabel: recipe.network.ignoreLabel, count: recipe.labelled)
    layers.groups = { try split($0) }
    return layers
  }

  // MARK: - The step

  public func step(_ context: StepContext) -> [String: Tensor] {
    setRates(context)
    let (labelled, unlabelled) = tiles(of: context)
    let count = labelled.images.size(0)
    let scores = segmenter.scores(of: .cat([labelled.images, unlabelled.images]), context)
    let unknown = scores[0][count...]
    let truth = pairs(labelled.truth(classCount: labels.values.count), labelled.images)
    let prediction = pairs(softmax(unknown, dim: 1) * unlabelled.weights.unsqueezed(1), unlabelled.images)

    discriminator.requireGradients(false)
    let (real, predicted) = (judge(truth, 2, context), judge(prediction, 3, context))
    let isChosen = sigmoid(predicted.score.detached()).isGreater(than: recipe.threshold)
    let supervised = segmenter.loss(scores.map { $0[0..<count] }, labelled)
    let matching = S4GANLosses.featureMatching(real: real.features, predicted: predicted.features)
    let own = S4GANLosses.selfTraining(unknown, isChosen: isChosen, pixels: unlabelled.weights)
    // Before its first step the discriminator knows nothing.
    let trust = context.step > 0 ? recipe.selfTraining : 0
    learn(segmenter.optimizer, supervised + recipe.featureMatching * matching + trust * own)

    discriminator.requireGradients(true)
    let judgement = S4GANLosses.discriminator(
      real: judge(truth, 4, context).score, predicted: judge(prediction.detached(), 5, context).score)
    learn(discriminatorOptimizer, judgement)
    return [
      "loss": supervised.detached(), "loss_matching": matching.detached(),
      "loss_self_training": own.detached(), "loss_discriminator": judgement.detached(),
      "chosen": isChosen.to(.float32).mean(),
    ]
  }

  private func setRates(_ context: StepContext) {
    let factor = segmenter.rateFactor(context)
    segmenter.optimizer.learningRate = recipe.network.learningRate * factor
    discriminatorOptimizer.learningRate = recipe.discriminatorLearningRate * factor
  }

  /// Tiles of both halves of the batch. Of unlabelled images every pixel counts; their labels are not looked at.
  private func tiles(of context: StepContext) -> (labelled: TileCutter.Tiles, unlabelled: TileCutter.Tiles) {
    guard let weights = context.layers["weights"] else {
      preconditionFailure("s4GAN's step takes labels and weights")
    }
    let (count, half) = (weights.size(0), weights.size(0) / 2)
    let counted = Tensor.cat([weights[0..<half], weights[half..<count].onesLike()])
    let tiles = segmenter.tiles(of: context, weights: counted)
    return (tiles[0..<half], tiles[half..<count])
  }

  /// Class maps [N, K, h, w] over the middle of their images, brightness in 0...1: [N, K + C, h, w].
  private func pairs(_ maps: Tensor, _ images: Tensor) -> Tensor {
    .cat([maps, (images.centre(like: maps) + 1) / 2], dim: 1)
  }

  private func judge(
    _ pairs: Tensor, _ purpose: UInt64, _ context: StepContext
  ) -> (score: Tensor, features: Tensor) {
    let generator = context.generator(purpose)
    let (score, features) = context.autocast { discriminator(pairs, dropping: generator) }
    return (score.to(.float32), features.to(.float32))
  }

  private func learn(_ optimizer: any Optimizer, _ loss: Tensor) {
    optimizer.zeroGradients()
    loss.backward()
    optimizer.step()
  }

  // MARK: - What it has learned

  public func previews(seed: UInt64) -> [(name: String, images: Tensor)] { [] }

  public var predictor: any TilePredictor { segmenter.predictor }

  public func examine(_ heldOut: [TrainingBatch]) -> Examination { segmenter.examine(heldOut) }
}

extension TileCutter.Tiles {
  /// 1 in the channel of each pixel's class; 0 in all of them where the pixel does not count.
  fileprivate func truth(classCount: Int) -> Tensor {
    let numbers = Tensor.arange(classCount).to(classes.device).reshaped([1, -1, 1, 1])
    return classes.unsqueezed(1).isEqual(to: numbers).to(.float32)
      * weights.isGreater(than: 0).to(.float32).unsqueezed(1)
  }
}
