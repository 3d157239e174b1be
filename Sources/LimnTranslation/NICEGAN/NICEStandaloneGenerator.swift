// A generator with an encoder of its own, for one direction, where no discriminator of the source's domain could be the
// encoder (as RegGAN's code has NICE-GAN in modes NC and NC+R).

import LimnTorch

/// Image [N, C, H, W] → image [N, C′, H, W] in (−1, 1), float32: NICE-GAN's encoder and generator, trained together.
public final class NICEStandaloneGenerator: NICEEncoder {
  private let generator: NICEGenerator

  /// - Parameters:
  ///   - inputChannels: C.
  ///   - outputChannels: C′.
  ///   - size: [H, W], multiples of 4.
  ///   - widths: channels and blocks.
  public init(inputChannels: Int, outputChannels: Int, size: [Int], widths: NICEGeneratorWidths) {
    generator = NICEGenerator(outputChannels: outputChannels, size: size, widths: widths)
    super.init(inputChannels: inputChannels, width: widths.width, variant: widths.variant)
  }

  /// Both under their published names.
  public override var children: [(key: String, module: Module)] { super.children + generator.children }

  /// Translates images.
  public func callAsFunction(_ x: Tensor) -> Tensor { generator(encoded(x).code) }
}
