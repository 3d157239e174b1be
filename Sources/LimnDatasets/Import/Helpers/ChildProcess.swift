// A process with a pipe to it and one from it. Foundation's own cannot be waited for with a limit, and takes a twentieth
// of a second to notice that its child has ended.

import Foundation
import Synchronization

/// Runs until it ends by itself or nobody refers to it any more.
final class ChildProcess {
  /// Where the process reads.
  let input: Int32
  /// Where what it writes is read.
  let output: Int32
  private let identifier: pid_t
  private var isReaped = false

  /// One start at a time: a child that is started between a pipe's making and its marking would hold it open.
  private static let starting = Mutex<Void>(())

  /// Nil where the process cannot be started.
  init?(_ executable: String, _ arguments: [String], environment: [String: String]) {
    // A process that is gone must not take this one with it.
    signal(SIGPIPE, SIG_IGN)
    let started = Self.starting.withLock { _ -> (pid_t, Int32, Int32)? in
      guard let down = Self.pipe(), let up = Self.pipe() else { return nil }
      let child = Self.spawn(executable, arguments, environment, reading: down.read, writing: up.write)
      close(down.read)
      close(up.write)
      guard let child else {
        close(down.write)
        close(up.read)
        return nil
      }
      return (child, down.write, up.read)
    }
    guard let started else { return nil }
    (identifier, input, output) = started
  }

  /// Both ends are closed in children.
  private static func pipe() -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  deinit {
    close(input)
    close(output)
    guard !isReaped else { return }
    kill(identifier, SIGKILL)
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
  }

  private static func spawn(
    _ executable: String, _ arguments: [String], _ environment: [String: String], reading: Int32,
    writing: Int32
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, reading, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, writing, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of a pool hold signals back, which a child would inherit.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let words = ([executable] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (words + variables).forEach { free($0) } }
    var identifier: pid_t = 0
    guard posix_spawn(&identifier, executable, &actions, &attributes, words, variables) == 0 else {
      return nil
    }
    return identifier
  }

  /// How the process ended, once it has closed its output or answered what cannot be understood; one that goes on
  /// for two seconds after that is stopped.
  func ended() -> String {
    var status: Int32 = 0
    var isRunning = true
    for _ in 0..<1000 where isRunning {
      isRunning = waitpid(identifier, &status, WNOHANG) == 0
      if isRunning { usleep(2000) }
    }
    if isRunning {
      kill(identifier, SIGKILL)
      while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    }
    isReaped = true
    let signal = status & 0x7F
    return signal == 0
      ? "the decoder gave up (exit \(status >> 8 & 0xFF))" : "the decoder crashed (signal \(signal))"
  }
}
