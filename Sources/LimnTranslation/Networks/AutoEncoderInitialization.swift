// How the weights of UNIT and MUNIT begin (MUNIT, appendix B).

import LimnTorch

extension Module {
  /// Auto-encoders: Kaiming's normal distribution, biases 0.
  func initializeKaiming() { initialize(.heNormal()) }

  /// Discriminators: N(0, 0.02²), biases 0.
  func initializeGaussian() { initialize(.normal(std: 0.02)) }

  private func initialize(_ rule: Initializer) {
    for module in modules {
      switch module {
      case let layer as Conv2d: layer.initialize(rule, weight: layer.weight, bias: layer.bias)
      case let layer as Linear: layer.initialize(rule, weight: layer.weight, bias: layer.bias)
      default: break
      }
    }
  }

  private func initialize(_ rule: Initializer, weight: Parameter, bias: Parameter?) {
    rule(weight, generator: Initialization.generator)
    if let bias { Initializer.constant(0)(bias, generator: Initialization.generator) }
  }
}
