// The window classifier against plain PyTorch with the same random weights, window by window and on whole images;
// its sampling, its learning. Tolerance of parity: 1e-5 of each tensor's largest value.

import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

@Suite struct SlidingWindowTests {
  private static let values = try? Safetensors.read(fixture("segmentation/sliding-window.safetensors"))
    .tensors

  private func value(_ key: String) throws -> Tensor { try #require(Self.values?[key], "\(key)") }

  private func network() throws -> SlidingWindowNetwork {
    var configuration = SlidingWindowConfiguration(inputChannels: 2, classCount: 3)
    (configuration.window, configuration.kernels) = (21, [4, 5])
    (configuration.width, configuration.hidden) = (3, 5)
    let network = SlidingWindowNetwork(configuration)
    try network.load(#require(Self.values), prefix: "weights/")
    return network
  }

  // MARK: - Parity

  @Test func scoresLossAndGradientsAreThoseOfPyTorch() throws {
    let network = try network()
    let scores = try network(value("input"))
    #expect(relativeError(scores, try value("scores")) < 1e-5)
    let loss = crossEntropy(scores, try value("labels"))
    #expect(relativeError(loss, try value("loss")) < 1e-5)
    loss.backward()
    for (key, parameter) in network.namedParameters {
      let gradient = try #require(parameter.gradient, "\(key)")
      #expect(relativeError(gradient, try value("gradient/\(key)")) < 1e-5, "\(key)")
    }
  }

  /// Mirrored borders, an image in tiles of several sizes, several windows at once: always each pixel's own window.
  @Test(arguments: [(64, 64), (5, 4), (7, 1)])
  func everyPixelIsAskedAboutByItself(side: Int, batch: Int) throws {
    let tiles = OverlapTile(SlidingWindowPredictor(try network(), batch: batch), side: side, batch: 2)
    let found = try tiles.probabilities(of: value("image"))
    let expected = try value("probabilities")
    #expect(found.shape == expected.shape)
    #expect((found - expected).abs().max().item() <= 1e-6)
  }

  // MARK: - The network

  @Test func thePublishedNetwork() throws {
    let paper = SlidingWindowConfiguration(inputChannels: 1, classCount: 2)
    #expect(paper.lastSide == 3)
    // 48·(16 + 1) + 48·(48·25 + 1) + 2 · 48·(48·16 + 1) + 200·(9·48 + 1) + 2·(200 + 1)
    #expect(SlidingWindowNetwork(paper).parameterCount == 219_290)
    var smaller = paper
    smaller.window = 65
    #expect(smaller.lastSide == 1 && paper.smallestWindow == 63)
    try smaller.check()
    for window in [94, 61] {
      smaller.window = window
      let error = #expect(throws: RecipeError.self) { try smaller.check() }
      #expect(
        error?.description
          == "recipe key 'window' is \(window); expected an odd number, 63 or more for convolutions of [4, 5, 4, 4]"
      )
    }
  }

  // MARK: - Sampling

  /// Pixels say where they are: the window's middle and its mirrored surroundings.
  @Test func windowsLieAroundTheirPixels() throws {
    let places = Tensor.arange(2 * 6 * 5).reshaped([2, 1, 6, 5])
    let classes = (places[.all, 0] / 30).floor().to(.int64)  // the image's number
    let sampler = PatchSampler(window: 7, count: 40, isBalanced: false)
    let drawn = try #require(
      sampler.draw(
        places.to(.float32), classes, Tensor.ones([2, 1, 6, 5]), classCount: 2, Generator(seed: 1)))
    #expect(drawn.windows.shape == [40, 1, 7, 7])
    for number in 0..<40 {
      let middle = Int(drawn.windows[number, 0, 3, 3].item())
      #expect(Int(drawn.classes[number].item()) == middle / 30)
      let (image, row, column) = (middle / 30, middle % 30 / 5, middle % 5)
      for (down, right) in [(-3, 3), (2, -1), (3, 0)] {
        let (r, c) = (MirroredAxis.place(row + down, of: 6), MirroredAxis.place(column + right, of: 5))
        #expect(Int(drawn.windows[number, 0, 3 + down, 3 + right].item()) == image * 30 + r * 5 + c)
      }
    }
  }

  @Test func rareClassesAreDrawnAsOftenAsOthers() throws {
    let classes = Tensor.zeros([1, 20, 20], dtype: .int64)
    classes[0, 3, 4] = Tensor(Int64(2))
    let weights = Tensor.ones([1, 1, 20, 20])
    weights[0, 0, 10..<20] = Tensor(Float(0))
    let images = Tensor.arange(400).to(.float32).reshaped([1, 1, 20, 20])
    func draw(_ isBalanced: Bool) throws -> (windows: Tensor, classes: Tensor) {
      try #require(
        PatchSampler(window: 3, count: 60, isBalanced: isBalanced)
          .draw(images, classes, weights, classCount: 3, Generator(seed: 2)))
    }
    let balanced = try draw(true)
    #expect(balanced.classes.isEqual(to: 2).to(.float32).sum().item() == 30)
    #expect(try draw(false).classes.isEqual(to: 2).to(.float32).sum().item() < 10)
    // Nothing is drawn where pixels do not count.
    #expect(balanced.windows[.all, 0, 1, 1].max().item() < 200)
    weights.fill(0)
    #expect(
      PatchSampler(window: 3, count: 4, isBalanced: true)
        .draw(images, classes, weights, classCount: 3, Generator(seed: 2)) == nil)
  }

  // MARK: - The method

  private func method() throws -> SlidingWindowSegmentation {
    var recipe = SlidingWindowRecipe()
    (recipe.window, recipe.kernels, recipe.width, recipe.hidden) = (13, [4, 2], 6, 12)
    (recipe.batchSize, recipe.optimizer, recipe.learningRate) = (2, .adam, 0.01)
    return try Initialization.with(Generator(seed: 3)) {
      try SlidingWindowSegmentation(recipe: recipe, setting: Blobs.setting)
    }
  }

  @Test func itLearnsAndIsExamined() throws {
    let method = try method()
    let heldOut = [Blobs.batch(4, seed: 99)]
    let before = method.examine(heldOut).measures["val_dice"] ?? 0
    for step in 0..<60 { _ = method.step(Blobs.context(step, method)) }
    let examination = method.examine(heldOut)
    let after = try #require(examination.measures["val_dice"])
    #expect(after > 0.9 && after > before, "\(before) → \(after)")
    // The middle of each, truth and prediction side by side.
    #expect(examination.pictures.first?.images.shape == [4, 3, 32, 64])
  }

  @Test func stepsAreRepeatable() throws {
    let (first, second) = (try method(), try method())
    for step in 0..<3 {
      let losses = [first, second].map { $0.step(Blobs.context(step, $0))["loss"] }
      #expect(try #require(losses[0]).isIdentical(to: #require(losses[1])))
    }
    for (key, tensor) in first.network.stateDict {
      #expect(second.network.stateDict[key]?.isIdentical(to: tensor) == true, "\(key)")
    }
  }

  @Test func whatCannotBeLearnedIsRefused() {
    var setting = Blobs.setting
    setting.labels = nil
    #expect(throws: RecipeError.self) {
      try SlidingWindowSegmentation(recipe: SlidingWindowRecipe(), setting: setting)
    }
    var recipe = SlidingWindowRecipe()
    recipe.kernels = []
    #expect(throws: RecipeError.self) {
      try SlidingWindowSegmentation(recipe: recipe, setting: Blobs.setting)
    }
  }
}
