// What was found about privacy, as rows for a terminal, a page and a spreadsheet.

import Foundation

extension PrivacyReport {
  /// The heads of ``rows``.
  public static let columns = [
    "distance", "N", "nearest 1 %", "nearest 5 %", "median", "unseen 1 %", "unseen 5 %", "unseen median",
    "p (combined)", "suspects", "data copying z", "membership AUC",
  ]

  /// One row for each distance, in the order of ``columns``.
  public var rows: [[String]] {
    comparisons.map { comparison in
      let sets = [comparison.synthetic, comparison.baseline].map { $0.map(\.distance).sorted() }
      let quantiles = sets.flatMap { values in
        [0.01, 0.05, 0.5].map { q in
          String(format: "%.3f", values[min(values.count - 1, Int(q * Double(values.count)))])
        }
      }
      let membership = comparison.membership.map {
        String(format: "%.3f (%.3f to %.3f)", $0.auc, $0.interval[0], $0.interval[1])
      }
      let counts = "\(syntheticCount) synthetic, \(baselineCount) unseen, \(trainingCount) training"
      return [comparison.name, counts] + quantiles + [
        String(format: "%.2g", comparison.pValue), "\(comparison.suspects.count)",
        String(format: "%.1f", comparison.dataCopying), membership ?? "n/a",
      ]
    }
  }

  /// One row for each test: distance, what was counted, observed, expected, p.
  public var testRows: [[String]] {
    comparisons.flatMap { comparison in
      comparison.tests.map { test in
        [
          comparison.name, "synthetic images that \(test.what)", "\(test.observed)",
          String(format: "%.3g", test.expected), String(format: "%.2g", test.pValue),
        ]
      }
    }
  }

  /// The verdict, the table turned on its side, and the first suspects.
  public var text: String {
    let table = Self.columns.indices.map { column in
      [Self.columns[column]] + rows.map { $0[column] }
    }
    return [
      "privacy: \(sentence)", "", alignedColumns(table), suspectsText,
      comparisons.map { "\($0.name): \($0.definition)" }.joined(separator: "\n"),
      warnings.map { "  warning: \($0)" }.joined(separator: "\n"),
    ].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var suspectsText: String {
    comparisons.filter { !$0.suspects.isEmpty }.map { comparison in
      let lines = comparison.suspects.prefix(20).map { suspect in
        String(
          format:
            "  synthetic %d ~ training %d: distance %.3f, %.1f times nearer than usual, %.2f of the next",
          suspect.image, suspect.training, suspect.distance, suspect.timesNearer, suspect.ratio)
      }
      let rest = comparison.suspects.count - lines.count
      let more = rest > 0 ? ["  and \(rest) more (--json lists all)"] : []
      return (["likely copies by \(comparison.name):"] + lines + more).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  var figures: [Figure] {
    comparisons.flatMap { comparison in
      func figure(
        _ name: String, _ value: Double, usual: Double? = nil, _ direction: MetricDirection
      ) -> Figure {
        Figure(
          name: "privacy_\(name)_\(comparison.name)", value: value, baseline: usual, realCount: baselineCount,
          generatedCount: syntheticCount, direction: direction, protocolSentence: comparison.definition,
          warnings: warnings)
      }
      let median = comparison.synthetic.map(\.distance).sorted()[comparison.synthetic.count / 2]
      return [
        figure("p", comparison.pValue, .higherIsBetter),
        figure("suspects", Double(comparison.suspects.count), .lowerIsBetter),
        figure("nearest_median", median, usual: comparison.usualDistance, .closerToBaselineIsBetter),
        figure("data_copying_z", comparison.dataCopying, .closerToBaselineIsBetter),
      ]
        + (comparison.membership.map { auc in
          [figure("membership_auc", auc.auc, usual: 0.5, .closerToBaselineIsBetter)]
        } ?? [])
    }
  }
}

extension UsefulnessReport {
  /// The sentence, the table, and the protocol.
  public var text: String {
    ["usefulness: \(sentence)", "", alignedColumns([columns] + rows), protocolSentence].joined(
      separator: "\n")
  }

  var figures: [Figure] {
    arms.map { arm in
      Figure(
        name: "downstream_dice_trained_on_\(arm.name.replacingOccurrences(of: " ", with: "_"))",
        value: arm.summary.mean, standardDeviation: arm.summary.deviation, realCount: heldOutImages,
        generatedCount: arm.images, direction: .higherIsBetter, protocolSentence: protocolSentence)
    }
  }
}
