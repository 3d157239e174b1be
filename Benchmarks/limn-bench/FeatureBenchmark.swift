// Times metrics on what a reference script left in a file: Limn's half of Benchmarks/metrics-features.

import Foundation
import LimnMetrics
import LimnTorch

/// `limn-bench --fid FILE` and `limn-bench --swd FILE`: JSON lines with the value and the fastest of some
/// rounds, in seconds.
enum FeatureBenchmark {
  /// From two matrices of features, `a` and `b` [N, D]; then from their moments.
  static func fid(_ path: String, rounds: Int) throws {
    let tensors = try Safetensors.read(URL(fileURLWithPath: path)).tensors
    guard let a = tensors["a"], let b = tensors["b"] else { throw MetricError("\(path): no tensors a and b") }
    try report("fid", rounds: rounds) { [try FrechetDistance.between(a, b)] }
    let moments = (FeatureStatistics(of: a), FeatureStatistics(of: b))
    try report("fid_of_moments", rounds: rounds) { [try FrechetDistance.between(moments.0, moments.1)] }
  }

  /// From grey images `real` and `generated` uint8 [N, 1, S, S], and a plan: `positions.real.LEVEL`,
  /// `positions.generated.LEVEL` [N, P, 2] and `directions` [D, 147].
  static func swd(_ path: String, rounds: Int) throws {
    let tensors = try Safetensors.read(URL(fileURLWithPath: path)).tensors
    guard let real = tensors["real"], let generated = tensors["generated"],
      let directions = tensors["directions"]
    else { throw MetricError("\(path): no tensors real, generated and directions") }
    func centers(_ set: String) -> [Tensor] {
      (0...).lazy.map { tensors["positions.\(set).\($0)"] }.prefix { $0 != nil }.compactMap { $0 }
    }
    let images = Array(0..<real.size(0))
    let plan = SWD.Plan(
      realImages: images, generatedImages: images, realCenters: centers("real"),
      generatedCenters: centers("generated"), directions: centers("real").map { _ in directions })
    let sets = (
      try TensorImages(real, name: "real"), try TensorImages(generated, name: "generated")
    )
    try report("swd", rounds: rounds) {
      try SWD.between(real: sets.0, generated: sets.1, plan: plan).levels.map(\.value)
    }
  }

  private static func report(_ metric: String, rounds: Int, _ body: () throws -> [Double]) throws {
    var (values, seconds): ([Double], [Double]) = ([], [])
    for _ in 0..<rounds {
      let start = ContinuousClock.now
      values = try body()
      seconds.append((ContinuousClock.now - start) / .seconds(1))
    }
    let row: [String: Any] = [
      "metric": metric, "values": values, "seconds": seconds.min() ?? 0, "threads": Torch.threadCount,
    ]
    let line = try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys])
    print(String(decoding: line, as: UTF8.self))
  }
}
