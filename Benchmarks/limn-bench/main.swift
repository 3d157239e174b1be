// Times one training step of PGGAN, of SkrGAN or of RegGAN's modes: Limn's half of Benchmarks/run. Prints one JSON line for
// each configuration, in the form of Benchmarks/reference/bench_step.py.
//
//   limn-bench [--methods pggan,skrgan,reggan-nc+r,reggan-c+r,reggan-pix2pix] [--sizes 64,128] [--dtypes float32,bf16] [--width-max 512]
//     [--repeats 5]
//   limn-bench --fid FILE | --swd FILE     times a metric instead, see FeatureBenchmark.swift
//   limn-bench --labels FILE [--repeats 5]     times metrics of segmentations instead, see LabelBenchmark.swift
//   limn-bench --tiles SIZE | --overlap-tile IMAGE     overlap-tile inference instead, see TileBenchmark.swift
//   limn-bench --sliding-window SIZE     U-Net or its predecessor instead, see WindowBenchmark.swift

import Foundation
import LimnSynthesis
import LimnTorch
import LimnTraining
import LimnTranslation

/// The command line, as key-value pairs.
struct Options {
  private var values: [String: String] = [:]

  init(_ arguments: [String]) {
    for (key, value) in zip(arguments, arguments.dropFirst()) where key.hasPrefix("--") {
      values[String(key.dropFirst(2))] = value
    }
  }

  func list(_ key: String, _ standard: String) -> [String] {
    (values[key] ?? standard).split(separator: ",").map(String.init)
  }

  func text(_ key: String) -> String? { values[key] }

  func number(_ key: String, _ standard: Int) -> Int { values[key].flatMap(Int.init) ?? standard }
}

func makeMethod(_ name: String, size: Int, batch: Int, widthMax: Int, ngf: Int) throws -> any Method {
  let setting = MethodSetting(
    shape: ImageShape(channels: 1, height: size, width: size), totalImages: 1_000_000)
  if name.hasPrefix("reggan-") {
    return try translation(String(name.dropFirst("reggan-".count)), batch: batch, ngf: ngf, setting)
  }
  var sketch = PGGANRecipe()
  sketch.firstResolution = size
  sketch.widthMax = widthMax
  sketch.batchSizes = [batch]
  guard name == "skrgan" else { return try PGGAN(recipe: sketch, setting: setting) }
  var recipe = SkrGANRecipe()
  recipe.sketch = sketch
  recipe.render.width = ngf
  recipe.render.discriminatorWidth = ngf
  recipe.render.batchSize = batch
  // As the reference: batch statistics, and the two parts of the objective without the joint term.
  recipe.render.normalization = .batch
  recipe.render.jointWeight = 0
  return try SkrGAN(recipe: recipe, setting: setting)
}

/// RegGAN's study: its modes, and Pix2Pix over the same networks.
func translation(_ mode: String, batch: Int, ngf: Int, _ setting: MethodSetting) throws -> any Method {
  guard mode == "pix2pix" else {
    var recipe = RegGANRecipe()
    recipe.registration.freshFakes = mode.hasSuffix("-fresh")
    let plain = mode.replacingOccurrences(of: "-fresh", with: "")
    guard let known = TranslationMode(rawValue: plain) else { preconditionFailure("no such mode: \(mode)") }
    (recipe.mode, recipe.width, recipe.discriminatorWidth, recipe.batchSize) = (known, ngf, ngf, batch)
    return try RegGAN(recipe: recipe, setting: setting)
  }
  var recipe = Pix2PixRecipe()
  (recipe.generator, recipe.normalization, recipe.loss) = (.resnet, .instance, .lsgan)
  (recipe.averagesPatches, recipe.halvesDiscriminator, recipe.blocks) = (true, false, 9)
  (recipe.width, recipe.discriminatorWidth, recipe.batchSize) = (ngf, ngf, batch)
  return try Pix2Pix(recipe: recipe, setting: setting)
}

func secondsPerStep(_ method: any Method, images: Tensor, precision: DType, repeats: Int) -> [Double] {
  (0...repeats).map { step in
    let context = StepContext(
      step: step, imagesSeen: step * images.size(0), images: images, precision: precision, seed: 0,
      layers: ["targets": images.flipped([3])])
    let start = ContinuousClock.now
    let losses = method.step(context)
    precondition(losses.values.allSatisfy { $0.item().isFinite }, "a loss is not finite")
    return (ContinuousClock.now - start) / .seconds(1)
  }.dropFirst().sorted()
}

let options = Options(CommandLine.arguments)
if let file = options.list("labels", "").first {
  try LabelBenchmark.run(file, rounds: options.number("repeats", 5))
  exit(0)
}
let repeats = options.number("repeats", 5)
let widthMax = options.number("width-max", 512)
let ngf = options.number("ngf", 64)
Torch.threadCount = options.number("threads", Torch.threadCount)

if options.text("tiles") != nil || options.text("overlap-tile") != nil {
  try TileBenchmark(options).run()
  exit(0)
}
if options.text("sliding-window") != nil {
  try WindowBenchmark(options).run()
  exit(0)
}
if options.text("fid") != nil || options.text("swd") != nil {
  try options.text("fid").map { try FeatureBenchmark.fid($0, rounds: repeats) }
  try options.text("swd").map { try FeatureBenchmark.swd($0, rounds: repeats) }
  exit(0)
}

Torch.keepFreedMemory()  // as `limn train` does
for size in options.list("sizes", "64,128").compactMap(Int.init) {
  let batch = options.number("batch", size <= 64 ? 8 : 4)
  for dtype in options.list("dtypes", "float32") {
    for name in options.list("methods", "pggan,skrgan") {
      let random = Generator(seed: 0)
      let method = try Initialization.with(random) {
        try makeMethod(name, size: size, batch: batch, widthMax: widthMax, ngf: ngf)
      }
      let images = Tensor.rand([batch, 1, size, size], generator: random) * 2 - 1
      let times = secondsPerStep(
        method, images: images, precision: dtype == "bf16" ? .bfloat16 : .float32, repeats: repeats)
      let row: [String: Any] = [
        "implementation": "limn", "torch": Torch.version, "method": name, "size": size, "batch": batch,
        "fmap_max": widthMax, "dtype": dtype, "threads": Torch.threadCount, "repeats": repeats,
        "seconds_per_step": times[times.count / 2], "fastest": times[0],
      ]
      let line = try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys])
      print(String(decoding: line, as: UTF8.self))
    }
  }
}
