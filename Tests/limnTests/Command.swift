// The built `limn` as a process of its own, which can be stopped by signals.

import Foundation
import LimnImaging
import LimnTorch
import Testing

/// Runs the command that stands beside the tests.
enum Command {
  struct Result {
    let status: Int32
    let wasKilled: Bool
    let output: String
    let error: String
    /// What a person reads last.
    var lastLine: String { error.split(separator: "\n").last.map(String.init) ?? "" }
  }

  static let program = Bundle.main.executableURL.map {
    $0.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("limn")
  }

  /// - Parameters:
  ///   - words: the arguments, separated by blanks.
  ///   - folder: the working folder.
  ///   - environment: variables beside those of this process.
  ///   - stop: a signal, and the condition on which it is sent; asked every millisecond.
  /// - Returns: how it ended and what it wrote.
  /// - Throws: where the process cannot be started.
  @discardableResult
  static func limn(
    _ words: String, in folder: URL, environment: [String: String] = [:],
    stop: (signal: Int32, when: () -> Bool)? = nil
  ) throws -> Result {
    let process = Process()
    let program: URL = try #require(program)
    process.executableURL = program
    process.arguments = words.split(separator: " ").map(String.init)
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment
      .merging(["OMP_NUM_THREADS": "1"]) { $1 }.merging(environment) { $1 }
    let (output, error) = (folder.appendingPathComponent("stdout"), folder.appendingPathComponent("stderr"))
    for file in [output, error] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    // Nothing here takes minutes; what hangs must not hang the tests.
    let deadline = ContinuousClock.now + .seconds(120)
    let isInTime = { process.isRunning && ContinuousClock.now < deadline }
    if let stop {
      while isInTime(), !stop.when() { usleep(1000) }
      kill(process.processIdentifier, stop.signal)
    }
    while isInTime() { usleep(1000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: try String(contentsOf: output, encoding: .utf8),
      error: try String(contentsOf: error, encoding: .utf8))
  }

  /// A dataset `set` of 12 grey images of 32×32 pixels in `folder`.
  static func makeDataset(in folder: URL) throws {
    let scans = folder.appendingPathComponent("scans")
    try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
    for number in 0..<12 {
      let coarse = Tensor.rand([1, 1, 4, 4], generator: Generator(seed: UInt64(number)))
      let pixels = (interpolate(coarse, size: [32, 32], mode: .bilinear)[0] * 255).to(.uint8)
      try PNGFile.write(pixels: pixels, to: scans.appendingPathComponent("p\(number).png"))
    }
    let imported = try limn("import scans --out set --split 1 --key key", in: folder)
    try #require(imported.status == 0, "\(imported.error)")
  }

  /// Networks so narrow that a step takes milliseconds, growing to the full size within 120 images.
  static let tiny = """
    train skrgan --data set --images 120 --threads 1 --precision float32 --seed 5 --set sketch.width_max=4 \
    --set sketch.latent_size=4 --set render.width=2 --set render.discriminator_width=2 \
    --set sketch.batch_sizes=[4] --log-every 1 --sample-every 11 --checkpoint-every 4
    """
}
