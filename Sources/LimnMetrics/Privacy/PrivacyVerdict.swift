// The verdict and its sentence.

import Foundation

extension PrivacyWork {
  func verdict(_ comparisons: [PrivacyComparison]) -> PrivacyReport.Verdict {
    if identicalCount > 0 { return .copies }
    if baselineCount < Privacy.leastBaseline { return .undecided }
    return jointProbability(comparisons) <= options.falseAlarmRate ? .copies : .noExcess
  }

  private func jointProbability(_ comparisons: [PrivacyComparison]) -> Double {
    combinedProbability(comparisons.map(\.pValue))
  }

  func sentence(_ verdict: PrivacyReport.Verdict, _ comparisons: [PrivacyComparison]) -> String {
    let strongest = comparisons.min { $0.pValue < $1.pValue }
    switch verdict {
    case .copies:
      let findings = [identicalText, strongest.flatMap(excessText)].compactMap { $0 }
      return "Training images were copied: \(findings.joined(separator: "; "))."
    case .noExcess:
      let p = combinedText(
        jointProbability(comparisons), tests: comparisons.reduce(0) { $0 + $1.tests.count })
      return
        "No excess of images near to training images was found (\(syntheticPositions.count) synthetic images "
        + "against \(baselineCount) \(baseline.rawValue), \(p)). This is no proof of privacy: copies that are "
        + "few, turned, cropped or otherwise changed beyond the search can be missed."
    case .undecided:
      return
        "Nothing can be said: \(baselineCount) images are too few to tell which distance is usual; at least "
        + "\(Privacy.leastBaseline) are needed."
    }
  }

  private var identicalText: String? {
    identicalCount > 0
      ? "\(identicalCount) synthetic images have the very pixels of a training image" : nil
  }

  private func excessText(_ comparison: PrivacyComparison) -> String? {
    guard let test = comparison.tests.min(by: { $0.pValue < $1.pValue }), !comparison.suspects.isEmpty else {
      return nil
    }
    let expected = String(format: "%.2g", test.expected)
    return "\(test.observed) of \(syntheticPositions.count) synthetic images \(test.what), where \(expected) "
      + "were expected (\(comparison.name); \(combinedText(comparison.pValue, tests: comparison.tests.count))); "
      + "\(comparison.suspects.count) likely copies are listed"
  }

  private func combinedText(_ probability: Double, tests: Int) -> String {
    String(format: "p = %.2g, %d tests combined", probability, tests)
  }

  func warnings(_ comparisons: [PrivacyComparison]) -> [String] {
    var lines = leaks.lines
    if baseline == .leaveOneOut {
      lines.append(
        "no held-out images (at least \(Privacy.leastBaseline) are needed): training images measured against "
          + "those of other patients stand in for unseen ones, and membership cannot be scored; import with "
          + "--split 0.8,0.2, train on the train split alone, and evaluate again")
      if training.patients == nil {
        lines.append("patients are not known, so images of one patient make the usual distance too small")
      }
    }
    if synthetic.images.count > syntheticPositions.count {
      lines.append(
        "\(syntheticPositions.count) of \(synthetic.images.count) synthetic images were looked at")
    }
    return lines
  }
}
