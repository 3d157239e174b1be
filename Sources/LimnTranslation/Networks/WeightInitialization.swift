// How the weights of whole networks begin.

import LimnTorch

extension Module {
  /// Draws the weights of all convolutions and fully connected layers by a rule; their biases become 0.
  func drawWeights(_ rule: Initializer) {
    for (key, parameter) in namedParameters {
      if key.hasSuffix("weight"), parameter.rank > 1 { rule(parameter, generator: Initialization.generator) }
      if key.hasSuffix("bias") { withoutGradients { parameter.fill(0) } }
    }
  }
}

extension Initializer {
  /// N(0, 0.02²), as CycleGAN (section 4), pix2pix (appendix 6.2) and the discriminators of UNIT and
  /// MUNIT begin.
  static var smallNormal: Initializer { .normal(std: 0.02) }
}
