// Limn's sliding-window network and its U-Net on the same image: Benchmarks/sliding-window. Prints one JSON line.
//
//   limn-bench --sliding-window 512 [--method unet|sliding-window] [--width 64|48] [--levels 5] [--window 95]
//     [--rows 8] [--threads N] [--repeats 1]

import LimnSegmentation
import LimnTorch

import class Foundation.JSONSerialization

struct WindowBenchmark {
  private let options: Options
  private var size: Int { options.number("sliding-window", 512) }

  init(_ options: Options) { self.options = options }

  func run() throws {
    let isUNet = options.text("method") == "unet"
    let network = Initialization.with(Generator(seed: 0)) { isUNet ? unet : window }
    // Each row of pixels costs the window classifier the same, so some of them stand for all.
    let rows = isUNet ? size : min(size, options.number("rows", 8))
    let image = Tensor.rand([1, rows, size], generator: Generator(seed: 1)) * 2 - 1
    let times = try (0..<options.number("repeats", 1)).map { _ in
      let begun = ContinuousClock.now
      _ = try OverlapTile(network.predictor, side: size).probabilities(of: image)
      return (ContinuousClock.now - begun) / .seconds(1)
    }
    try report([
      "secondsOfImage": (times.min() ?? 0) * Double(size) / Double(rows), "rows": rows, "size": size,
      "parameters": network.parameters, "threads": Torch.threadCount,
    ])
  }

  private typealias Made = (predictor: any TilePredictor, parameters: Int)

  /// The paper's, valid.
  private var unet: Made {
    var configuration = UNetConfiguration(inputChannels: 1, classCount: 2)
    (configuration.width, configuration.levels) = (options.number("width", 64), options.number("levels", 5))
    let network = UNet(configuration)
    network.evaluate()
    return (UNetPredictor(network), network.parameterCount)
  }

  private var window: Made {
    var configuration = SlidingWindowConfiguration(inputChannels: 1, classCount: 2)
    (configuration.width, configuration.window) = (options.number("width", 48), options.number("window", 95))
    let network = SlidingWindowNetwork(configuration)
    return (SlidingWindowPredictor(network), network.parameterCount)
  }

  private func report(_ values: [String: Any]) throws {
    let line = try JSONSerialization.data(withJSONObject: values, options: [.sortedKeys])
    print(String(decoding: line, as: UTF8.self))
  }
}
