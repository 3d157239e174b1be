// Tests of the report page: escaping, structure, charts, and the page of a run.

import Foundation
import LimnTestSupport
import Testing

@testable import LimnTraining

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The page as an XML tree: it parses only if every element is closed and every text escaped.
private func parsed(_ html: String) throws -> Markup {
  let voids = [
    "<meta charset=\"utf-8\">", "name=\"viewport\"", "name=\"generator\"", "name=\"color-scheme\"",
  ]
  let lines = html.split(separator: "\n", omittingEmptySubsequences: false)
  let kept = lines.filter { line in line != "<!DOCTYPE html>" && !voids.contains { line.contains($0) } }
  let closed = kept.joined(separator: "\n").replacing(/<img ([^>]*)>/) { "<img \($0.output.1)/>" }
  return try Markup(closed)
}

/// What an XML parser found: element names, attributes, text.
private final class Markup: NSObject, XMLParserDelegate {
  var elements: [String] = []
  var attributes: [[String: String]] = []
  var text = ""

  init(_ xml: String) throws {
    super.init()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = self
    try #require(parser.parse(), "\(String(describing: parser.parserError)) at line \(parser.lineNumber)")
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.append(name)
    self.attributes.append(attributes)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func count(_ name: String) -> Int { elements.filter { $0 == name }.count }
  func values(_ attribute: String) -> [String] { attributes.compactMap { $0[attribute] } }
}

@Suite struct HTMLReportTests {
  static let hostile = #"<script>alert("1")</script> & 'x' </style>"#

  static func everything(_ text: String) -> HTMLReport {
    var report = HTMLReport(title: text, subtitle: text)
    let figure = HTMLFigure(png: ReportingFixtures.png, caption: text, alt: text)
    let points = (0..<5).map { (x: Double($0), y: Double($0 * $0)) }
    let chart = LineChart(title: text, xLabel: text, series: [.init(name: text, points: points)])
    let fact = HTMLFact(text, text, note: text)
    report.section(
      text, .prose(text), .highlights([fact]), .facts([fact]),
      .table(HTMLTable(caption: text, columns: [text], rows: [[text]])))
    report.section(text, .figure(figure), .figures([figure, figure]), .strip([figure]))
    report.section(text, .charts([chart]), .details(summary: text, text: text))
    let distribution = HistogramChart(
      title: text, xLabel: text, samples: [.init(name: text, values: [1, 2, 2, 4])])
    report.section(text, .histograms([distribution]), .warnings([text, text]))
    return report
  }

  @Test func everyTextIsEscapedEverywhere() throws {
    let hostile = try parsed(Self.everything(Self.hostile).render())
    let harmless = try parsed(Self.everything("plain").render())
    #expect(hostile.elements == harmless.elements)
    #expect(hostile.count("script") == 0)
    let shown = hostile.text.components(separatedBy: Self.hostile).count
    #expect(shown == harmless.text.components(separatedBy: "plain").count)
    #expect(hostile.values("alt").allSatisfy { $0 == Self.hostile })
  }

  @Test func histogramsCountEveryFiniteValueOnce() {
    let chart = HistogramChart(
      title: "t", xLabel: "x",
      samples: [.init(name: "a", values: [0, 1, 1, 10, .nan]), .init(name: "b", values: [5])], binCount: 10)
    let axis = ChartAxis.rounded(over: [0, 10], scale: .linear)
    let shares = chart.shares(on: axis)
    let expected: [[Double]] = [[25, 50, 0, 0, 0, 0, 0, 0, 0, 25], [0, 0, 0, 0, 0, 100, 0, 0, 0, 0]]
    #expect(shares == expected)
    #expect(!HTMLBlock.histograms([chart]).html().contains("nan"))
  }

  @Test func escapingLooksAtScalars() {
    #expect("<\u{338}b>".htmlEscaped == "&lt;\u{338}b&gt;")
    #expect("a\0b".htmlEscaped == "a\u{FFFD}b")
    #expect("Grüße, 肺 🫁".htmlEscaped == "Grüße, 肺 🫁")
  }

  @Test func pageNeedsNothingElse() throws {
    let html = Self.everything("plain").render()
    let page = try parsed(html)
    #expect(page.values("src").allSatisfy { $0.hasPrefix("data:image/png;base64,") })
    #expect(page.values("href").allSatisfy { $0.hasPrefix("#") })
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("@import"))
    #expect(page.count("link") == 0)
  }

  @Test func structureIsAccessible() throws {
    let html = Self.everything("plain").render()
    let page = try parsed(html)
    #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(page.count("h1") == 1 && page.count("h2") == 4 && page.count("main") == 1)
    #expect(page.count("img") == 4 && page.values("alt").count == 4)
    #expect(page.values("role").contains("img") && page.values("scope") == ["col"])
    #expect(Set(page.values("href")) == Set(page.values("id").map { "#" + $0 }))
  }

