// Distributions of a quantity in several sets, drawn over each other.

import Foundation
import LimnTorch

/// Several samples of one quantity as outlines of shares over equal bins.
public struct HistogramChart: Sendable {
  /// One set of values.
  public struct Sample: Sendable {
    /// What the legend calls the set.
    public var name: String
    /// The values; those that are not finite are left out.
    public var values: [Double]

    /// A set of values under a name.
    public init(name: String, values: [Double]) { (self.name, self.values) = (name, values) }
  }

  /// Stands above the drawing.
  public var title: String
  /// What the values are.
  public var xLabel: String
  /// The sets, in the legend's order.
  public var samples: [Sample]
  /// How many bins there are between the least and the greatest value.
  public var binCount: Int

  /// A drawing with 40 bins unless another number is given.
  public init(title: String, xLabel: String, samples: [Sample], binCount: Int = 40) {
    (self.title, self.xLabel, self.samples, self.binCount) = (title, xLabel, samples, binCount)
  }
}

extension HistogramChart {
  /// The shares of each sample, in per cent, in bins that cover all of them.
  func shares(on axis: ChartAxis) -> [[Double]] {
    samples.map { sample in
      let values = sample.values.filter(\.isFinite)
      var counts = [Double](repeating: 0, count: binCount)
      for value in values {
        let bin = Int(axis.position(value) * Double(binCount))
        counts[min(max(bin, 0), binCount - 1)] += 100 / Double(values.count)
      }
      return counts
    }
  }

  /// The drawing as a `figure` element, laid out as line charts are.
  func html() -> String {
    let x = ChartAxis.rounded(over: samples.flatMap(\.values).filter(\.isFinite), scale: .linear)
    let shares = shares(on: x)
    let y = ChartAxis.rounded(over: [0] + shares.joined(), scale: .linear)
    let places = { (axis: ChartAxis, side: String) in
      axis.ticks.map { tick in
        let place = side == "top" ? 1 - axis.position(tick) : axis.position(tick)
        return "<span style=\"\(side):\(String(format: "%.2f%%", place * 100))\">\(axis.label(tick))</span>"
      }.joined()
    }
    return """
      <figure class="chart">
      <figcaption>\(title.htmlEscaped) <small>% of each set</small></figcaption>
      \(legend)
      <div class="plot">
      <div class="y">\(places(y, "top"))</div>
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="\(spoken.htmlEscaped)">
      \(grid(y))
      \(zip(shares.indices, shares).map { outline($1, index: $0, on: y) }.joined(separator: "\n"))
      </svg>
      <div class="x">\(places(x, "left"))</div>
      </div>
      <div class="axis">\(xLabel.htmlEscaped)</div>
      </figure>
      """
  }

  private var legend: String {
    let items = samples.enumerated().map { index, sample in
      "<li class=\"s\(index % 6)\">\(sample.name.htmlEscaped) <b>\(Self.median(sample))</b></li>"
    }
    return "<ul class=\"legend\">\(items.joined())</ul>"
  }

  private var spoken: String {
    let medians = samples.map { "\($0.name) \(Self.median($0))" }.joined(separator: ", ")
    return "Histogram of \(title) over \(xLabel). \(medians)."
  }

  private static func median(_ sample: Sample) -> String {
    let sorted = sample.values.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return "no values" }
    return "median \(HumanReadable.number(sorted[sorted.count / 2]))"
  }

  private func grid(_ y: ChartAxis) -> String {
    y.ticks.map { "<path class=\"grid\" d=\"M0 \(Self.units(1 - y.position($0)))H1000\"/>" }.joined()
  }

  private func outline(_ shares: [Double], index: Int, on y: ChartAxis) -> String {
    let steps = shares.enumerated().map { bin, share in
      let right = Double(bin + 1) / Double(binCount)
      return "V\(Self.units(1 - y.position(share)))H\(Self.units(right))"
    }
    let path = "M0 1000\(steps.joined())V1000"
    let (band, line) = ("<path class=\"band\" d=\"\(path)Z\"/>", "<path class=\"line\" d=\"\(path)\"/>")
    return "<g class=\"s\(index % 6)\">\(band)\(line)</g>"
  }

  private static func units(_ fraction: Double) -> String { String(format: "%.1f", fraction * 1000) }
}
