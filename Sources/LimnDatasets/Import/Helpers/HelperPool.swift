// Helpers side by side: jobs handed out in order, results handled on the caller's thread as they come.

import Foundation
import Synchronization

/// As many helpers as asked for, each with a thread that feeds it.
final class HelperPool: Sendable {
  private let kind: ImportHelpers
  private let isCancelled = Atomic<Bool>(false)
  /// Processes that wait for more work.
  private let idle = Mutex<[HelperProcess]>([])

  init(_ kind: ImportHelpers) { self.kind = kind }

  /// How many jobs are done at a time.
  var width: Int {
    if case .processes(let count, _, _, _) = kind { count } else { 1 }
  }

  /// Starts the helpers, so that they are ready when the first job is.
  func prepare() {
    guard case .processes(let count, _, _, _) = kind else { return }
    let helpers = (0..<count).compactMap { _ in makeHelper() }
    for helper in helpers { helper.prepare() }
    idle.withLock { $0 += helpers }
  }

  /// Does `work` for every job, several at a time.
  /// - Parameters:
  ///   - jobs: handed out in this order.
  ///   - work: runs on a thread of the pool, with a helper of its own.
  ///   - handle: takes a job's place and result on the caller's thread, in the order of completion.
  ///   - tick: called on the caller's thread a few times in a second.
  /// - Throws: what `handle` or `tick` throws; nothing of the pool runs any more then.
  func run<Job: Sendable, Output: Sendable>(
    _ jobs: [Job], work: @escaping @Sendable (Job, any ImportHelper) -> Output,
    handle: (Int, Output) throws -> Void, tick: () throws -> Void
  ) throws {
    guard case .processes(let count, _, _, _) = kind else {
      let helper = LocalHelper()
      for (index, job) in jobs.enumerated() {
        try tick()
        try handle(index, work(job, helper))
      }
      return
    }
    let results = ResultQueue<Output>()
    let next = Atomic<Int>(0)
    let team = DispatchGroup()
    for _ in 0..<min(count, jobs.count) {
      team.enter()
      Thread.detachNewThread { [self] in
        feed(jobs, next: { next.add(1, ordering: .relaxed).oldValue }, work, results)
        team.leave()
      }
    }
    defer {
      isCancelled.store(true, ordering: .relaxed)
      team.wait()
      isCancelled.store(false, ordering: .relaxed)
    }
    var handled = 0
    while handled < jobs.count {
      for (index, output) in results.taken(within: 0.2) {
        try handle(index, output)
        handled += 1
      }
      try tick()
    }
  }

  private func feed<Job, Output>(
    _ jobs: [Job], next: () -> Int, _ work: (Job, any ImportHelper) -> Output,
    _ results: ResultQueue<Output>
  ) {
    guard let helper = idle.withLock({ $0.popLast() }) ?? makeHelper() else { return }
    while case let index = next(), index < jobs.count, !isCancelled.load(ordering: .relaxed) {
      results.add(index, work(jobs[index], helper))
    }
    idle.withLock { $0.append(helper) }
  }

  private func makeHelper() -> HelperProcess? {
    guard case .processes(_, let executable, let arguments, let limits) = kind else { return nil }
    return HelperProcess(executable: executable, arguments: arguments, limits: limits) { [weak self] in
      self?.isCancelled.load(ordering: .relaxed) ?? true
    }
  }
}

/// Results on their way from the pool's threads to the caller's.
private final class ResultQueue<Output: Sendable>: Sendable {
  private let waiting = Mutex<[(Int, Output)]>([])
  private let count = DispatchSemaphore(value: 0)

  func add(_ index: Int, _ output: Output) {
    waiting.withLock { $0.append((index, output)) }
    count.signal()
  }

  /// Everything there is, waiting so long for the first.
  func taken(within seconds: Double) -> [(Int, Output)] {
    guard count.wait(timeout: .now() + seconds) == .success else { return [] }
    let taken = waiting.withLock { list in
      defer { list = [] }
      return list
    }
    for _ in taken.dropFirst() { count.wait() }
    return taken
  }
}