  @Test func imagesKeepTheirBytesAndSize() throws {
    var report = HTMLReport(title: "x")
    report.section("", .figure(HTMLFigure(png: ReportingFixtures.png, caption: "", alt: "a")))
    let image = try #require(try parsed(report.render()).attributes.last)
    #expect(image["width"] == "3" && image["height"] == "2")
    let encoded = try #require(image["src"]?.split(separator: ",").last)
    #expect(Data(base64Encoded: String(encoded)) == ReportingFixtures.png)
  }

  @Test func numericColumnsAreSetRight() {
    let table = HTMLTable(
      columns: ["name", "fid", "ci"],
      rows: [["a", "12.5", "±0.1"], ["b", "–", "< 0.5"], ["c", "−3", ""]])
    #expect((0..<3).map(table.isNumeric) == [false, true, true])
  }

  @Test func emptySectionsAreLeftOut() {
    var report = HTMLReport(title: "x")
    report.section("Nothing", [])
    #expect(!report.render().contains("Nothing"))
  }
}

@Suite struct ChartTests {
  @Test(
    arguments: [
      ([0, 1], 0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
      ([-3.2, 7.9], -4, 8, ["−4", "−2", "0", "2", "4", "6", "8"]),
      ([5, 5], 2, 8, ["2", "3", "4", "5", "6", "7", "8"]),
      ([0, 0], -1, 1, ["−1", "−0.5", "0", "0.5", "1"]),
      ([0, 100_000], 0, 100_000, ["0", "20k", "40k", "60k", "80k", "100k"]), ([], 0, 1, nil),
    ] as [([Double], Double, Double, [String]?)])
  func linearAxis(values: [Double], lower: Double, upper: Double, labels: [String]?) {
    let axis = ChartAxis.rounded(over: values, scale: .linear)
    #expect(axis.lower == lower && axis.upper == upper, "\(axis)")
    #expect(labels == nil || axis.ticks.map(axis.label) == labels)
  }

  @Test(
    arguments: [
      ([1, 1000], ["1", "10", "100", "1000"]), ([2e-5, 0.3], ["0.0001", "0.001", "0.01", "0.1"]),
      ([3, 9], ["2", "5", "10"]), ([7, 7], ["5", "10"]),
    ] as [([Double], [String])])
  func logAxis(values: [Double], labels: [String]) {
    let axis = ChartAxis.rounded(over: values, scale: .log)
    #expect(axis.ticks.map(axis.label) == labels)
    #expect(values.allSatisfy { (0...1).contains(axis.position($0)) })
  }

  @Test func logPositionsAreLogarithmic() {
    let axis = ChartAxis(scale: .log, lower: 1, upper: 10_000, ticks: [])
    #expect(abs(axis.position(100) - 0.5) < 1e-12)
    #expect(!axis.holds(0) && !axis.holds(-1) && !axis.holds(.nan) && axis.holds(1e-9))
  }

  @Test func tightAxisEndsWhereTheStepsEnd() {
    let axis = ChartAxis.tight(over: [130, 4870])
    #expect(axis.lower == 130 && axis.upper == 4870)
    #expect(axis.ticks == [1000, 2000, 3000, 4000])
  }

  @Test func longSeriesAreThinnedToMeansAndRanges() {
    let points = (0..<1000).map { (x: Double($0), y: $0.isMultiple(of: 2) ? 0.0 : 2.0) }
    let axis = ChartAxis.rounded(over: [0, 2], scale: .linear)
    let runs = LineChart.Series(name: "a", points: points).runs(limit: 100, on: axis)
    #expect(runs.count == 1 && runs[0].count == 100)
    #expect(runs[0].allSatisfy { abs($0.mean - 1) < 1e-9 && $0.low == 0 && $0.high == 2 })
    #expect(abs(runs[0][3].x - 34.5) < 1e-9)
  }

  @Test func gapsSplitTheLine() throws {
    let y: [Double] = [1, 2, .nan, 3, .infinity, 4, 5]
    let points = y.enumerated().map { (x: Double($0), y: $1) }
    let chart = LineChart(title: "t", series: [.init(name: "a", points: points)])
    let drawing = try parsed(chart.html())
    let lines = drawing.attributes.filter { $0["class"] == "line" }
    #expect(lines.count == 2, "two runs of two points; the lone point is a dot")
    #expect(!chart.html().lowercased().contains("nan") && !chart.html().contains("inf"))
  }

  @Test func lineGoesFromCornerToCorner() throws {
    let chart = LineChart(title: "t", series: [.init(name: "a", points: [(0, 0), (10, 1)])])
    let paths = try parsed(chart.html()).attributes.filter { $0["class"] == "line" }
    #expect(paths.first?["d"] == "M0.0 1000.0L1000.0 0.0")
  }

  @Test func hoverNamesStepAndValues() throws {
    let series = ["D", "G"].map { LineChart.Series(name: $0, points: [(0, 0.5), (100, 1.25)]) }
    let text = try parsed(LineChart(title: "t", series: series).html()).text
    #expect(text.contains("step 100\nD 1.25\nG 1.25"))
  }

  @Test(arguments: [0, 1]) func fewPointsDraw(count: Int) throws {
    let points = (0..<count).map { (x: Double($0), y: 1.0) }
    let page = try parsed(LineChart(title: "t", series: [.init(name: "a", points: points)]).html())
    #expect(page.values("class").filter { $0 == "dot" }.count == 2 * count, "the point and its hover")
  }
}

@Suite struct RunReportTests {
  let temporary: TemporaryFolder
  let folder: URL
  let info = RunInfo(
    method: "skrgan", dataset: "/data/lung-ct", seed: .max, device: "cpu", precision: "float32",
    version: "0.1.0", started: Date(timeIntervalSince1970: 1_750_000_000))

