// The written reference against the program: what it lists must be what there is.

import Foundation
import LimnMetrics
import LimnTestSupport
import LimnTraining
import Testing

@testable import limn

@Suite struct DocumentationTests {
  private func document(_ path: String) throws -> String {
    let url = fixture("../../docs").appendingPathComponent(path).standardizedFileURL
    return try String(contentsOf: url, encoding: .utf8)
  }

  private func rows<M: Method>(of type: M.Type) -> [String] {
    let standard = M.Recipe()
    // The sketch network's keys stand in PGGAN's table, those of s4GAN's network in U-Net's.
    let elsewhere = ["sketch.", "network."]
    return M.Recipe.keys.filter { key in !elsewhere.contains { key.name.hasPrefix($0) } }.map {
      "| `\($0.name)` | \(standard.text(of: $0.name)) | \($0.meaning) | \($0.source) |"
    }
  }

  @Test func recipesListEveryKeyWithItsDefaultMeaningAndSource() throws {
    let text = try document("reference/recipes.md")
    for type in Methods.all {
      #expect(text.contains("## \(type.about.name)\n"))
      for row in rows(of: type) { #expect(text.contains(row)) }
    }
  }

  @Test func everyMetricIsDescribed() throws {
    let text = try document("metrics.md")
    for name in Metrics.patterns { #expect(text.contains("| `\(name)` |")) }
  }
}
