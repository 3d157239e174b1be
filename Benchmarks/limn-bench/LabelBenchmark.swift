// Times metrics of segmentations: Limn's half of Benchmarks/metrics-labels. Prints one JSON line for each.

import Foundation
import LimnMetrics
import LimnTorch

enum LabelBenchmark {
  /// The fastest of several rounds over all images of a file with `truth`, `percent` (membranes), `a` and `b`
  /// (masks), [N, H, W] each; images are measured on all cores.
  static func run(_ file: String, rounds: Int) throws {
    let tensors = try Safetensors.read(URL(fileURLWithPath: file)).tensors
    guard let truth = tensors["truth"], let percent = tensors["percent"], let a = tensors["a"],
      let b = tensors["b"]
    else { throw MetricError("\(file): no tensors truth, percent, a and b") }
    let inside = percent.isGreater(than: 50)
    try time("vrand_fg", rounds, truth.size(0)) {
      try PartitionOverlap(partsOfTruth: truth[$0], partsOfProposal: inside[$0]).vRand()
    }
    try time("warping_error", rounds, truth.size(0)) {
      try WarpingError(truth: truth[$0], prediction: percent[$0], threshold: 50).value
    }
    try time("hd95_deepmind", rounds, a.size(0)) {
      try SurfaceDistances(truth: a[$0], prediction: b[$0]).hausdorff()
    }
    try time("hd95_medpy", rounds, a.size(0)) {
      try BorderDistances(truth: a[$0], prediction: b[$0]).hausdorff()
    }
  }

  private static func time(
    _ name: String, _ rounds: Int, _ count: Int, _ measure: @Sendable (Int) throws -> Double
  ) throws {
    var fastest = Double.infinity
    var values = [Double](repeating: .nan, count: count)
    for _ in 0..<rounds {
      let begun = ContinuousClock.now
      values.withUnsafeMutableBufferPointer { buffer in
        // Each iteration writes an element of its own; a measure that throws leaves it undefined.
        nonisolated(unsafe) let places = buffer
        DispatchQueue.concurrentPerform(iterations: count) { places[$0] = (try? measure($0)) ?? .nan }
      }
      fastest = min(fastest, (ContinuousClock.now - begun) / .seconds(1))
    }
    let row: [String: Any] = [
      "metric": name, "seconds": fastest, "mean": values.reduce(0, +) / Double(count),
    ]
    let line = try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys])
    print(String(decoding: line, as: UTF8.self))
  }
}
