// NICE-GAN's networks and losses against plain PyTorch with the same weights. Tolerance: 1e-4 of each tensor's largest
// value.

import LimnTestSupport
import LimnTorch
import LimnTranslation
import Testing

@Suite struct NICEGANTests {
  @Test func discriminatorMatchesPyTorch() throws {
    let fixture = try StepFixture("nicegan")
    let network = NICEDiscriminator(inputChannels: 1, width: 1, layers: 6)
    try network.load(fixture.tensors, prefix: "dis_b.")
    // As often as in the fixture: two steps of both directions, and three passes of one direction.
    withoutGradients {
      for _ in 0..<7 { _ = network(.zeros([1, 1, 48, 48])) }
    }
    network.evaluate()
    let verdict = network(try fixture["b"])
    try fixture.expectEqual(verdict.local, "evaluated.local")
    try fixture.expectEqual(verdict.global, "evaluated.global")
    try fixture.expectEqual(verdict.attention, "evaluated.attention")
    try fixture.expectEqual(verdict.code, "evaluated.code")
  }

  /// Counts of the official code.
  @Test(arguments: [(1, 46_872_385, 24_810_048, 8_098_368), (3, 46_874_433, 24_816_320, 8_104_640)])
  func publishedSizes(channels: Int, discriminator: Int, generator: Int, light: Int) {
    #expect(NICEDiscriminator(inputChannels: channels).parameterCount == discriminator)
    let whole = NICEGenerator(outputChannels: channels, size: [64, 64])
    #expect(whole.parameterCount == generator)
    let small = NICEGenerator(
      outputChannels: channels, size: [64, 64], widths: NICEGeneratorWidths(isLight: true))
    #expect(small.parameterCount == light)
  }

  @Test(arguments: [6, 7]) func smallestImages(layers: Int) {
    let side = NICEDiscriminator.minimumSize(layers: layers)
    let network = NICEDiscriminator(inputChannels: 1, width: 1, layers: layers)
    #expect(network(.zeros([1, 1, side, side])).global.shape == [1, 1, 1, 1])
  }
}
