// `limn generate`: a run in, a synthetic dataset or a latent walk out.

import ArgumentParser
import Foundation
import LimnImaging
import LimnSynthesis
import LimnTorch
import LimnTraining

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Draw images from a trained run: a dataset, one image, or a walk through latent space.",
    discussion: """
      Images come with their companions (SkrGAN: sketches) and are marked as synthetic. Each image depends on \
      its own seed alone, which dataset.json records: --image-seed draws it again.

      Examples:
        limn generate runs/00000-skrgan-lungs --count 64 --out data/synthetic
        limn generate runs/00000-skrgan-lungs --count 64 --truncation 0.7 --bits 16 --out data/typical
        limn generate runs/00000-skrgan-lungs --image-seed 11400714819323198485 --out one.png
        limn generate runs/00001-skrgan-fundus --count 2000 --sketch-label vessel=0.3 --out data/labelled
        limn generate runs/00000-skrgan-lungs --walk 6 --frames 12 --out walk.png
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var source: String

  @Option(help: "The new dataset's folder; a PNG file with --walk or --image-seed.")
  var out: String

  @Option(help: "How many images to draw.")
  var count = 64

  @Option(help: "Seed that the seeds of all images follow from.")
  var seed: UInt64 = 0

  @Option(help: "Below 1: more typical, less varied images; 0 gives the mean image.")
  var truncation = 1.0

  @Option(help: "Bits of a stored pixel: 8 or 16.")
  var bits = 8

  @Option(
    help: """
      Take sketches for labels: NAME=LEVEL, such as vessel=0.3, gives the class NAME to whatever is brighter in \
      a sketch than LEVEL of white. For methods that draw sketches.
      """)
  var sketchLabel: SketchLabel?

  @Option(help: "Draw one image by the seed that dataset.json records, with its companions beside it.")
  var imageSeed: UInt64?

  @Option(help: "Walk through latent space between so many points; gives a strip, or with --animate a film.")
  var walk: Int?

  @Option(help: "Images from one point of a walk to the next.")
  var frames = 8

  @Flag(help: "Write the walk as an animated PNG instead of a strip.")
  var animate = false

  @Option(help: "What computes: cpu, cuda or cuda:N.")
  var device = "cpu"

  func validate() throws {
    guard count > 0, frames > 0, walk ?? 2 >= 2 else {
      throw ValidationError("--count and --frames need 1 or more, --walk 2 or more")
    }
    guard (0...1).contains(truncation) else { throw ValidationError("--truncation: expected 0 to 1") }
    guard [8, 16].contains(bits) else { throw ValidationError("--bits: expected 8 or 16") }
  }

  func run() throws {
    let trained = try TrainingSession.trained(
      URL(fileURLWithPath: source), among: Methods.all, device: device)
    guard let method = trained.method as? any GenerativeMethod else {
      throw RunError(
        "\(source): its method does not draw images from noise; 'limn methods' says what each does")
    }
    if let imageSeed {
      try writeImage(method.generate(seed: imageSeed, truncation: truncation))
    } else if let walk {
      try writeWalk(method, count: walk)
    } else {
      try writeCohort(method, shape: trained.checkpoint.info.setting.shape)
    }
  }

  private func writeCohort(_ method: any GenerativeMethod, shape: ImageShape) throws {
    Interruption.install()
    let cohort = SyntheticCohort(
      count: count, seed: seed, truncation: truncation, bitDepth: bits, sketchLabel: sketchLabel)
    let line = ProgressLine(label: "image", total: count, unit: "img")
    let name = URL(fileURLWithPath: source).lastPathComponent
    try cohort.write(method, shape: shape, source: name, to: URL(fileURLWithPath: out)) { drawn in
      guard !Interruption.isRequested else { throw CommandFailure.interrupted("nothing was written") }
      line.update(drawn)
    }
    line.finish(count)
    print("\(count) synthetic images written to \(out)")
  }

  /// The image's own pixels, as a cohort holds them; companions beside it, `one-sketches.png`.
  private func writeImage(_ drawn: GeneratedImage) throws {
    let place = URL(fileURLWithPath: out)
    let stem = place.deletingPathExtension().lastPathComponent
    var files = [(place, drawn.image)]
    for (name, companion) in drawn.companions.sorted(by: { $0.key < $1.key }) {
      let beside = place.deletingLastPathComponent().appendingPathComponent("\(stem)-\(name).png")
      files.append((beside, companion))
    }
    for (file, pixels) in files {
      try PNGFile.write(pixels: pixels.quantized(bitDepth: bits), text: note, to: file)
      print("written to \(file.relativePath)")
    }
  }

  private func writeWalk(_ method: any GenerativeMethod, count: Int) throws {
    let cohort = SyntheticCohort(count: count, seed: seed)
    let drawn = method.walk(
      seeds: (0..<count).map(cohort.seed(of:)), frames: frames, truncation: truncation)
    try animate ? writeAnimation(drawn) : writeStrip(drawn)
  }

  /// Images in a row (of at most 16), each companion's row below.
  private func writeStrip(_ drawn: [GeneratedImage]) throws {
    let names = drawn.first?.companions.keys.sorted() ?? []
    let rows =
      [Tensor.stack(drawn.map(\.image))]
      + names.map { name in Tensor.stack(drawn.compactMap { $0.companions[name] }) }
    let sheet = ContactSheet(columns: min(16, drawn.count)).image(ofRows: rows)
    try PNGFile.write(pixels: sheet, text: note, to: URL(fileURLWithPath: out))
    print("written to \(out)")
  }

  private func writeAnimation(_ drawn: [GeneratedImage]) throws {
    let frames = drawn.map { ContactSheet.bytes($0.image) }
    let png = try AnimatedPNG.encode(frames: frames, framesPerSecond: 12, text: note)
    try AtomicFile.write(png, to: URL(fileURLWithPath: out))
    print("written to \(out)")
  }

  private var note: [String: String] {
    PNGFile.syntheticText("drawn by Limn from \(URL(fileURLWithPath: source).lastPathComponent)")
  }
}

extension SketchLabel: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
