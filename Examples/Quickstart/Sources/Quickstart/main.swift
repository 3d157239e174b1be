// Limn as a library: load a dataset, train and run a generator, compute a metric.
//
//   Quickstart            makes a small dataset of blurred discs in a temporary folder
//   Quickstart DATASET    takes a folder that `limn import` has made; square, a power of two from 16 on

import Foundation
import LimnDatasets
import LimnMetrics
import LimnSynthesis
import LimnTorch
import LimnTraining

/// Writes 64 images of 32×32 pixels, each with a bright disc somewhere, as an import would.
func makeDiscs(at folder: URL) throws {
  let size = 32
  let generator = Generator(seed: 1)
  let description = DatasetDescription(name: "discs", channels: 1, height: size, width: size, bitDepth: 8)
  let writer = try DatasetWriter(description, to: folder)
  let x = Tensor.linspace(-1, 1, count: size).reshaped([1, size])  // [1, W]
  let y = x.transposed(0, 1)  // [H, 1]
  for index in 0..<64 {
    let place = Tensor.rand([3], generator: generator)
    let distance = ((x - place[0] + 0.5).square() + (y - place[1] + 0.5).square()).sqrt()  // [H, W]
    let disc = tanh((place[2] * 0.3 + 0.2 - distance) * 8)  // 1 inside, −1 outside
    // Each image is a patient of its own, so that splits may part any two of them.
    let item = DatasetItem(id: "disc-\(index)", patient: "disc-\(index)", source: "Quickstart")
    try writer.append(item, image: disc.unsqueezed(0).quantized(bitDepth: 8))  // uint8 [C, H, W]
  }
  // Nothing is at `folder` before this line, and a whole dataset after it.
  try writer.finish(provenance: Provenance(sources: 1, tool: "Quickstart"))
}

/// The dataset named on the command line, or a new one.
func openDataset(in temporary: URL) throws -> Dataset {
  if let path = CommandLine.arguments.dropFirst().first { return try .open(URL(fileURLWithPath: path)) }
  let folder = temporary.appendingPathComponent("discs")
  try makeDiscs(at: folder)
  return try .open(folder)
}

/// PGGAN, much narrower than the paper's, trained for a moment.
///
/// The loop is here to be seen; `TrainingSession` runs it with checkpoints, logs and a report.
func trainedGenerator(on dataset: Dataset, steps: Int) throws -> PGGAN {
  let batchSize = 8
  var recipe = PGGANRecipe()  // the paper's values; `limn methods pggan` lists them
  (recipe.widthMax, recipe.latentSize) = (16, 16)
  (recipe.batchSizes, recipe.learningRates) = ([batchSize], [0.002])
  recipe.averageDecay = 0.9
  let setting = MethodSetting(shape: dataset.shape, totalImages: steps * batchSize)
  // Fresh weights are drawn from this generator: the same seed gives the same network.
  let method = try Initialization.with(Generator(seed: 2)) { try PGGAN(recipe: recipe, setting: setting) }
  let loader = try BatchLoader(dataset, batchSize: batchSize, seed: 3)
  for step in 0..<steps {
    let context = StepContext(
      step: step, imagesSeen: step * batchSize, images: loader.batch(step: step).images,  // [N, C, H, W]
      precision: .float32, seed: 4)
    let losses = method.step(context)
    if (step + 1) % 20 == 0, let loss = losses["loss_d"] { print("step \(step + 1): loss_d \(loss.item())") }
  }
  return method
}

func quickstart(in temporary: URL) throws {
  let dataset = try openDataset(in: temporary)
  print("\(dataset.manifest.name): \(dataset.count) images, \(dataset.shape)")

  let method = try trainedGenerator(on: dataset, steps: 60)
  // Each image depends on its own seed and nothing else; [C, H, W] in [−1, 1].
  let drawn = (0..<64).map { method.generate(seed: $0, truncation: 1).image }

  // Metrics compare 8-bit images, [N, C, H, W]. So short a training draws poor images, and the figures say
  // so.
  let real = dataset.images(at: dataset.indices(of: nil)).quantized(bitDepth: 8)
  let evaluation = try Evaluation.run(
    real: TensorImages(real, name: dataset.manifest.name),
    fake: TensorImages(Tensor.stack(drawn).quantized(bitDepth: 8), name: "PGGAN"))
  print(evaluation.table)
}

/// Runs `body` with a fresh folder that is removed afterwards.
func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("limn-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}

do {
  try withTemporaryFolder(quickstart)
} catch {
  // Limn's errors are one line each: what was found, what was expected, what to do.
  FileHandle.standardError.write(Data("Quickstart: \(error)\n".utf8))
  exit(1)
}
