// Registration as a part of any host's objective: RegGAN (Kong et al., NeurIPS 2021), equations 3 to 6.

import LimnTorch
import LimnTraining

/// The registration network with its terms of the generators' objective.
final class Registrar {
  let network: RegistrationNetwork
  let drift = DriftMeter()
  private let recipe: RegistrationRecipe

  init(recipe: RegistrationRecipe, shape: PairShape) {
    self.recipe = recipe
    network = RegistrationNetwork(
      inputChannels: 2 * shape.targetChannels, size: [shape.source.height, shape.source.width],
      width: recipe.width)
  }

  /// What registration adds to the generators' objective.
  /// - Parameters:
  ///   - fake: A as B, [N, C, H, W], with its graph.
  ///   - real: B, the same shape.
  ///   - context: of the step.
  ///   - pace: the learning rate as a factor of the run's.
  /// - Returns: the terms' weighted sum, the terms, and what the log shows of drift, in pixels.
  func loss(fake: Tensor, real: Tensor, _ context: StepContext, pace: Double = 1) -> TranslationLoss {
    let flow = context.autocast { network(.cat([fake, real], dim: 1)) }
    let correction = l1Loss(SpatialTransformer.warp(fake, by: flow), real)
    let roughness = SpatialTransformer.roughness(flow)
    var value = correction * recipe.correction + roughness * recipe.smoothness
    var terms = ["loss_r_correction": correction, "loss_r_smoothness": roughness]
    if recipe.anchor > 0 {
      let anchor = l1Loss(fake, real)
      value = value + anchor * recipe.anchor
      terms["loss_r_anchor"] = anchor
    }
    // Of each image: [N, 2], rows and columns.
    let mean = flow.mean(dims: [2, 3])
    drift.add(mean, pace: pace)
    let running = drift.mean.cloned()
    if recipe.meanFlow > 0 {
      // Has the gradient of the mean's square, of which a step sees one sample.
      value = value + (mean * running.to(mean.dtype)).sum(dims: [1]).mean() * (2 * recipe.meanFlow)
    }
    // The generator may shift what it draws as long as the registration shifts it back: to be seen in the log.
    terms["flow_pixels"] = flow.square().sum(dims: [1]).sqrt().mean()
    terms["drift_rows"] = running[0]
    terms["drift_columns"] = running[1]
    return TranslationLoss(value: value, terms: terms)
  }
}
