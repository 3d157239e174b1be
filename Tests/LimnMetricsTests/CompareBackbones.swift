// Feature networks on images, preprocessing included, against the references of
// scripts/compare_metrics/backbones.py.

import LimnBackbones
import LimnMetrics
import LimnTestSupport
import LimnTorch
import Testing

extension MetricComparison {
  @Test(.enabled(if: MetricReference.has("backbones")))
  func backbones() throws {
    try compare("backbones") { table in
      for name in table.cases {
        let images = try table.input(name, "images")
        let network = try extractor(String(name.split(separator: ":")[0]))
        let scores = try network.scores(of: images)
        try table.compare(name, "features", values(try network.features(of: images)), within: 1e-4)
        try table.compare(name, "scores", values(scores), within: 1e-4)
        guard name.hasPrefix("published:") else { continue }
        try table.compare(name, "top1", values(scores.argmax(dim: 1)), within: 0)
      }
      #expect(table.leftOver.isEmpty)
    }
  }

  private func extractor(_ name: String) throws -> NetworkFeatures {
    guard name != "published" else { return try NetworkFeatures(.standard) }
    let network = try PublishedNetwork.named(name).make()
    BackboneWeights.fill(network)
    return NetworkFeatures(network, weights: "rule")
  }

  private func values(_ x: Tensor) -> [Double] { x.to(.float64).reshaped([-1]).array(of: Double.self) }
}
