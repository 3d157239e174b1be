// Spectral normalisation against torch.nn.utils.spectral_norm: outputs, gradients and vectors of three forward passes
// of training and one of evaluation. Tolerance: 1e-5 of each tensor's largest value.

import LimnTestSupport
import LimnTorch
import Testing

@Suite struct SpectralTests {
  private static func layer(_ name: String) -> any UnaryLayer & Module {
    name == "conv2d"
      ? SpectralConv2d(inputChannels: 3, outputChannels: 5, kernelSize: 4, stride: 2, padding: 1)
      : SpectralLinear(inputFeatures: 6, outputFeatures: 4, bias: false)
  }

  @Test(arguments: ["conv2d", "linear-no-bias"]) func everyPassEqualsPyTorch(name: String) throws {
    let fixture = try ParityFixture("spectral")
    let layer = Self.layer(name)
    try layer.load(fixture.group("\(name)/state/"))
    for pass in 0..<4 {
      layer.train(pass < 3)
      layer.zeroGradients()
      let x = leaf(try fixture["\(name)/in.\(pass)"])
      let y = layer(x)
      #expect(relativeError(y, try fixture["\(name)/out.\(pass)"]) <= tolerance)
      differentiate([y])
      #expect(relativeError(try #require(x.gradient), try fixture["\(name)/grad.\(pass)"]) <= tolerance)
      for (key, parameter) in layer.namedParameters {
        let expected = try fixture["\(name)/parameter.\(pass)/\(key)"]
        #expect(relativeError(try #require(parameter.gradient), expected) <= tolerance, "\(key)")
      }
      for (key, buffer) in layer.namedBuffers {
        #expect(relativeError(buffer, try fixture["\(name)/after.\(pass)/\(key)"]) <= tolerance, "\(key)")
      }
    }
  }

  @Test func advancingIsAPassWithoutInput() {
    let layer = SpectralLinear(inputFeatures: 6, outputFeatures: 4)
    let other = SpectralLinear(inputFeatures: 6, outputFeatures: 4)
    try? other.load(layer.stateDict)
    _ = layer(.ones([1, 6]))
    other.advance()
    #expect(layer.weightU.isIdentical(to: other.weightU) && layer.weightV.isIdentical(to: other.weightV))
  }

  @Test func theLargestSingularValueBecomesOne() {
    let layer = SpectralLinear(inputFeatures: 6, outputFeatures: 4)
    for _ in 0..<200 { layer.advance() }
    layer.evaluate()
    let (_, singular, _) = layer.normalizedWeight.svd()
    #expect(abs(singular.max().item() - 1) < 1e-4)
  }
}
