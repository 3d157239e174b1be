// An import under way: what has been cut, kept, refused and noticed.

import Foundation
import LimnImaging
import LimnTorch

/// Cuts sources side by side; the first that can be read decides what the options leave open.
final class ImportSession {
  private let destination: URL
  private let options: ImportOptions
  private let pool: HelperPool
  private let spool: Spool
  private let report: (ImportProgress) throws -> Void
  private let scan: SourceScan
  /// What is imported, with the patients' pseudonyms, the masks and the other images of pairs.
  private var units: [(source: SourceUnit, patient: String, label: LabelRequest?, pair: SourceUnit?)] = []
  private var outcomes: [Int: (name: String, outcome: CutOutcome)] = [:]
  private var images = 0
  private var problems: [ImportProblem] = []

  init(
    _ sources: [URL], to destination: URL, _ options: ImportOptions,
    report: @escaping (ImportProgress) throws -> Void
  ) throws {
    (self.destination, self.options, self.report) = (destination, options, report)
    pool = HelperPool(options.helpers)
    pool.prepare()
    scan = try SourceScan(sources, pool: pool) { try report(.scanning) }
    spool = try Spool(beside: destination, key: options.key)
  }

  private var progress: ImportProgress {
    ImportProgress(
      completed: outcomes.count, total: units.count, images: images, problems: problems.count)
  }

  /// Notes a file that cannot be imported.
  /// - Throws: ``DatasetError`` if the options say that the first one ends the import.
  private func note(_ problem: ImportProblem) throws {
    if options.isStrict { throw DatasetError("import stopped, nothing was written", problem.line) }
    problems.append(problem)
  }

  /// - Throws: ``DatasetError`` if there is no image to write, or the disk refuses; what `report` throws.
  func run() throws -> ImportSummary {
    do { return try cutAndAssemble() } catch let error as DatasetError {
      // Going on would end in the same way; an interrupted import, in contrast, keeps what it has.
      spool.remove()
      throw error
    }
  }

  private func cutAndAssemble() throws -> ImportSummary {
    for problem in scan.problems { try note(problem) }
    let masks = try options.labels.map { try LabelFinder($0.rule) }
    let views = try options.labels?.fieldOfView.map { try LabelFinder($0, option: "--mask") }
    let pairs = try options.pairs.map {
      try PairFinder($0.rule, for: scan.units, pool: pool) { try report(.scanning) }
    }
    for problem in pairs?.problems ?? [] { try note(problem) }
    for unit in scan.units { try identify(unit, masks, views, pairs) }
    try report(progress)
    var rest = Array(units.indices)[...]
    let target = try decideTarget(&rest)
    let jobs = rest.map { job($0, target: target) }
    try cut(jobs) { try finish(jobs[$0], $1) }
    return try assemble(target)
  }

  /// The first unit that can be read decides what all have in common. As many as there are helpers are cut at a
  /// time; those that do not fit what the first decides stay in `rest`.
  private func decideTarget(_ rest: inout ArraySlice<Int>) throws -> CutTarget? {
    while !rest.isEmpty {
      let jobs = rest.prefix(pool.width).map { job($0, target: nil) }
      var tried: [Int: CutOutcome] = [:]
      try cut(jobs) { tried[$0] = $1 }
      let target = jobs.indices.lazy.compactMap { tried[$0]?.result?.decided }.first
      rest = rest.dropFirst(jobs.count)
      var again: [Int] = []
      for (index, job) in jobs.enumerated() {
        guard let outcome = tried[index] else { continue }
        if let own = outcome.result?.decided, own != target {
          again.append(job.unit)
        } else {
          try finish(job, outcome)
        }
      }
      rest = (again + rest)[...]
      if let target { return target }
    }
    return nil
  }

  /// Tells whose a source is and where its mask and its counterpart are, before hours of work; a source that is
  /// nobody's, has no counterpart where pairs are asked for, or no mask unless such are to be kept, is not imported.
  private func identify(
    _ unit: SourceUnit, _ masks: LabelFinder?, _ views: LabelFinder?, _ pairs: PairFinder?
  ) throws {
    do {
      let label = try masks.flatMap { try labelRequest(of: unit, $0, views) }
      let pair = try pairs?.partner(of: unit)
      let patient = try options.patients.patient(of: unit.header, file: unit.first, path: unit.path)
      units.append((unit, options.key.pseudonym("patient", patient), label, pair))
    } catch { try note(ImportProblem(file: unit.first, reason: error)) }
  }