  init() throws {
    temporary = try TemporaryFolder()
    folder = temporary.url.appendingPathComponent("00012-skrgan-lung-ct")
    let samples = folder.appendingPathComponent("samples")
    try FileManager.default.createDirectory(at: samples, withIntermediateDirectories: true)
    try info.write(to: folder)
    let log = try MetricsLog(url: folder.appendingPathComponent("metrics.jsonl"), resumeStep: 0)
    for step in 1...20 {
      let values = ["loss_d": 1 / Double(step), "loss_g": 2, "lr": 2e-4]
      try log.append(MetricsRow(step: step * 10, images: step * 160, time: Double(step), values: values))
    }
    for step in stride(from: 10, through: 200, by: 10) {
      let name = String(format: "%06d.png", step)
      try ReportingFixtures.png.write(to: samples.appendingPathComponent(name))
      try ReportingFixtures.png.write(to: samples.appendingPathComponent("sketches-" + name))
    }
    try Data("steps: 200 # <b>\n".utf8).write(to: folder.appendingPathComponent("recipe.yaml"))
  }

  @Test func pageHoldsWhatTheFolderHolds() throws {
    try RunReport.write(runFolder: folder)
    let html = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
    let page = try parsed(html)
    for text in [
      "skrgan on lung-ct", "00012-skrgan-lung-ct", "18446744073709551615", "2025-06-15 15:06:40 UTC",
      "steps: 200 # <b>", "160",
    ] {
      #expect(page.text.contains(text), "\(text)")
    }
    #expect(page.count("svg") == 2, "losses in one chart, the rate in another")
    #expect(page.count("img") == 18, "two groups: the newest and eight of the history")
    #expect(page.values("alt").contains("Sheet of sketches at step 200"))
  }

  @Test func runInfoRoundTrips() throws {
    #expect(try RunInfo.read(from: folder) == info)
  }

  @Test(arguments: [
    ("{}", "has no \"method\""), (#"{"method":3}"#, "\"method\" has the wrong type"), ("x", "JSON"),
  ])
  func badRunInfoIsNamed(json: String, reason: String) throws {
    try Data(json.utf8).write(to: folder.appendingPathComponent("run.json"))
    let error = #expect(throws: ReportingError.self) { try RunReport.write(runFolder: folder) }
    #expect(error?.description.contains("run.json") == true && error?.description.contains(reason) == true)
  }

  @Test func runWithoutSamplesOrRowsStillHasAPage() throws {
    try FileManager.default.removeItem(at: folder.appendingPathComponent("samples"))
    try FileManager.default.removeItem(at: folder.appendingPathComponent("recipe.yaml"))
    try Data().write(to: folder.appendingPathComponent("metrics.jsonl"))
    try RunReport.write(runFolder: folder)
    let html = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
    #expect(try parsed(html).text.contains("No step has been logged yet."))
  }

  @Test func sheetsAreGroupedAndSpread() throws {
    let samples = folder.appendingPathComponent("samples")
    for name in ["notes.txt", "x.png", "a5.png", ".000001.png"] {
      try Data().write(to: samples.appendingPathComponent(name))
    }
    let groups = SampleGroup.all(in: samples)
    #expect(groups.map(\.prefix) == ["", "sketches"])
    #expect(groups[1].heading == "Sketches")
    #expect(groups[0].spread(4).map(\.step) == [10, 70, 130, 200])
    #expect(groups[0].sheets.count == 20 && groups[0].spread(30).count == 20)
  }
}
