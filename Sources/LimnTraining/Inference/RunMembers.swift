// A run, or the runs of a cross-validation's folds.

import Foundation

extension RunFolder {
  /// A run's folder itself, or those of the folds within.
  public static func members(of url: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    let folds = names.filter { $0.hasPrefix("fold-") }.sorted()
    return folds.isEmpty ? [url] : folds.map(url.appendingPathComponent)
  }
}
