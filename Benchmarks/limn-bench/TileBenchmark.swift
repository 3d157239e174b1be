// Overlap-tile inference of padded U-Nets, files in and out. Prints one JSON line.
//
//   limn-bench --tiles 20000 [--width 4] [--levels 3] [--side 1024] [--batch 1] [--threads N] [--folder FOLDER]
//     makes a TIFF of that side, and labels it: seconds and the most memory that the process held.
//   limn-bench --overlap-tile IMAGE --weights FILE --width 16 --levels 4 --side 416 [--out FILE]
//     Limn's half of Benchmarks/overlap-tile: an image's probabilities, as 16-bit numbers in a TIFF where asked for.

import Foundation
import LimnImaging
import LimnSegmentation
import LimnTorch

struct TileBenchmark {
  private let options: Options
  private let network: UNet

  init(_ options: Options) throws {
    self.options = options
    var configuration = UNetConfiguration(inputChannels: 1, classCount: 2)
    configuration.width = options.number("width", 4)
    configuration.levels = options.number("levels", 3)
    (configuration.padding, configuration.dropoutLevels) = (.same, 0)
    network = Initialization.with(Generator(seed: 0)) { UNet(configuration) }
    if let weights = options.text("weights") {
      try network.load(Safetensors.read(URL(fileURLWithPath: weights)).tensors)
    }
    network.evaluate()
  }

  func run() throws {
    guard let image = options.text("overlap-tile") else { return try labelLargeImage() }
    let seconds = try probabilities(of: URL(fileURLWithPath: image))
    try report(["seconds": seconds])
  }

  private var tiles: OverlapTile {
    OverlapTile(
      UNetPredictor(network), side: options.number("side", 1024), batch: options.number("batch", 1))
  }

  /// The middle of several runs from the file to probabilities, the second class's kept where asked for.
  private func probabilities(of image: URL) throws -> Double {
    let times = try (0..<options.number("repeats", 1)).map { _ in
      let begun = ContinuousClock.now
      let source = try TIFFTileSource(TIFFRegionReader(image))
      if let out = options.text("out") {
        let format = TIFFFormat(height: source.height, width: source.width, dtype: .uint16)
        try TIFFStripWriter.write(format, to: URL(fileURLWithPath: out)) { sink in
          try tiles.write(from: source, to: sink) { tiles in
            (UNetPredictor(network).probabilities(tiles)[.all, 1..<2] * 2 - 1).quantized(bitDepth: 16)
          }
        }
      } else {
        let tiles = tiles
        try tiles.write(from: source, to: Discarding(), answer: tiles.predictor.probabilities)
      }
      return (ContinuousClock.now - begun) / .seconds(1)
    }
    return times.sorted()[times.count / 2]
  }

  private func labelLargeImage() throws {
    let size = options.number("tiles", 20_000)
    let folder = URL(fileURLWithPath: options.text("folder") ?? NSTemporaryDirectory())
    let (input, output) = ("limn-tiles.tif", "limn-tiles-labels.tif")
    let places = [input, output].map(folder.appendingPathComponent)
    defer { for place in places { try? FileManager.default.removeItem(at: place) } }
    var begun = ContinuousClock.now
    try writeCells(size: size, to: places[0])
    let making = (ContinuousClock.now - begun) / .seconds(1)
    begun = ContinuousClock.now
    let source = try TIFFTileSource(TIFFRegionReader(places[0]))
    let palette = Array(LabelColours.palette.prefix(2))
    let format = TIFFFormat(height: size, width: size, dtype: .uint8, palette: palette)
    let tiles = tiles
    try TIFFStripWriter.write(format, to: places[1]) { sink in
      try tiles.write(from: source, to: sink, progress: tell) {
        tiles.predictor.probabilities($0).argmax(dim: 1, keepDim: true).to(.uint8)
      }
    }
    let seconds = (ContinuousClock.now - begun) / .seconds(1)
    try report(["size": size, "seconds": seconds, "secondsOfMaking": making])
  }

  private func tell(_ progress: TileProgress) {
    FileHandle.standardError.write(Data("\r\(progress.finished) of \(progress.total) tiles".utf8))
  }

  /// Waves with noise, 256 rows at a time.
  private func writeCells(size: Int, to url: URL) throws {
    let generator = Generator(seed: 1)
    let x = (Tensor.arange(size, dtype: .float32) / 9).sin()
    let format = TIFFFormat(height: size, width: size, dtype: .uint8)
    try TIFFStripWriter.write(format, to: url) { writer in
      for first in stride(from: 0, to: size, by: 256) {
        let last = min(size, first + 256)
        let y = (Tensor.arange(Double(first), Double(last)) / 7).cos()
        let noise = Tensor.rand([last - first, size], generator: generator)
        try writer.append((y.unsqueezed(1) * x * 0.7 + noise * 0.3).unsqueezed(0).quantized(bitDepth: 8))
      }
    }
  }

  private func report(_ values: [String: Any]) throws {
    let all = values.merging([
      "threads": Torch.threadCount, "peakBytes": peakBytes, "side": options.number("side", 1024),
    ]) { $1 }
    let line = try JSONSerialization.data(withJSONObject: all, options: [.sortedKeys])
    print(String(decoding: line, as: UTF8.self))
  }

  /// The most memory that this process has held, in bytes. (`getrusage` counts what the parent held, too.)
  private var peakBytes: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
  }
}

/// Answers that nobody keeps.
private final class Discarding: TileSink {
  func append(_ rows: Tensor) {}
}
