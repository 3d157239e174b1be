// A process with a pipe to it and one from it. Foundation's own waits for a message that its child has ended, and now
// and then waits for ever.

import Foundation

/// Runs until it ends by itself or nobody refers to it any more.
final class ChildProcess {
  /// Where the process reads.
  let input: Int32
  /// Where what it writes is read.
  let output: Int32
  private let identifier: pid_t
  private var isReaped = false

  /// Nil where the process cannot be started.
  init?(_ executable: String, _ arguments: [String], environment: [String: String]) {
    var (down, up): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe2(&down, O_CLOEXEC) == 0 else { return nil }
    guard pipe2(&up, O_CLOEXEC) == 0 else {
      down.forEach { close($0) }
      return nil
    }
    // A process that is gone must not take this one with it.
    signal(SIGPIPE, SIG_IGN)
    let child = Self.spawn(executable, arguments, environment, reading: down[0], writing: up[1])
    close(down[0])
    close(up[1])
    (input, output, identifier) = (down[1], up[0], child ?? -1)
    if child == nil {
      isReaped = true
      return nil
    }
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

  /// Waits for a process that has closed its output, and tells how it ended.
  func ended() -> String {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    isReaped = true
    let signal = status & 0x7F
    return signal == 0
      ? "the decoder gave up (exit \(status >> 8 & 0xFF))" : "the decoder crashed (signal \(signal))"
  }
}