  private struct Job: Sendable {
    let unit: Int
    let name: String
    let request: CutRequest
    let kept: CutOutcome?
  }

  private func cut(_ jobs: [Job], handle: (Int, CutOutcome) throws -> Void) throws {
    try pool.run(
      jobs, work: { job, helper in job.kept ?? CutOutcome.of(job.request, by: helper) }, handle: handle,
      tick: { try report(progress) })
  }

  private func job(_ unit: Int, target: CutTarget?) -> Job {
    let source = units[unit].source
    var request = CutRequest(
      files: source.files.map(\.path), isDICOM: source.isDICOM, options: options.cut,
      target: target, label: units[unit].label, pair: pairRequest(units[unit].pair), output: "")
    let name = spool.name(of: request)
    request.output = spool.pixels(name).path
    return Job(unit: unit, name: name, request: request, kept: spool.result(name))
  }

  private func pairRequest(_ unit: SourceUnit?) -> PairRequest? {
    unit.map {
      PairRequest(
        files: $0.files.map(\.path), isDICOM: $0.isDICOM, window: options.pairs?.window,
        takesFileWindow: options.pairs?.takesFileWindow == true)
    }
  }

  /// Nil for an image that is taken without a mask.
  private func labelRequest(
    of unit: SourceUnit, _ masks: LabelFinder, _ views: LabelFinder?
  ) throws -> LabelRequest? {
    if options.labels?.keepsUnlabelled == true, try masks.maskIfAny(of: unit) == nil { return nil }
    return LabelRequest(
      file: try masks.mask(of: unit).path, kind: options.labels?.kind ?? .auto,
      classes: options.labels?.classes ?? [], resample: options.labels?.resample ?? false,
      fieldOfView: try views?.mask(of: unit).path)
  }

  private func finish(_ job: Job, _ outcome: CutOutcome) throws {
    for problem in outcome.problems { try note(problem) }
    // What could not be read may be readable the next time.
    if job.kept == nil, outcome.problems.isEmpty { try spool.keep(outcome, as: job.name) }
    outcomes[job.unit] = (job.name, outcome)
    images += outcome.result?.images.count ?? 0
    try report(progress)
  }
}

// MARK: - The dataset

extension ImportSession {
  /// Puts the images of all units together, in the order of the sources.
  private func assemble(_ target: CutTarget?) throws -> ImportSummary {
    let finished = units.indices.compactMap { index -> FinishedUnit? in
      guard let kept = outcomes[index], let result = kept.outcome.result else { return nil }
      return FinishedUnit(
        source: units[index].source, pair: units[index].pair, patient: units[index].patient, result: result,
        pixels: spool.pixels(kept.name))
    }
    let assembly = ImportAssembly(units: finished, options: options)
    guard let target, images > 0 else { throw nothingRead(skipped: assembly.skipped) }
    let written = try assembly.write(to: destination, target: target)
    spool.remove()
    return ImportSummary(
      manifest: written.manifest, problems: problems.sorted { $0.file.path < $1.file.path },
      warnings: written.warnings,
      skippedSlices: assembly.skipped, passedOver: scan.passedOver,
      unlabelled: assembly.unlabelled)
  }

  private func nothingRead(skipped: Int) -> DatasetError {
    if skipped > 0 {
      return DatasetError(
        destination,
        "all \(skipped) images hold less than --min-content \(options.cut.minimumContent); lower it")
    }
    if let first = problems.first {
      return DatasetError(
        destination, "no image could be read; the first of \(problems.count) problems: \(first.line)")
    }
    return DatasetError(
      destination,
      "no image was found; the sources hold no PNG, JPEG, TIFF, NIfTI or DICOM file that was asked for")
  }
}

extension CutResult {
  /// What the volume decides for all that follow; nil where none of its images was taken.
  fileprivate var decided: CutTarget? { images.isEmpty ? nil : target }
}
