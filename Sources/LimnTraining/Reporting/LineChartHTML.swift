// A line chart as HTML: lines in a stretched SVG, words beside it, so that text keeps its size at any width.

import Foundation
import LimnTorch

extension LineChart {
  /// The chart as a `figure` element.
  ///
  /// The drawing is 1000 by 1000 units and fills whatever box the style sheet gives it; strokes do not scale.
  func html() -> String {
    let drawing = Drawing(self)
    return """
      <figure class="chart">
      <figcaption>\(title.htmlEscaped)\(scale == .log ? " <small>log scale</small>" : "")</figcaption>
      \(legend)
      <div class="plot">
      <div class="y">\(drawing.yLabels)</div>
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="\(spoken.htmlEscaped)">
      \(drawing.svg)
      </svg>
      <div class="x">\(drawing.xLabels)</div>
      </div>
      <div class="axis">\(xLabel.htmlEscaped)</div>
      </figure>
      """
  }

  private var legend: String {
    let items = series.enumerated().map { index, line in
      let name = line.name == title ? "last" : line.name.htmlEscaped
      return "<li class=\"s\(index % 6)\">\(name) <b>\(line.latest)</b></li>"
    }
    return "<ul class=\"legend\">\(items.joined())</ul>"
  }

  /// The chart in words, for those who cannot see it.
  private var spoken: String {
    let lasts = series.map { "\($0.name) \($0.latest)" }.joined(separator: ", ")
    return "Line chart of \(title) over \(xLabel). Last values: \(lasts)."
  }
}

extension LineChart.Series {
  /// The last value that is a number.
  fileprivate var latest: String {
    let number = points.last { $0.y.isFinite }.map { HumanReadable.number($0.y) }
    return number?.replacingOccurrences(of: "-", with: "−") ?? "–"
  }
}

/// The geometry of one chart, worked out once.
private struct Drawing {
  private static let pointLimit = 150
  private let x: ChartAxis
  private let y: ChartAxis
  private let xLabel: String
  private let lines: [(name: String, runs: [[ChartPoint]])]

  init(_ chart: LineChart) {
    let points = chart.series.flatMap(\.points)
    let plane = ChartAxis(scale: chart.scale, lower: 0, upper: 1, ticks: [])
    x = .tight(over: points.map(\.x))
    y = .rounded(over: points.map(\.y).filter(plane.holds), scale: chart.scale)
    xLabel = chart.xLabel
    lines = chart.series.map { ($0.name, $0.runs(limit: Self.pointLimit, on: plane)) }
  }

  var svg: String {
    let grid = y.ticks.map { "<path class=\"grid\" d=\"M0 \(units(1 - y.position($0)))H1000\"/>" }
    let bands = each { $0.count > 1 && $0.contains { $0.low < $0.high } ? band($0) : "" }
    return (grid + bands + each(line) + [hits]).joined(separator: "\n")
  }

  var yLabels: String {
    y.ticks.map { "<span style=\"top:\(percent(1 - y.position($0)))\">\(y.label($0))</span>" }.joined()
  }

  var xLabels: String {
    x.ticks.map { "<span style=\"left:\(percent(x.position($0)))\">\(x.label($0))</span>" }.joined()
  }

  /// Draws every run of every series in the series' colour.
  private func each(_ draw: ([ChartPoint]) -> String) -> [String] {
    lines.enumerated().map { index, line in
      "<g class=\"s\(index % 6)\">\(line.runs.map(draw).joined())</g>"
    }
  }

  private func line(_ run: [ChartPoint]) -> String {
    let places = run.map { place($0.x, $0.mean) }
    return places.count == 1
      ? dot(places[0]) : "<path class=\"line\" d=\"M\(places.joined(separator: "L"))\"/>"
  }

  private func band(_ run: [ChartPoint]) -> String {
    let outline = run.map { place($0.x, $0.high) } + run.reversed().map { place($0.x, $0.low) }
    return "<path class=\"band\" d=\"M\(outline.joined(separator: "L"))Z\"/>"
  }

  /// A line of no length, whose round cap stays round however the drawing is stretched.
  private func dot(_ place: String) -> String {
    "<path class=\"dot\" d=\"M\(place)h0\"/>"
  }

  /// Invisible columns that show a guide, dots and the values under the pointer.
  private var hits: String {
    let columns = lines.map { $0.runs.joined().map(\.x) }.max { $0.count < $1.count } ?? []
    return columns.enumerated().map { index, place in
      let left = index == 0 ? x.lower : (columns[index - 1] + place) / 2
      let right = index == columns.count - 1 ? x.upper : (columns[index + 1] + place) / 2
      return hit(at: place, from: left, to: right)
    }.joined(separator: "\n")
  }

  private func hit(at centre: Double, from left: Double, to right: Double) -> String {
    let near = lines.map { line in line.runs.joined().first { $0.x >= left && $0.x <= right } }
    let values = zip(lines, near).compactMap { line, point in
      point.map { "\(line.name) \(HumanReadable.number($0.mean, digits: 4))" }
    }
    let title = (["\(xLabel) \(HumanReadable.number(centre, digits: 7))"] + values).joined(separator: "\n")
    let dots = near.enumerated().compactMap { index, point in
      point.map { "<g class=\"s\(index % 6)\">\(dot(place($0.x, $0.mean)))</g>" }
    }
    let start = units(x.position(left))
    let guide = "<path class=\"guide\" d=\"M\(units(x.position(centre))) 0V1000\"/>"
    return """
      <g class="hit"><rect x="\(start)" width="\(units(x.position(right) - x.position(left)))" height="1000">\
      <title>\(title.htmlEscaped)</title></rect>\(guide)\(dots.joined())</g>
      """
  }

  private func place(_ xValue: Double, _ yValue: Double) -> String {
    "\(units(x.position(xValue))) \(units(1 - y.position(yValue)))"
  }

  private func units(_ fraction: Double) -> String { String(format: "%.1f", fraction * 1000) }

  private func percent(_ fraction: Double) -> String { String(format: "%.2f%%", fraction * 100) }
}
