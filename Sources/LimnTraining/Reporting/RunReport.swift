// report.html of a run: what it is, how it went, what it draws.

import Foundation
import LimnTorch

/// Builds the page of a run out of what its folder holds.
public enum RunReport {
  /// Sheets in a history, so that the page stays small enough to send.
  private static let historyLength = 8

  /// Writes `report.html` into `runFolder`, from `run.json`, `metrics.jsonl`, `samples/` and `recipe.yaml`.
  ///
  /// - Throws: ``ReportingError`` if `run.json` or the log is missing or damaged, or
  ///   `AtomicFileError`. Samples and the recipe may be missing.
  public static func write(runFolder: URL) throws {
    let info = try RunInfo.read(from: runFolder)
    let rows = try MetricsLog.read(runFolder.appendingPathComponent("metrics.jsonl"))
    var report = HTMLReport(
      title: "\(info.method) on \(info.datasetName)",
      subtitle: runFolder.standardizedFileURL.lastPathComponent)
    report.section("", summary(rows))
    report.section("Run", .facts(facts(info)))
    report.section("Samples", samples(SampleGroup.all(in: runFolder.appendingPathComponent("samples"))))
    report.section("Curves", charts(rows))
    report.section("Recipe", recipe(runFolder))
    try report.write(to: runFolder.appendingPathComponent("report.html"))
  }

  /// How a run went, for a page about something else: its facts, its curves, its recipe.
  ///
  /// - Throws: as ``write(runFolder:)``.
  public static func sections(runFolder: URL) throws -> [(heading: String, blocks: [HTMLBlock])] {
    let rows = try MetricsLog.read(runFolder.appendingPathComponent("metrics.jsonl"))
    let info = try RunInfo.read(from: runFolder)
    return [
      ("Training", summary(rows) + [.facts(facts(info))]), ("Curves", charts(rows)),
      ("Recipe", recipe(runFolder)),
    ]
  }

  private static func summary(_ rows: [MetricsRow]) -> [HTMLBlock] {
    guard let last = rows.last else { return [.prose("No step has been logged yet.")] }
    let speed = last.time > 0 ? HumanReadable.number(Double(last.images) / last.time) : "–"
    return [
      .highlights([
        HTMLFact("Steps", HumanReadable.count(last.step)),
        HTMLFact("Images seen", HumanReadable.count(last.images)),
        HTMLFact("Training time", HumanReadable.duration(last.time)),
        HTMLFact("Images per second", speed, note: "mean over the run"),
      ])
    ]
  }

  private static let minutes = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
    .dateSeparator(.dash).dateTimeSeparator(.space).time(includingFractionalSeconds: false)

  private static func facts(_ info: RunInfo) -> [HTMLFact] {
    [HTMLFact("Method", info.method), HTMLFact("Dataset", info.dataset)]
      + (info.target.map { [HTMLFact("Targets", $0)] } ?? []) + [
        HTMLFact("Device", info.device), HTMLFact("Precision", info.precision),
        HTMLFact("Seed", String(info.seed)),
        HTMLFact("Started", "\(info.started.formatted(minutes)) UTC"),
        HTMLFact("Limn", info.version),
      ]
  }

  /// The newest sheet of every group side by side, then how each group came to it.
  private static func samples(_ groups: [SampleGroup]) -> [HTMLBlock] {
    let newest = groups.compactMap { group in group.sheets.last.flatMap { figure($0, of: group) } }
    let histories = groups.map { group in
      group.sheets.count > 1 ? group.spread(historyLength).compactMap { figure($0, of: group) } : []
    }
    return (newest.isEmpty ? [] : [.figures(newest)]) + histories.filter { !$0.isEmpty }.map { .strip($0) }
  }

  private static func figure(_ sheet: SampleGroup.Sheet, of group: SampleGroup) -> HTMLFigure? {
    guard let png = FileManager.default.contents(atPath: sheet.url.path), PNGHeader(png) != nil else {
      return nil
    }
    let step = "step \(HumanReadable.count(sheet.step))"
    return HTMLFigure(
      png: png, caption: "\(group.heading), \(step)", alt: "Sheet of \(group.heading.lowercased()) at \(step)"
    )
  }

  private static func recipe(_ runFolder: URL) -> [HTMLBlock] {
    let data = FileManager.default.contents(atPath: runFolder.appendingPathComponent("recipe.yaml").path)
    return data.map { [.details(summary: "recipe.yaml", text: String(decoding: $0, as: UTF8.self))] } ?? []
  }

  /// One chart for each word before the first `_` or `/` of the values' names, losses first.
  static func charts(_ rows: [MetricsRow]) -> [HTMLBlock] {
    let names = rows.reduce(into: Set<String>()) { $0.formUnion($1.values.keys) }
    let groups = Dictionary(grouping: names, by: prefix).sorted { left, right in
      (left.key == "loss" ? 0 : 1, left.key) < (right.key == "loss" ? 0 : 1, right.key)
    }
    let charts = groups.map { chart(of: $0.value.sorted(), prefix: $0.key, rows: rows) }
    guard !charts.isEmpty else { return [] }
    let words =
      "Lines are means of neighbouring log rows where there are many; the band behind is their range."
    return [.prose(words), .charts(charts)]
  }

  private static func chart(of names: [String], prefix: String, rows: [MetricsRow]) -> LineChart {
    let series = names.map { name in
      LineChart.Series(
        name: names.count == 1 || name == prefix ? name : String(name.dropFirst(prefix.count + 1)),
        points: rows.compactMap { row in row.values[name].map { (Double(row.step), $0) } })
    }
    let title = names.count == 1 ? names[0] : prefix
    return LineChart(title: title, scale: scale(of: series), series: series)
  }

  /// Logarithmic where all values are positive and the largest is a thousand times the smallest.
  private static func scale(of series: [LineChart.Series]) -> ChartScale {
    let values = series.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
    guard let low = values.min(), let high = values.max(), low > 0 else { return .linear }
    return high / low > 1000 ? .log : .linear
  }

  private static func prefix(_ name: String) -> String {
    String(name.prefix { $0 != "_" && $0 != "/" })
  }
}
