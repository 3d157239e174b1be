// A volume on its way through a helper: cut whole, or without the files that cannot be decoded.

import Foundation

/// What became of a unit.
struct CutOutcome: Codable, Sendable {
  /// Nil where nothing of it could be read.
  var result: CutResult?
  /// Files that were not imported, and why.
  var problems: [ImportProblem] = []

  /// Cuts a volume; one damaged file does not cost its series: the files that can be decoded alone are taken.
  static func of(_ request: CutRequest, by helper: any ImportHelper) -> CutOutcome {
    var (outcome, request) = (CutOutcome(), request)
    while !request.files.isEmpty {
      let problem: ImportProblem
      do {
        let reply = try helper.perform(.cut(request))
        if case .cut(let result) = reply { outcome.result = result }
        guard case .refused(let line) = reply else { return outcome }
        problem = ImportProblem(file: request.files[0], line: line)
      } catch { problem = ImportProblem(file: request.files[0], crash: error) }
      let damaged = request.files.count > 1 ? request.files.compactMap { Self.problem(of: $0, helper) } : []
      outcome.problems += damaged.isEmpty ? [problem] : damaged
      guard !damaged.isEmpty else { return outcome }
      request.files.removeAll(where: Set(damaged.map(\.file.path)).contains)
    }
    return outcome
  }

  private static func problem(of file: String, _ helper: any ImportHelper) -> ImportProblem? {
    do {
      guard case .refused(let line) = try helper.perform(.test(file)) else { return nil }
      return ImportProblem(file: file, line: line)
    } catch { return ImportProblem(file: file, crash: error) }
  }
}
