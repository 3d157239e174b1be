// Metrics of features beside pytorch-fid, torch-fidelity, prdc, scikit-learn and SciPy.

import LimnTorch
import Testing

@testable import LimnMetrics

extension MetricComparison {
  @Test(.enabled(if: MetricReference.has("features")))
  func features() throws {
    try compare("features") { table in
      for name in table.cases {
        let pair = featurePair(try table.input(name, "real"), try table.input(name, "generated"))
        for metric in table.metrics(of: name) {
          try table.compare(
            name, metric, try value(of: metric, pair, table, name), within: tolerance(of: metric, name))
        }
      }
      #expect(table.leftOver.isEmpty)
    }
  }

  /// Roots of eigenvalues that ought to be zero are most of torch-fidelity's error where ranks are deficient.
  private func tolerance(of metric: String, _ name: String) -> Double {
    name == "wide" && metric.hasPrefix("fid") ? 1e-4 : 1e-6
  }

  private func value(
    of metric: String, _ pair: FeaturePair, _ table: ComparisonTable, _ name: String
  ) throws -> Double {
    let size = min(pair.real.size(0), pair.generated.size(0))
    switch metric.split(separator: " (")[0] {
    case "fid": return try FrechetDistance.between(pair.real, pair.generated)
    case "fid_n": return try FrechetDistance.between(pair.real, pair.generated, divisor: .sampleCount)
    case "kid_full":
      return try KID(subsets: 0).measure(featurePair(pair.real[0..<size], pair.generated[0..<size])).value
    case "kid": return try Tensor(subsetValues(pair, table, name)).mean().item()
    // torch-fidelity divides by the number of subsets.
    case "kid std": return try Tensor(subsetValues(pair, table, name)).std(unbiased: false).item()
    case "precision" where metric.hasSuffix("(prdc)"):
      return try DensityCoverage(figure: .precision).measure(pair).value
    case "recall" where metric.hasSuffix("(prdc)"):
      return try DensityCoverage(figure: .recall).measure(pair).value
    case "precision": return try PrecisionRecall(figure: .precision).measure(pair).value
    case "recall": return try PrecisionRecall(figure: .recall).measure(pair).value
    case "density": return try DensityCoverage(figure: .density).measure(pair).value
    case "coverage": return try DensityCoverage(figure: .coverage).measure(pair).value
    case "cmmd": return try CMMD().measure(pair).value
    default: return .nan
    }
  }

  /// KID of the rows that torch-fidelity drew.
  private func subsetValues(_ pair: FeaturePair, _ table: ComparisonTable, _ name: String) throws -> [Double]
  {
    func members(_ key: String, of count: Int) throws -> Tensor {
      let rows = try table.input(name, key)
      return Tensor.stack(
        (0..<rows.size(0)).map { subset in
          let mask = Tensor.zeros([count], dtype: .float64)
          mask[rows[subset]] = Tensor(1.0)
          return mask
        })
    }
    return KernelDiscrepancy(kernel: .cubic, isUnbiased: true).values(
      pair.real, pair.generated,
      SubsetPair(
        first: try members("real_rows", of: pair.real.size(0)),
        second: try members("generated_rows", of: pair.generated.size(0))))
  }
}
