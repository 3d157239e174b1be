// The networks of CycleGAN and RegGAN against plain PyTorch with the same random weights; their sizes and beginnings.
// Tolerance of parity: 1e-5 of each tensor's largest value.

import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnTranslation

@Suite struct TranslationNetworkTests {
  private static let values = try? Safetensors.read(fixture("translation/networks.safetensors")).tensors

  @Test func outputsAreThoseOfPyTorch() throws {
    let values = try #require(Self.values)
    let generator = ResidualGenerator(inputChannels: 1, outputChannels: 1, width: 2, blocks: 1)
    let discriminator = PatchDiscriminator(inputChannels: 1, width: 2)
    let registration = RegistrationNetwork(inputChannels: 2, size: [32, 36], width: 2)
    try generator.load(values, prefix: "generator.")
    try discriminator.load(values, prefix: "discriminator.")
    try registration.load(values, prefix: "registration.")
    let networks: [(String, (Tensor) -> Tensor)] = [
      ("generator", { generator($0) }), ("discriminator", { discriminator($0) }),
      ("registration", { registration($0) }),
    ]
    for (name, network) in networks {
      let (input, expected) = (try #require(values["input.\(name)"]), try #require(values["output.\(name)"]))
      let output = network(input)
      #expect(output.shape == expected.shape)
      #expect(relativeError(output, expected) < 1e-5, "\(name)")
    }
  }

  @Test func parameterCountsAreThoseOfTheOfficialNetworks() {
    #expect(ResidualGenerator(inputChannels: 1, outputChannels: 1).parameterCount == 11_365_633)
    #expect(ResidualGenerator(inputChannels: 3, outputChannels: 3).parameterCount == 11_378_179)
    #expect(ResidualGenerator(inputChannels: 3, outputChannels: 3, blocks: 6).parameterCount == 7_837_699)
    for (channels, count) in [(1, 2_762_689), (2, 2_763_713), (3, 2_764_737)] {
      #expect(PatchDiscriminator(inputChannels: channels).parameterCount == count)
    }
    #expect(RegistrationNetwork(inputChannels: 2, size: [256, 256]).parameterCount == 2_058_018)
  }

  @Test(arguments: [(256, 7), (512, 7), (255, 6), (128, 6), (96, 5), (64, 5), (32, 4), (8, 2)])
  func smallerImagesHaveFewerLevels(side: Int, levels: Int) {
    #expect(RegistrationNetwork.levels(for: [side, 2 * side]) == levels)
    #expect(RegistrationNetwork.levels(for: [2 * side, side]) == levels)
  }

  @Test(arguments: [[32, 36], [96, 96], [33, 47]])
  func registrationBeginsAtTheIdentity(size: [Int]) {
    let network = Initialization.with(Generator(seed: 3)) {
      RegistrationNetwork(inputChannels: 2, size: size, width: 4)
    }
    let flow = network(.randn([1, 2] + size, generator: Generator(seed: 4)))
    #expect(flow.shape == [1, 2] + size)
    let largest: Double = flow.abs().max().item()
    #expect(largest > 0 && largest < 0.01)
  }

  @Test(arguments: [(1, 5), (3, 5), (5, 1), (5, 3), (5, 5)])
  func largeKernelsAreConvolutions(channels: (Int, Int)) {
    let layer = Initialization.with(Generator(seed: 1)) {
      LargeKernelConv2d(inputChannels: channels.0, outputChannels: channels.1, kernelSize: 7)
    }
    let x = Tensor.randn([2, channels.0, 12, 15], generator: Generator(seed: 2))
    #expect(relativeError(layer(x), conv2d(x, layer.weight, layer.bias)) < 1e-5)
  }

  /// The official codes themselves are compared by scripts/compare-translation; here: a table misses no weight.
  @Test func publishedNamesCoverAllWeights() throws {
    let generator = ResidualGenerator(inputChannels: 1, outputChannels: 1, width: 2, blocks: 6)
    let registration = RegistrationNetwork(inputChannels: 2, size: [32, 32], width: 2)
    let unet = UNetGenerator(inputChannels: 1, outputChannels: 1, size: 32, width: 2)
    let patches = PatchGANDiscriminator(inputChannels: 2, width: 2)
    let tables: [(Module, [(published: String, own: String)])] = [
      (generator, ResidualGenerator.publishedNames(blocks: 6)),
      (registration, RegistrationNetwork.publishedNames(levels: 4)),
      (unet, UNetGenerator.publishedNames(levels: 5)), (patches, PatchGANDiscriminator.publishedNames),
    ]
    for (module, table) in tables {
      var published = ["model.99.running_mean": Tensor.zeros([2])]
      for (key, tensor) in module.stateDict {
        let entry = try #require(table.first { key.hasPrefix($0.own + ".") }, "\(key)")
        published[entry.published + key.dropFirst(entry.own.count)] = tensor
      }
      #expect(published.count == module.stateDict.count + 1)
      if module === registration { published["model.99.running_mean"] = nil }
      let own = module.renamed(published)
      #expect(Set(own.keys) == Set(module.stateDict.keys))
      #expect(own.allSatisfy { $0.value === module.stateDict[$0.key] })
      #expect(module.renamed(module.stateDict).keys.sorted() == module.stateDict.keys.sorted())
    }
  }

  @Test func theReceptiveFieldOfAPatchIsSeventyPixels() {
    let network = PatchDiscriminator(inputChannels: 1, width: 1)
    // Without normalisation, which sees the whole image, the gradient of one score shows what it sees.
    let convolutions = network.model.layers.compactMap { $0 as? Conv2d }
    let x = Tensor.zeros([1, 1, 128, 128])
    x.requiresGrad = true
    convolutions.forEach { layer in withoutGradients { layer.weight.fill(1) } }
    convolutions.reduce(x) { $1($0) }[0, 0, 7, 7].backward()
    let seen = x.gradient?.isNotEqual(to: 0).to(.float32).sum(dims: [0, 1, 3]).isGreater(than: 0).to(.float32)
    #expect(seen?.sum().item() == 70)
  }
}

@Suite struct SpatialTransformerTests {
  private static let values = try? Safetensors.read(fixture("translation/warp.safetensors")).tensors

