// Weights files of the official codes: scripts/compare-translation has them written, and compares what the networks
// give.

import Foundation
import LimnTestSupport
import LimnTorch
import LimnTranslation
import Testing

private let reference = ProcessInfo.processInfo.environment["LIMN_TRANSLATION_REFERENCE"].map {
  URL(fileURLWithPath: $0)
}

private func has(_ part: String) -> Bool {
  reference.map {
    FileManager.default.fileExists(atPath: $0.appendingPathComponent("\(part).safetensors").path)
  } ?? false
}

/// One official code's networks.
private final class OfficialPart {
  let folder: URL
  let values: [String: Tensor]
  private let part: String
  private var rows = ""

  /// - Parameters:
  ///   - part: of the script.
  ///   - rows: where the comparison's rows go; nil: under the part's name.
  /// - Throws: where the script has written nothing.
  init(_ part: String, rows: String? = nil) throws {
    self.part = rows ?? part
    folder = try #require(reference)
    values = try Safetensors.read(folder.appendingPathComponent("\(part).safetensors")).tensors
  }

  subscript(_ name: String) -> Tensor { get throws { try #require(values[name]) } }

  /// A file's weights, or those of one of its entries.
  func load(_ network: Module, _ file: String, _ entry: String? = nil) throws {
    let url = folder.appendingPathComponent(file)
    let state = try WeightsFile.read(url, entries: entry.map { [$0] })
    try network.load(entry == nil ? network.renamed(state) : state, prefix: entry.map { "\($0)." } ?? "")
  }

  func compare(_ network: String, _ actual: Tensor, _ name: String) throws {
    let error = relativeError(actual, try self[name])
    rows += "| \(network) | \(name) | \(String(format: "%.1e", error)) |\n"
    #expect(error < 1e-4, "\(network) \(name)")
  }

  func save() throws {
    try Data(rows.utf8).write(to: folder.appendingPathComponent("\(part).rows"))
  }
}

@Suite struct OfficialWeightsTests {
  private let widths = ContentWidths(width: 16, blocks: 2)

  @Test(.enabled(if: has("munit"))) func unitAndMUNIT() throws {
    let part = try OfficialPart("munit")
    try withoutGradients {
      let judge = MultiscaleDiscriminator(inputChannels: 1, width: 8)
      try part.load(judge, "dis_00000001.pt", "b")
      let scores = judge(try part["x"])
      for (scale, score) in scores.enumerated() { try part.compare("MsImageDis", score, "scores.\(scale)") }
      try part.compare("MsImageDis", judge.loss(try part["x"], isReal: true), "generator_loss")
      let loss = judge.loss(try part["x"], isReal: false) + judge.loss(try part["y"], isReal: true)
      try part.compare("MsImageDis", loss, "discriminator_loss")

      func styled() -> StyleAutoEncoder {
        StyleAutoEncoder(channels: 1, widths: widths, styles: 8, hidden: 32)
      }
      let (a, b) = (styled(), styled())
      try part.load(a, "gen_munit.pt", "a")
      try part.load(b, "gen_munit.pt", "b")
      let content = a.content(try part["x"])
      try part.compare("AdaINGen", content, "content")
      try part.compare("AdaINGen", a.style(try part["x"]), "style")
      try part.compare("AdaINGen", b.decode(content, style: try part["given_style"]), "munit")

      let plain = [0, 1].map { _ in VariationalAutoEncoder(channels: 1, widths: widths) }
      try part.load(plain[0], "gen_unit.pt", "a")
      try part.load(plain[1], "gen_unit.pt", "b")
      let code = plain[0].encode(try part["x"])
      try part.compare("VAEGen", code, "code")
      try part.compare("VAEGen", plain[1].decode(code), "unit")
    }
    try part.save()
  }

  @Test(.enabled(if: has("nicegan"))) func niceGAN() throws {
    let part = try OfficialPart("nicegan")
    try withoutGradients {
      for file in ["x_params_0000001.pt", "x_params_old.pt"] {
        func generator(_ isLight: Bool) -> NICEGenerator {
          NICEGenerator(
            outputChannels: 1, size: [96, 96],
            widths: NICEGeneratorWidths(width: 8, blocks: 2, isLight: isLight))
        }
        let (toB, toA) = (generator(false), generator(true))
        try part.load(toB, file, "gen2B")
        try part.load(toA, file, "gen2A")
        for (name, image) in [("disA", "x"), ("disB", "y")] {
          let judge = NICEDiscriminator(inputChannels: 1, width: 8)
          try part.load(judge, file, name)
          for pass in 0..<2 {
            let verdict = judge(try part[image])
            try part.compare("Discriminator of \(file)", verdict.local, "\(name).\(pass).local")
            try part.compare("Discriminator of \(file)", verdict.global, "\(name).\(pass).global")
            try part.compare("Discriminator of \(file)", verdict.attention, "\(name).\(pass).attention")
            try part.compare("Discriminator of \(file)", verdict.code, "\(name).\(pass).code")
          }
        }
        try part.compare("ResnetGenerator of \(file)", toB(try part["disA.1.code"]), "b")
        try part.compare("light ResnetGenerator of \(file)", toA(try part["disB.1.code"]), "a")
      }
    }
    try part.save()
  }

  @Test(.enabled(if: has("reggan"))) func niceGANInOneDirection() throws {
    let part = try OfficialPart("reggan")
    try withoutGradients {
      let widths = NICEGeneratorWidths(width: 8, blocks: 2, isLight: true, variant: .reggan)
      let generator = NICEStandaloneGenerator(
        inputChannels: 1, outputChannels: 1, size: [96, 96], widths: widths)
      try part.load(generator, "netG_A2B.pth")
      try part.compare("ResnetGenerator2", generator(try part["x"]), "image")
      let judge = NICEDiscriminator(inputChannels: 1, width: 4, variant: .reggan)
      try part.load(judge, "netD_B.pth")
      let verdict = judge(try part["x"])
      try part.compare("Discriminator2", verdict.local, "local")
      try part.compare("Discriminator2", verdict.global, "global")
      try part.compare("Discriminator2", verdict.attention, "attention")
    }
    try part.save()
  }

  @Test(.enabled(if: has("reggan"))) func hostAndRegistrationOfRegGAN() throws {
    let part = try OfficialPart("reggan", rows: "reggan-host")
    try withoutGradients {
      let generator = ResidualGenerator(inputChannels: 1, outputChannels: 1)
      let discriminator = PatchDiscriminator(inputChannels: 1)
      let registration = RegistrationNetwork(inputChannels: 2, size: [256, 256])
      try part.load(generator, "generator.pth")
      try part.load(discriminator, "discriminator.pth")
      try part.load(registration, "registration.pth")
      let (a, b) = (try part["a"], try part["b"])
      try part.compare("Generator", generator(a), "generator")
      let scores = discriminator(a).mean(dims: [1, 2, 3])
      try part.compare("Discriminator", scores.reshaped(part["discriminator"].shape), "discriminator")
      try part.compare("Reg", registration(.cat([a, b], dim: 1)), "registration")
      try part.compare("Transformer_2D", SpatialTransformer.warp(a, by: part["flow"]), "warped")
    }
    try part.save()
  }

  @Test(.enabled(if: has("cyclegan"))) func cycleGANAndPix2Pix() throws {
    let part = try OfficialPart("cyclegan")
    try withoutGradients {
      let unet = UNetGenerator(inputChannels: 1, outputChannels: 1, size: 64, width: 8)
      let resnet = ResidualGenerator(inputChannels: 1, outputChannels: 1, width: 8, blocks: 6)
      let patches = PatchGANDiscriminator(inputChannels: 2, width: 8)
      let instance = PatchDiscriminator(inputChannels: 2, width: 8)
      try part.load(unet, "unet.pth")
      try part.load(resnet, "resnet.pth")
      try part.load(patches, "patchgan.pth")
      try part.load(instance, "instance-patchgan.pth")
      let (x, pair) = (try part["x"], try part["pair"])
      try part.compare("UnetGenerator", unet(x, noise: nil), "unet")
      try part.compare("ResnetGenerator", resnet(x), "resnet")
      try part.compare(
        "NLayerDiscriminator", patches(condition: pair[.all, 0..<1], image: pair[.all, 1..<2]), "patchgan")
      try part.compare("NLayerDiscriminator", instance(pair), "instance-patchgan")
    }
    try part.save()
  }
}
