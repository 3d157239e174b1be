// s4GAN: discriminator and losses against plain PyTorch with the same random weights (tolerance 1e-5 of each tensor's
// largest value), who learns from what, which images are labelled, and runs that were stopped.

import Foundation
import LimnDatasets
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

@Suite struct S4GANParityTests {
  private static let values = try? Safetensors.read(fixture("segmentation/s4gan.safetensors")).tensors

  private func value(_ key: String) throws -> Tensor { try #require(Self.values?[key], "\(key)") }

  private func discriminator() throws -> S4GANDiscriminator {
    let network = S4GANDiscriminator(inputChannels: 5, width: 2)
    try network.load(#require(Self.values), prefix: "weights/")
    return network
  }

  @Test func thePublishedDiscriminator() {
    #expect(S4GANDiscriminator(inputChannels: 21 + 3, width: 64).parameterCount == 2_778_561)
  }

  @Test func theSegmentersLossesAreThoseOfPyTorch() throws {
    let network = try discriminator()
    network.requireGradients(false)
    let scores = try value("scores")
    scores.requiresGrad = true
    let pixels = try value("pixels")
    let prediction = Tensor.cat(
      [softmax(scores, dim: 1) * pixels.unsqueezed(1), try value("images")], dim: 1)
    let (real, predicted) = (network(try value("truth")), network(prediction))
    #expect(relativeError(predicted.score, try value("predicted")) < 1e-5)
    #expect(relativeError(predicted.features, try value("features")) < 1e-5)
    let matching = S4GANLosses.featureMatching(real: real.features, predicted: predicted.features)
    #expect(relativeError(matching, try value("matching")) < 1e-5)
    let isChosen = sigmoid(predicted.score.detached()).isGreater(than: try value("threshold").item())
    #expect(isChosen.to(.float32).sum().item() == (try value("chosen").item()))
    let own = S4GANLosses.selfTraining(scores, isChosen: isChosen, pixels: pixels)
    #expect(relativeError(own, try value("own")) < 1e-5)
    (0.1 * matching + own).backward()
    #expect(relativeError(try #require(scores.gradient), try value("gradient")) < 1e-5)
    #expect(network.parameters.allSatisfy { $0.gradient == nil })
    let nothing = S4GANLosses.selfTraining(
      scores, isChosen: isChosen.logicalAnd(isChosen.logicalNot()), pixels: pixels)
    #expect(nothing.item() == 0)
  }

  /// The same ones for one seed.
  @Test func mapsAreLeftOutAtRandom() throws {
    let (network, truth) = (try discriminator(), try value("truth"))
    let plain = network(truth)
    let first = network(truth, dropping: Generator(seed: 1))
    #expect(first.score.isIdentical(to: network(truth, dropping: Generator(seed: 1)).score))
    #expect(!first.score.isIdentical(to: network(truth, dropping: Generator(seed: 2)).score))
    #expect(!first.features.isIdentical(to: plain.features))
  }

  @Test func theDiscriminatorsLossIsThatOfPyTorch() throws {
    let network = try discriminator()
    let pixels = try value("pixels").unsqueezed(1)
    let prediction = Tensor.cat([softmax(try value("scores"), dim: 1) * pixels, try value("images")], dim: 1)
    let loss = S4GANLosses.discriminator(
      real: network(try value("truth")).score, predicted: network(prediction).score)
    #expect(relativeError(loss, try value("discriminator")) < 1e-5)
    loss.backward()
    for (key, parameter) in network.namedParameters {
      let gradient = try #require(parameter.gradient, "\(key)")
      #expect(relativeError(gradient, try value("gradient/\(key)")) < 1e-5, "\(key)")
    }
  }
}

@Suite struct S4GANTests {
  private static func recipe(_ change: (inout S4GANRecipe) -> Void = { _ in }) -> S4GANRecipe {
    var recipe = S4GANRecipe()
    (recipe.network.width, recipe.network.levels, recipe.network.padding) = (4, 3, .same)
    (recipe.network.optimizer, recipe.network.learningRate) = (.adam, 0.01)
    (recipe.network.dropoutLevels, recipe.network.batchSize) = (0, 2)
    (recipe.network.schedule, recipe.network.tile) = (.constant, 40)
    (recipe.discriminatorWidth, recipe.discriminatorLearningRate) = (4, 0.001)
    change(&recipe)
    return recipe
  }

  private func method(_ change: (inout S4GANRecipe) -> Void = { _ in }) throws -> S4GANSegmentation {
    try Initialization.with(Generator(seed: 3)) {
      try S4GANSegmentation(recipe: Self.recipe(change), setting: Blobs.setting)
    }
  }

  private func train(
    _ method: S4GANSegmentation, steps: Int, change: (inout [String: Tensor]) -> Void = { _ in }
  ) -> [String: Tensor] {
    for step in 0..<steps {
      let context = Blobs.context(step, method)
      var layers = context.layers
      change(&layers)
      _ = method.step(
        StepContext(
          step: step, imagesSeen: step * 4, images: context.images, precision: .float32, seed: 5,
          layers: layers))
    }
    let states = method.networks.flatMap { name, module in
      module.stateDict.map { ("\(name).\($0.key)", $0.value.cloned()) }
    }
    return Dictionary(uniqueKeysWithValues: states)
  }

  private func differing(_ a: [String: Tensor], _ b: [String: Tensor]) -> Set<String> {
    let changed = a.filter { key, tensor in b[key]?.isIdentical(to: tensor) != true }
    return Set(changed.keys.compactMap { $0.split(separator: ".").first.map(String.init) })
  }

  // MARK: - Who learns from what

  @Test func labelsOfTheUnlabelledAreNeverLookedAt() throws {
    let plain = train(try method { $0.threshold = 0 }, steps: 3)
    let spoiled = train(try method { $0.threshold = 0 }, steps: 3) { layers in
      for name in ["labels", "weights"] {
        layers[name] = layers[name].map { .cat([$0[0..<2], $0[2..<4].zerosLike()]) }
      }
    }
    #expect(differing(plain, spoiled) == [])
  }

  @Test func withoutItsLossesItIsAUNet() throws {
    let method = try method { ($0.featureMatching, $0.selfTraining) = (0, 0) }
    let plain = try Initialization.with(Generator(seed: 3)) {
      try UNetSegmentation(recipe: Self.recipe().network, setting: Blobs.setting)
    }
    let context = Blobs.context(0, method)
    let labelled = StepContext(
      step: 0, imagesSeen: 0, images: context.images[0..<2], precision: .float32, seed: 5,
      layers: context.layers.mapValues { $0[0..<2] })
    let losses = (method.step(context)["loss"], plain.step(labelled)["loss"])
    #expect(abs(try #require(losses.0).item() - #require(losses.1).item()) < 1e-5)
    let learned = plain.network.stateDict
    for (key, tensor) in method.segmenter.network.stateDict {
      // Adam's first step is the gradient's sign, which hangs on rounding where the gradient is nearly 0.
      let difference = (tensor - (try #require(learned[key]))).abs().mean().item()
      #expect(difference < 1e-4, "\(key)")
    }
  }

  /// Each network is moved by its own loss alone.
  @Test func gradientsFlowWhereTheyShould() throws {
    let first = train(try method { $0.featureMatching = 0 }, steps: 1)
    let second = train(try method { $0.featureMatching = 100 }, steps: 1)
    #expect(differing(first, second) == ["network"])
    let slow = train(try method { $0.discriminatorLearningRate = 1e-6 }, steps: 1)
    #expect(differing(slow, train(try method(), steps: 1)) == ["discriminator"])
  }

  @Test func selfTrainingWaitsForTheDiscriminatorAndItsTrust() throws {
    func state(_ weight: Double, _ threshold: Double, steps: Int) throws -> [String: Tensor] {
      train(try method { ($0.selfTraining, $0.threshold) = (weight, threshold) }, steps: steps)
    }
    #expect(differing(try state(0, 0, steps: 1), try state(5, 0, steps: 1)) == [])
    #expect(differing(try state(0, 0, steps: 2), try state(5, 0, steps: 2)).contains("network"))
    #expect(differing(try state(0, 1, steps: 2), try state(5, 1, steps: 2)) == [])
  }

  @Test func itLearns() throws {
    let method = try method()
    _ = train(method, steps: 60)
    let dice = method.examine([Blobs.batch(4, seed: 99)]).measures["val_dice"]
    #expect(try #require(dice) > 0.9)
  }

  @Test func nothingIsMeasuredOnUnlabelledImages() throws {
    let method = try method()
    var heldOut = Blobs.batch(2, seed: 1)
    heldOut.layers["labels"] = Tensor.full([2, Blobs.side, Blobs.side], 255).to(.int64)
    let examination = method.examine([heldOut])
    #expect(examination.measures.isEmpty && examination.pictures.count == 1)
  }

  // MARK: - Who is labelled

  private func items(_ labelled: [Bool]) -> [TrainingItem] {
    labelled.enumerated().map { number, isLabelled in
      let labels = Tensor.full([2, 2], 255).to(.uint8)
      if isLabelled { labels[0, 1] = Tensor(UInt8(0)) }
      return TrainingItem(patient: "p\(number / 2)", layers: ["labels": labels])
    }
  }

  @Test func unlabelledImagesAreThoseOfNothingButTheIgnoredValue() throws {
    let split = try LabelledSplit(ignoreLabel: 255, count: nil)(items([true, false, false, true, true]))
    #expect(split == [[0, 3, 4], [1, 2]])
    #expect(try LabelledSplit(ignoreLabel: 255, count: nil)(items([true, true])) == [[0, 1], [0, 1]])
    #expect(try LabelledSplit(ignoreLabel: nil, count: 1)(items([false, false])).map(\.count) == [1, 1])
  }

  @Test func fewerLabelledImagesAreThoseOfFewerPatients() throws {
    let all = items([Bool](repeating: true, count: 12))
    var last: Set<Int> = []
    for count in [1, 2, 5, 12] {
      let split = try LabelledSplit(ignoreLabel: 255, count: count)(all)
      let labelled = Set(split[0])
      #expect(labelled.count == count && labelled.isSuperset(of: last))
      #expect(Set(split[0].map { $0 / 2 }).count == (count + 1) / 2)
      #expect(count == 12 || labelled.isDisjoint(with: split[1]))
      last = labelled
    }
  }

  @Test func tooFewLabelledImagesAreExplained() {
    let none = #expect(throws: RecipeError.self) {
      try LabelledSplit(ignoreLabel: 255, count: nil)(items([false]))
    }
    #expect(none?.description.hasPrefix("no training image has labels") == true)
    let few = #expect(throws: RecipeError.self) {
      try LabelledSplit(ignoreLabel: 255, count: 3)(items([true, false, true]))
    }
    #expect(
      few?.description
        == "recipe key 'labelled' is 3; expected at most 2, the training images with labels")
  }

  @Test func tilesTooSmallForTheDiscriminatorAreRefused() {
    let error = #expect(throws: RecipeError.self) { try method { $0.network.tile = 12 } }
    #expect(error?.description.contains("network.tile") == true)
  }

  // MARK: - Runs

  private func makeDataset(_ url: URL) throws {
    let batch = Blobs.batch(10, seed: 1)
    let labels = try #require(batch.layers["labels"])
    labels[3..<10] = Tensor(Int64(255))
    let writer = try DatasetWriter(
      DatasetDescription(
        name: "set", channels: 1, height: Blobs.side, width: Blobs.side, bitDepth: 8,
        classes: [LabelClass(name: "square", value: 7)],
        companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [Blobs.side, Blobs.side])]),
      to: url)
    let items = (0..<10).map {
      DatasetItem(id: "\($0)", patient: "\($0)", source: "\($0).png", split: $0 == 0 ? .validation : .train)
    }
    try writer.append(
      items, images: batch.images.quantized(bitDepth: 8), companions: ["labels": labels.to(.uint8)])
    try writer.finish(provenance: Provenance(sources: 10, tool: "test"))
  }

  private func request(_ folder: URL, _ run: String, steps: Int) throws -> TrainingRequest {
    var options = TrainingOptions(steps: steps, threads: 1, logEvery: 1, sampleEvery: 4, checkpointEvery: 3)
    options.seed = 4
    return TrainingRequest(
      dataset: folder.appendingPathComponent("set"), out: folder.appendingPathComponent(run),
      recipe: try Self.recipe { $0.network.schedule = .polynomial }.yaml, options: options)
  }

  private func state(_ run: URL) throws -> [String: Tensor] {
    let newest = try #require(try RunFolder(opening: run).newestCheckpoint()).folder
    let files = ["networks", "optimizers"].map { newest.appendingPathComponent("\($0).safetensors") }
    return try files.reduce(into: [:]) { all, file in
      for (key, tensor) in try Safetensors.read(file).tensors {
        all["\(file.lastPathComponent).\(key)"] = tensor
      }
    }
  }

  /// With augmentation, dropout, both optimisers, and the groups' own orders.
  @Test func aStoppedRunGoesOnToTheSameBits() throws {
    try withTemporaryFolder { folder in
      try makeDataset(folder.appendingPathComponent("set"))
      let type = S4GANSegmentation.self
      _ = try TrainingSession.begin(type, request(folder, "whole", steps: 8)).trainer.train()
      // A polynomial rate falls with the run's length, so the part is a longer run that is cut off.
      _ = try TrainingSession.begin(type, request(folder, "part", steps: 8))
      let part = folder.appendingPathComponent("part")
      _ = try TrainingSession.resume(part, among: [type], steps: 5).trainer.train()
      _ = try TrainingSession.resume(part, among: [type], steps: 8).trainer.train()
      let (whole, resumed) = (try state(folder.appendingPathComponent("whole")), try state(part))
      #expect(whole.count == resumed.count && whole.count > 20)
      for (key, tensor) in whole { #expect(resumed[key]?.isIdentical(to: tensor) == true, "\(key)") }
      let rows = try MetricsLog.read(part.appendingPathComponent("metrics.jsonl"))
      #expect(rows.contains { $0.values["val_dice"] != nil } && rows.contains { $0.values["chosen"] != nil })
    }
  }
}