  private func value(_ key: String) throws -> Tensor { try #require(Self.values?[key], "\(key)") }

  /// SciPy's map_coordinates, orders 1 and 0, nearest beyond the border.
  @Test func warpingIsThatOfSciPy() throws {
    let (image, flow) = (try value("image"), try value("flow"))
    #expect(relativeError(SpatialTransformer.warp(image, by: flow), try value("bilinear")) < 1e-5)
    let nearest = SpatialTransformer.warp(image, by: flow, mode: .nearest)
    #expect(relativeError(nearest, try value("nearest")) < 1e-5)
  }

  @Test func roughnessIsThatOfItsDefinition() throws {
    let result: Double = SpatialTransformer.roughness(try value("flow")).item()
    let expected: Double = try value("roughness").item()
    #expect(abs(result / expected - 1) < 1e-5)
    #expect(SpatialTransformer.roughness(.full([1, 2, 5, 6], 3)).item() == 0)
  }

  @Test func gradientsAreNumericalOnes() throws {
    let image = try value("image")[0..<1, .all, .all, 0..<9].to(.float64)
    let flow = try value("flow")[0..<1, .all, .all, 0..<9].to(.float64)
    let weights = Tensor.rand(image.shape, dtype: .float64, generator: Generator(seed: 1))
    func loss(_ image: Tensor, _ flow: Tensor) -> Tensor {
      (SpatialTransformer.warp(image, by: flow) * weights).sum() + SpatialTransformer.roughness(flow)
    }
    let (leaf, path) = (image.detached(), flow.detached())
    (leaf.requiresGrad, path.requiresGrad) = (true, true)
    loss(leaf, path).backward()
    let (ofImage, ofFlow) = (try #require(leaf.gradient), try #require(path.gradient))
    #expect(relativeError(ofImage, numericalGradient(of: { loss($0, flow) }, at: image)) < 1e-6)
    #expect(relativeError(ofFlow, numericalGradient(of: { loss(image, $0) }, at: flow)) < 1e-6)
  }

  @Test func foldsHaveNegativeJacobians() {
    let columns = Tensor.arange(8, dtype: .float32).reshaped([1, 1, 1, 8]).expanded([1, 1, 6, 8])
    let still = columns.zerosLike()
    func smallest(_ slope: Double) -> Double {
      SpatialTransformer.jacobian(.cat([still, columns * slope], dim: 1)).min().item()
    }
    #expect(SpatialTransformer.jacobian(.cat([still, columns], dim: 1)).shape == [1, 5, 7])
    for (slope, expected) in [(0.0, 1.0), (0.5, 1.5), (-1.0, 0.0), (-1.5, -0.5)] {
      #expect(abs(smallest(slope) - expected) < 1e-6)
    }
  }
}
