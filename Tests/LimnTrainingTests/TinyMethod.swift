// A method so small that thousands of steps take no time, its data, and its runs.

import Foundation
import LimnTorch
import Testing

@testable import LimnTraining

/// Fits 2×2 images by one convolution, with noise in every step.
final class TinyMethod: Method {
  struct Recipe: MethodRecipe {
    var learningRate = 0.01
    /// The step at which the loss stops being a number; nil: never.
    var failsAt: Int?
    /// The step that spoils the weights though its loss is a number; nil: none.
    var spoilsAt: Int?
    static let keys = [
      RecipeKey("learning_rate", "Adam's rate", source: "test"), RecipeKey("fails_at", "", source: "test"),
      RecipeKey("spoils_at", "", source: "test"),
    ]
  }

  static let about = MethodDescription(name: "tiny", title: "Tiny", paper: "none", summary: "For tests.")
  let recipe: Recipe
  let network = Conv2d(inputChannels: 1, outputChannels: 1, kernelSize: 1)
  let average: ExponentialMovingAverage<Conv2d>
  let optimizer: Adam
  var counters: [String: Double] = ["calls": 0]
  /// Called wherever the loop calls the method, with a name for the moment.
  var onCall: (String) -> Void = { _ in }

  init(recipe: Recipe, setting: MethodSetting) throws {
    self.recipe = recipe
    average = try .init(of: network, in: Conv2d(inputChannels: 1, outputChannels: 1, kernelSize: 1))
    optimizer = Adam(network.namedParameters, learningRate: recipe.learningRate)
  }

  var networks: [(name: String, module: Module)] { [("network", network), ("average", average.average)] }
  var optimizers: [(name: String, optimizer: any Optimizer)] { [("adam", optimizer)] }
  func batchSize(imagesSeen: Int) -> Int { imagesSeen < 10 ? 2 : 3 }

  func step(_ context: StepContext) -> [String: Tensor] {
    onCall("step-\(context.step)")
    counters["calls", default: 0] += 1
    if context.step == 7 { optimizer.reset() }  // as a growing network does
    let noise = Tensor.randn(context.images.shape, generator: context.generator(1))
    optimizer.zeroGradients()
    let loss = mseLoss(network(context.images + noise), context.images)
    loss.backward()
    optimizer.step()
    if recipe.spoilsAt == context.step { withoutGradients { network.weight.fill(.nan) } }
    average.update(decay: 0.9)
    return ["loss": recipe.failsAt == context.step ? Tensor(Float.nan) : loss.detached()]
  }

  func previews(seed: UInt64) -> [(name: String, images: Tensor)] {
    onCall("previews-\(Int(counters["calls"] ?? 0))")
    return [("", Tensor.zeros([1, 1, 2, 2]))]
  }
}

struct TinyData: TrainingData {
  func batch(at position: Int, count: Int) -> TrainingBatch {
    let values = (position..<position + count).flatMap { index in
      (0..<4).map { Float((index * 7 + $0) % 5) / 5 }
    }
    return TrainingBatch(images: Tensor(values, shape: [count, 1, 2, 2]))
  }
}

/// A run of the tiny method: rows every 2 steps, sheets every 10, checkpoints every 5, of which 2 are kept.
struct TinyRun {
  static let setting = MethodSetting(shape: ImageShape(channels: 1, height: 2, width: 2), totalImages: 100)
  let folder: RunFolder
  let method: TinyMethod
  let trainer: Trainer

  /// Begins a run at `url`, or goes on with the one that is there, to `steps` steps or `images` images.
  init(_ url: URL, steps: Int? = 20, images: Int? = nil, recipe: TinyMethod.Recipe = .init()) throws {
    let options = TrainingOptions(
      steps: steps, images: images, seed: 3, threads: 1, logEvery: 2, sampleEvery: 10, checkpointEvery: 5,
      keepCheckpoints: 2)
    let plan = RunFolder.Plan(options: options, setting: Self.setting)
    folder =
      FileManager.default.fileExists(atPath: url.path)
      ? try RunFolder(resuming: url)
      : try RunFolder(creating: url, info: Self.info, plan: plan, recipeYAML: recipe.yaml)
    method = try Initialization.with(Generator(seed: 3)) {
      try TinyMethod(recipe: recipe, setting: Self.setting)
    }
    trainer = try Trainer(run: folder, method: method, data: TinyData(), plan: plan)
  }

  static var info: RunInfo {
    RunInfo(
      method: "tiny", dataset: "nowhere", seed: 3, device: "cpu", precision: "float32", version: "test",
      started: Date(timeIntervalSince1970: 0))
  }

  /// Weights, averages and the optimiser's state, and the method's counters.
  var state: [String: Tensor] {
    var state = method.optimizer.state
    for (name, module) in method.networks {
      for (key, tensor) in module.stateDict { state["\(name).\(key)"] = tensor }
    }
    for (name, value) in method.counters { state["counter \(name)"] = Tensor(value) }
    return state.mapValues { $0.detached().cloned() }
  }

  /// Trains a run to its end and lets go of it, as a process that ends does.
  /// - Returns: the state at the end.
  @discardableResult
  static func trained(
    _ url: URL, steps: Int? = 20, images: Int? = nil, recipe: TinyMethod.Recipe = .init()
  ) throws -> [String: Tensor] {
    let run = try TinyRun(url, steps: steps, images: images, recipe: recipe)
    #expect(try run.trainer.train() == .finished)
    return run.state
  }
}

func expectEqual(
  _ a: [String: Tensor], _ b: [String: Tensor], _ what: String = "",
  _ location: SourceLocation = #_sourceLocation
) {
  #expect(Set(a.keys) == Set(b.keys), "\(what)", sourceLocation: location)
  for (key, tensor) in a {
    #expect(b[key]?.isIdentical(to: tensor) == true, "\(what) \(key)", sourceLocation: location)
  }
}

func entries(_ folder: URL) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
}
