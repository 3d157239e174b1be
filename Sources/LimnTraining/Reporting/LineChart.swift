// A line chart's data, and how long series are thinned for drawing.

import Foundation

/// Several quantities over the same horizontal quantity, drawn as lines.
public struct LineChart: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// What the legend calls the line; where it equals the chart's title, the legend says `last`.
    public var name: String
    /// The points in the order of `x`; a value that is not finite leaves a gap.
    public var points: [(x: Double, y: Double)]

    /// A line through `points` as they come, without sorting them.
    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  /// Stands above the chart.
  public var title: String
  /// What stands along the horizontal axis, e.g. `step`.
  public var xLabel: String
  /// Of the vertical axis; the horizontal one is always linear.
  public var scale: ChartScale
  /// The lines, in the legend's order; the seventh has the colour of the first again.
  public var series: [Series]

  /// A chart whose vertical axis is laid out by `scale`.
  public init(title: String, xLabel: String = "step", scale: ChartScale = .linear, series: [Series]) {
    self.title = title
    self.xLabel = xLabel
    self.scale = scale
    self.series = series
  }
}

/// Neighbouring points of a series drawn as one: their mean, and the range they span.
struct ChartPoint: Equatable {
  var x: Double
  var mean: Double
  var low: Double
  var high: Double
}

extension LineChart.Series {
  /// Runs of at most `limit` points in all, split where `axis` cannot show a value.
  ///
  /// A run of rows becomes one point when there are more rows than the drawing has room for.
  func runs(limit: Int, on axis: ChartAxis) -> [[ChartPoint]] {
    let size = max(1, (points.count + limit - 1) / limit)
    let buckets = stride(from: 0, to: points.count, by: size).map { start in
      Self.merged(points[start..<min(start + size, points.count)].filter { axis.holds($0.y) })
    }
    return buckets.split { $0 == nil }.map { $0.compactMap(\.self) }
  }

  private static func merged(_ points: [(x: Double, y: Double)]) -> ChartPoint? {
    guard let first = points.first else { return nil }
    let start = ChartPoint(x: 0, mean: 0, low: first.y, high: first.y)
    let share = 1 / Double(points.count)
    return points.reduce(into: start) { merged, point in
      merged.x += point.x * share
      merged.mean += point.y * share
      merged.low = min(merged.low, point.y)
      merged.high = max(merged.high, point.y)
    }
  }
}
